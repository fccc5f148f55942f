"""Of several jobs of one run: which one counts, what becomes of the others, and what is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    OWNER,
    desired,
    ended_jobs,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.batchjob.actions import Ending, Terminate
from awsbatch_operator.kinds.batchjob.observed import (
    Knowledge,
    Observed,
    Output,
    Sweep,
    has_ended,
    that_counts,
)
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Removal, Seen

REMOVAL = Removal(OWNER, ScopeRecord("", "111122223333", "eu-central-1", ""))
REPEATED = first_submission().repeated(NOW)
LATER = NOW.plus(400)  # the first look for further jobs is due


WAITS, STARTS = {"status": "RUNNABLE"}, {"status": "STARTING"}
RUNS = {"status": "RUNNING", "startedAt": 7}
RETRIES = {"status": "RUNNABLE", "attempts": [{"startedAt": 5}]}
DONE, BROKE = {"status": "SUCCEEDED", "startedAt": 7}, {"status": "FAILED", "startedAt": 7}
NEVER_RAN = {"status": "FAILED"}
STOPPED = {"status": "FAILED", "startedAt": 7, "isTerminated": True}
BEING_STOPPED = {**RUNS, "isTerminated": True}


@pytest.mark.parametrize(
    ("older", "younger", "counts"),
    [
        (WAITS, WAITS, "older"),
        (WAITS, STARTS, "younger"),
        (WAITS, RUNS, "younger"),
        (WAITS, RETRIES, "younger"),
        (STARTS, RUNS, "younger"),
        (RUNS, RUNS, "older"),
        (RETRIES, RUNS, "older"),
        (RUNS, WAITS, "older"),
        (WAITS, DONE, "younger"),
        (RUNS, DONE, "younger"),
        (RUNS, BROKE, "younger"),
        (BROKE, DONE, "younger"),
        (DONE, DONE, "older"),
        (NEVER_RAN, RUNS, "younger"),
        (NEVER_RAN, WAITS, "older"),
        (WAITS, NEVER_RAN, "younger"),
    ],
)
def test_the_one_that_has_come_farthest_counts_and_of_equals_the_oldest(older, younger, counts):
    found = [{"jobId": "younger", "createdAt": 2, **younger}]
    found.append({"jobId": "older", "createdAt": 1, **older})
    for recorded_id in ("", "older", "younger"):
        assert that_counts(found, recorded_id)["jobId"] == counts


def test_a_job_that_was_stopped_and_is_not_the_recorded_one_counts_last():
    """It was stopped in favour of the recorded one, which has not begun to run yet, say."""
    for stopped in (STOPPED, BEING_STOPPED, {**WAITS, "isTerminated": True}):
        found = [{"jobId": "twin", "createdAt": 1, **stopped}]
        found.append({"jobId": "ours", "createdAt": 2, **WAITS})
        assert that_counts(found, "ours")["jobId"] == "ours"
        assert that_counts(found, "twin")["jobId"] == "twin", "somebody else stopped our job"


@given(
    found=st.lists(
        st.sampled_from([WAITS, STARTS, RUNS, RETRIES, DONE, BROKE, NEVER_RAN, STOPPED]),
        min_size=1,
        max_size=5,
    ),
    recorded_at=st.integers(0, 4),
)
def test_no_job_that_has_begun_is_ended_in_favour_of_one_that_has_not(found, recorded_at):
    jobs = [{"jobId": f"job-{n}", "createdAt": n, **detail} for n, detail in enumerate(found)]
    counts = that_counts(jobs, f"job-{recorded_at}")
    alive = [each for each in jobs if not has_ended(each) and each is not counts]
    begun = [each for each in alive if each.get("startedAt") or each.get("attempts")]
    if begun:
        assert counts.get("startedAt") or counts.get("attempts")
    assert that_counts(list(reversed(jobs)), f"job-{recorded_at}") is counts


def twice(
    *, counts: str = "job-1", knowledge: Knowledge = Knowledge.FOUND, **sweep: Any
) -> Observed:
    """A look that found further jobs of the run."""
    observed = known("RUNNING", of=REPEATED, jobId=counts)
    return replace(observed, knowledge=knowledge, sweeps=(Sweep(1, counts, **sweep),))


def test_each_further_job_is_ended_in_a_lane_of_its_own_and_both_ids_are_told():
    observed = twice(alive=("job-2", "job-3"))
    plan = plan_job(desired(job()), observed, LATER)
    assert ended_jobs(plan) == ["job-2", "job-3"]
    assert len(plan.lanes()) == 2
    for step in plan.steps:
        assert isinstance(step.action, Terminate)
        assert step.note is not None
        assert step.note.reason.warning
        assert "job-1" in step.note.message
        assert step.action.job_id in step.note.message
        assert "job-1" in step.action.reason


def test_the_record_says_which_job_counts_before_the_other_one_is_ended():
    plan = plan_job(desired(job()), twice(counts="job-2", alive=("job-1",)), LATER)
    assert recorded(plan).counts == "job-2"
    known_already = twice(counts="job-2", alive=("job-1",))
    known_already = replace(known_already, submission=replace(REPEATED, counts="job-2"))
    assert plan_job(desired(job()), known_already, LATER).record == {}


def test_two_jobs_that_both_ran_to_their_end_are_told_without_any_call():
    plan = plan_job(desired(job()), twice(over=("job-2",)), LATER)
    assert plan.steps == ()
    (note,) = plan.findings
    assert note.reason.name == "SubmittedTwice"
    assert note.reason.warning
    assert "job-1" in note.message
    assert "job-2" in note.message


def test_a_look_counts_only_when_it_was_due_and_left_nothing_alive():
    due = twice(over=("job-2",))
    assert recorded(plan_job(desired(job()), due, LATER)).swept == 1
    assert recorded(plan_job(desired(job()), due, NOW.plus(359))).swept == 0
    assert recorded(plan_job(desired(job()), twice(alive=("job-2",)), LATER)).swept == 0
    incomplete = plan_job(desired(job()), twice(complete=False), LATER)
    assert (incomplete.record, incomplete.look_again_seconds) == ({}, 5)


def test_an_ending_is_met_when_aws_shows_that_the_job_ends():
    ending = Ending("job-2")
    assert not ending.met(twice(alive=("job-2",)))
    assert ending.met(twice(over=("job-2",)))
    ours = known("RUNNING", jobId="job-2")
    assert not ending.met(ours)
    assert ending.met(known("RUNNING", jobId="job-2", isTerminated=True))
    assert ending.met(known("FAILED", jobId="job-2"))
    assert not ending.met(replace(ours, knowledge=Knowledge.FORGOTTEN, detail={"jobId": "job-2"}))
    assert ending.met(None)


def test_a_deleted_object_is_not_let_go_while_any_job_of_it_is_alive_or_not_described():
    ended = replace(known("FAILED", of=REPEATED))
    alive = plan_removal(REMOVAL, replace(ended, sweeps=(Sweep(1, "job-1", ("job-2",)),)), LATER)
    assert ended_jobs(alive) == ["job-2"]
    unseen = replace(ended, sweeps=(Sweep(1, "job-1", complete=False),))
    for plan in (alive, plan_removal(REMOVAL, unseen, LATER)):
        assert not plan.released
        assert plan.look_again_seconds or plan.findings[0].again
    assert plan_removal(REMOVAL, replace(ended, sweeps=(Sweep(1, "job-1"),)), LATER).released


def shown(resource: Any, observed: Observed) -> dict[str, Any]:
    plan = plan_job(desired(resource), observed, LATER)
    seen: Seen = Seen(desired(resource), observed, plan, (), None, None, LATER)
    return dict(job_status(resource, seen).fields)


def test_the_status_keeps_the_ids_of_all_further_jobs():
    resource = job(submission=REPEATED, job_id="job-1")
    resource = replace(resource, status={**resource.status, "awsStatus": "RUNNING"})
    fields = shown(resource, twice(counts="job-3", alive=("job-1",), over=("job-2",)))
    assert fields["jobId"] == "job-3"
    assert fields["otherJobIds"] == ["job-1", "job-2"]
    after = replace(resource, status={**resource.status, **fields})
    assert shown(after, known("RUNNING", of=REPEATED, jobId="job-3"))["otherJobIds"] == [
        "job-1",
        "job-2",
    ]


def test_a_twin_that_comes_to_light_after_the_end_is_shown_and_the_result_stays():
    resource = job(submission=REPEATED, job_id="job-1")
    ended = {"type": "Complete", "status": "True", "reason": "Succeeded", "message": "Well done."}
    resource = replace(resource, status={**resource.status, "conditions": [ended]})
    observed = twice(alive=("job-2",), knowledge=Knowledge.CONCLUDED)
    plan = plan_job(desired(resource), observed, LATER)
    assert ended_jobs(plan) == ["job-2"]
    seen: Seen = Seen(desired(resource), observed, plan, (), None, None, LATER)
    status = job_status(resource, seen)
    assert status.fields["otherJobIds"] == ["job-2"]
    assert status.verdict.message == "Well done."


def test_the_end_of_a_job_waits_for_its_lines_and_its_twin_is_shown_at_once():
    resource = job(submission=REPEATED, job_id="job-1")
    resource = replace(resource, status={**resource.status, "awsStatus": "RUNNING"})
    ended = replace(known("SUCCEEDED", of=REPEATED), output=Output(due=LATER.plus(5)))
    assert "otherJobIds" not in shown(resource, ended)
    assert shown(resource, replace(ended, sweeps=(Sweep(1, "job-1", over=("job-2",)),)))[
        "otherJobIds"
    ] == ["job-2"]
