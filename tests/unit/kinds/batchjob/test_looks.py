"""How runs are looked for that may have more than one job, or are not the only ones."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import KEY, NOW, OWNER, SCOPE, first_submission, job
from tests.unit.kinds.batchjob.test_observe import Look

from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Sweep
from awsbatch_operator.kinds.batchjob.request import job_tags

FIRST = first_submission()
REPEATED = FIRST.repeated(NOW)
SECOND = FIRST.followed_by(
    replace(FIRST, run=2, job_name="simulate-second", time=NOW.plus(100)), is_over=False
)


@pytest.fixture
def look() -> Look:
    return Look()


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_fresh_look_asks_aws_although_the_poller_has_seen_the_job(look, fresh):
    look.aws.has("job-1", "SUCCEEDED")
    look.aws.polled["job-1"] = {"jobId": "job-1", "status": "RUNNING"}
    observed = await look.at(job(submission=FIRST, job_id="job-1"), fresh=fresh)
    assert observed.state == ("SUCCEEDED" if fresh else "RUNNING")
    assert look.aws.described == int(fresh)


async def test_a_sweep_shows_the_job_that_has_come_farther_than_the_recorded_one(look):
    look.aws.has("recorded", "RUNNABLE", createdAt=2)
    look.aws.has("older", createdAt=1, startedAt=5)
    resource = job(submission=REPEATED, job_id="recorded")
    observed = await look.at(resource, 360)
    assert observed.job_id == "older"
    assert observed.strays == ("recorded",)
    assert look.memory.job_id(KEY, REPEATED) == "older"
    assert look.aws.followed[-1] == "older"


async def test_a_sweep_leaves_the_recorded_job_alone_that_is_not_listed_yet(look):
    look.aws.has("recorded", jobName="not listed under this name yet")
    look.aws.has("twin", createdAt=2)
    observed = await look.at(job(submission=REPEATED, job_id="recorded"), 360)
    assert (observed.job_id, observed.strays) == ("recorded", ("twin",))


async def test_a_sweep_that_lists_a_job_which_is_not_described_is_not_complete(look):
    look.aws.has("job-1")
    look.aws.has("job-2")
    described = look.aws.job

    async def not_yet(scope, job_id):
        return None if job_id == "job-2" else await described(scope, job_id)

    look.aws.job = not_yet
    observed = await look.at(job(submission=REPEATED, job_id="job-1"), 360)
    assert observed.sweeps == (Sweep(1, "job-1", complete=False),)


async def test_what_a_concluded_run_has_said_stays_whatever_comes_to_light(look):
    look.aws.has("job-1", "FAILED")
    look.aws.has("job-2", createdAt=2)
    resource = job(submission=REPEATED, job_id="job-1")
    ended = {"type": "Failed", "status": "True", "reason": "x", "message": "x"}
    resource = replace(resource, status={**resource.status, "conditions": [ended]})
    observed = await look.at(resource, 360)
    assert (observed.knowledge, observed.strays) == (Knowledge.CONCLUDED, ("job-2",))


async def test_an_earlier_run_is_looked_for_when_it_is_due_and_whenever_the_object_is_deleted(look):
    look.aws.has("job-1", createdAt=1)
    second = {"jobName": SECOND.job_name, "tags": job_tags(OWNER, 2, {})}
    look.aws.has("job-2", createdAt=2, **second)
    resource = job(submission=SECOND, job_id="job-2")
    assert (await look.at(resource, 100 + 359)).sweeps == ()
    deleted = await look.at(replace(resource, deleting=True), 100 + 359)
    due = await look.at(resource, 100 + 360)
    for observed in (deleted, due):
        assert observed.sweeps == (Sweep(1, "", alive=("job-1",)),)
        assert observed.job_id == "job-2"


async def test_a_run_is_not_looked_for_in_another_account_or_region(look):
    look.aws.has("job-1")
    for other in (replace(SCOPE, account_id="444455556666"), replace(SCOPE, region="us-west-2")):
        for resource in (
            job(submission=FIRST),
            job(submission=FIRST, job_id="job-1"),
            replace(job(submission=FIRST, job_id="job-1"), annotations={}),
        ):
            observed = await look.observer.observe(resource, OWNER, other, fresh=True)
            assert observed is not None
            assert observed.knowledge is Knowledge.ELSEWHERE
    assert (look.aws.listed, look.aws.described) == (0, 0)


async def test_a_concluded_run_needs_no_look_in_any_account(look):
    resource = job(submission=FIRST, job_id="job-1")
    ended = {"type": "Complete", "status": "True", "reason": "x", "message": "x"}
    resource = replace(resource, status={**resource.status, "conditions": [ended]})
    other = replace(SCOPE, account_id="444455556666")
    observed = await look.observer.observe(resource, OWNER, other, fresh=True)
    assert observed is not None
    assert observed.knowledge is Knowledge.CONCLUDED
    repeated = replace(resource, annotations=REPEATED.annotation())
    observed = await look.observer.observe(repeated, OWNER, other, fresh=True)
    assert observed is not None
    assert observed.knowledge is Knowledge.ELSEWHERE, "a twin may still come to light"


async def test_a_job_that_was_given_up_and_is_found_again_is_followed_again(look):
    resource = job(submission=FIRST, job_id="job-1")
    assert (await look.at(resource, 100)).knowledge is Knowledge.FORGOTTEN
    look.aws.has("job-1")
    assert (await look.at(resource, 200)).knowledge is Knowledge.FOUND
    assert look.aws.followed == ["job-1"]


async def test_an_outcome_settles_from_the_moment_at_which_the_call_ended_without_an_answer(look):
    look.memory.sending(KEY, FIRST, NOW)
    look.memory.unanswered(KEY, NOW.plus(61))
    assert (await look.at(job(submission=FIRST), 61)).settled_at == NOW.plus(121)
    assert (await look.at(job(submission=FIRST), 120)).knowledge is Knowledge.SETTLING
    assert look.aws.listed == 0


@pytest.mark.parametrize("text", [None, "damaged"])
async def test_a_lost_record_is_made_up_for_by_what_this_process_knows_of_repeats(look, text):
    """The status names the job, and knows neither of a repeat nor of earlier runs."""
    look.aws.has("job-2", jobName=SECOND.job_name, tags=job_tags(OWNER, 2, {}))
    whole = job(submission=SECOND, job_id="job-2")
    await look.at(whole)
    lost = replace(whole, annotations={} if text is None else {SUBMISSION: text})
    observed = await look.at(lost)
    assert observed.lost
    assert observed.submission.annotation() == SECOND.annotation()


async def test_the_job_that_the_record_says_counts_is_looked_at_although_the_status_names_another(
    look,
):
    look.aws.has("older", createdAt=1)
    look.aws.has("younger", "FAILED", createdAt=2, startedAt=5, isTerminated=True)
    decided = replace(REPEATED, counts="older")
    resource = job(submission=decided, job_id="younger")
    for seconds in (10, 360):
        observed = await look.at(resource, seconds)
        assert (observed.job_id, observed.strays) == ("older", ())
    undecided = await look.at(job(submission=REPEATED, job_id="younger"), 360)
    assert undecided.job_id == "younger", "somebody stopped the job of the run: that was its end"


async def test_several_jobs_of_a_run_that_was_sent_once_are_looked_for_again(look):
    """One of them may be alive still: its termination can have failed."""
    look.aws.has("job-1", createdAt=1)
    look.aws.has("job-2", createdAt=2)
    resource = job(submission=replace(FIRST, counts="job-1"), job_id="job-1")
    assert (await look.at(resource, 359)).sweeps == ()
    assert (await look.at(resource, 360)).strays == ("job-2",)
    assert (await look.at(replace(resource, deleting=True), 361)).strays == ("job-2",)
