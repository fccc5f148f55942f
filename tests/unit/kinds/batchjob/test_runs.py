"""When a run is ended, and what follows its end: the decisions, and the plans that come of them."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    OWNER,
    SPEC,
    desired,
    ended_jobs,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.kinds.batchjob.actions import (
    Submit,
    Terminate,
)
from awsbatch_operator.kinds.batchjob.desired import FollowingJob
from awsbatch_operator.kinds.batchjob.following import plan_following
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.over import job_is_held, job_is_over
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import submission_of
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS, Cause, Stop
from awsbatch_operator.kinds.batchjob.runs import End, Fate, Next, wanted_stop, what_follows
from awsbatch_operator.kinds.batchjob.submission import (
    Ended,
    Submission,
)
from awsbatch_operator.kinds.batchjob.wishes import Fallback, Retry, Wishes, wishes_of
from awsbatch_operator.kinds.contract import Removal

FIRST = first_submission()
SAME = Wishes(FIRST.request_hash)
SUSPENDED = replace(SAME, suspend=True)
CHANGED = Wishes("v1:another", on_change=True)
LOST = replace(SAME, fallback=Fallback(frozenset({"HostLost"}), 2))
LIMITED = replace(SAME, deadline_seconds=100)
LATE = NOW.plus(100)
HELD_SPEC = SPEC | {"suspend": True}
CHANGED_SPEC = SPEC | {"rerunPolicy": "OnChange", "parameters": {"year": "2025"}}


def stopped(stop: Stop, **changes) -> Submission:
    return replace(FIRST, stop=stop, **changes)


@pytest.mark.parametrize(
    ("wishes", "record", "at", "stop"),
    [
        (SAME, FIRST, NOW, None),
        (SUSPENDED, FIRST, NOW, Stop.SUSPENDED),
        (CHANGED, FIRST, NOW, Stop.CHANGED),
        (replace(CHANGED, on_change=False), FIRST, NOW, None),
        (CHANGED, replace(FIRST, request_hash=""), NOW, None),
        (LIMITED, FIRST, LATE.plus(-1), None),
        (LIMITED, FIRST, LATE, Stop.DEADLINE),
        (LIMITED, replace(FIRST, begun=NOW.plus(-50)), NOW.plus(50), Stop.DEADLINE),
        # What was decided stays so; only the end of all time counts for more.
        (SAME, stopped(Stop.SUSPENDED), NOW, Stop.SUSPENDED),
        (SUSPENDED, stopped(Stop.CHANGED), NOW, Stop.CHANGED),
        (LIMITED, stopped(Stop.SUSPENDED), LATE, Stop.DEADLINE),
    ],
)
def test_a_job_that_runs_is_ended_for_a_reason_of_its_spec(wishes, record, at, stop):
    assert wanted_stop(wishes, record, at) is stop


def test_a_job_is_not_ended_for_a_change_that_cannot_run_yet():
    assert wanted_stop(CHANGED, FIRST, NOW, may_run=False) is None
    assert wanted_stop(SUSPENDED, FIRST, NOW, may_run=False) is Stop.SUSPENDED


SUCCESS, BY_US, EXIT = End(succeeded=True), End(stopped=True), End(failure="ApplicationExit")
HOST = End(failure="HostLost")
STANDS, HELD, TOO_LATE = Next(Fate.STANDS), Next(Fate.HELD), Next(Fate.LATE)


@pytest.mark.parametrize(
    ("wishes", "record", "end", "then"),
    [
        (SAME, FIRST, SUCCESS, STANDS),
        (SAME, FIRST, EXIT, STANDS),
        (SUSPENDED, FIRST, SUCCESS, STANDS),
        (SUSPENDED, FIRST, EXIT, STANDS),
        (SUSPENDED, stopped(Stop.SUSPENDED), SUCCESS, STANDS),
        (SUSPENDED, stopped(Stop.SUSPENDED), EXIT, STANDS),
        (SUSPENDED, stopped(Stop.SUSPENDED), BY_US, HELD),
        (SAME, stopped(Stop.SUSPENDED), BY_US, Next(Fate.AGAIN, Cause.RESUMED)),
        (CHANGED, stopped(Stop.CHANGED), BY_US, Next(Fate.AGAIN, Cause.CHANGED)),
        (SAME, stopped(Stop.CHANGED), BY_US, Next(Fate.AGAIN, Cause.CHANGED)),
        (SAME, stopped(Stop.CHANGED), SUCCESS, STANDS),
        (CHANGED, stopped(Stop.CHANGED), SUCCESS, Next(Fate.AGAIN, Cause.CHANGED)),
        (SUSPENDED, stopped(Stop.CHANGED), BY_US, HELD),
        (SAME, stopped(Stop.DEADLINE), BY_US, TOO_LATE),
        (SAME, stopped(Stop.DEADLINE), SUCCESS, STANDS),
        (SAME, stopped(Stop.DEADLINE), EXIT, STANDS),
        (CHANGED, FIRST, replace(SUCCESS, stands=True), Next(Fate.AGAIN, Cause.CHANGED)),
        (replace(CHANGED, suspend=True), FIRST, replace(SUCCESS, stands=True), HELD),
        (LOST, FIRST, EXIT, STANDS),
        (LOST, FIRST, HOST, Next(Fate.AGAIN, Cause.LOST)),
        (LOST, FIRST, replace(HOST, stands=True), STANDS),
        (LOST, replace(FIRST, losses=1), HOST, Next(Fate.AGAIN, Cause.LOST, in_fallback=True)),
        (LOST, replace(FIRST, losses=2, in_fallback=True), HOST, STANDS),
        (replace(LOST, suspend=True), FIRST, HOST, HELD),
        (
            LOST,
            replace(FIRST, indexes="3,7"),
            HOST,
            Next(Fate.AGAIN, Cause.LOST, indexes="3,7"),
        ),
        (
            replace(SAME, is_array=True, retry=Retry(1, "SHARDS")),
            FIRST,
            EXIT,
            Next(Fate.TOLD_FIRST, Cause.RETRIED),
        ),
        (replace(SAME, is_array=True, retry=Retry(2, "SHARDS")), FIRST, EXIT, STANDS),
        (SAME, FIRST, End(seen=False), STANDS),
        (CHANGED, FIRST, End(seen=False), Next(Fate.AGAIN, Cause.CHANGED)),
    ],
)
def test_what_follows_the_end_of_a_run(wishes, record, end, then):
    assert what_follows(wishes, record, end, NOW) == then


@pytest.mark.parametrize("wishes", [LIMITED, replace(LIMITED, suspend=True)])
def test_no_run_begins_or_is_held_when_the_time_of_all_is_over(wishes):
    assert what_follows(wishes, stopped(Stop.SUSPENDED), BY_US, LATE) == TOO_LATE
    assert what_follows(wishes, FIRST, SUCCESS, LATE) == STANDS


def test_a_change_after_the_end_is_not_too_late():
    wishes = replace(CHANGED, deadline_seconds=100)
    then = what_follows(wishes, FIRST, replace(SUCCESS, stands=True), LATE)
    assert then == Next(Fate.AGAIN, Cause.CHANGED)


@pytest.mark.parametrize(
    ("spec", "stop"), [(HELD_SPEC, Stop.SUSPENDED), (CHANGED_SPEC, Stop.CHANGED)]
)
def test_why_a_job_is_ended_is_written_down_before_the_call(spec, stop):
    plan = plan_job(desired(job(spec=spec)), known("RUNNING"), NOW)
    (step,) = plan.steps
    assert step.action == Terminate("job-1", STOP_REASONS[stop])
    assert recorded(plan) == replace(FIRST, stop=stop)
    assert step.record == recorded(plan).annotation()
    # AWS has accepted it, and acts on it: it is not asked again.
    going = known("RUNNING", of=recorded(plan), isTerminated=True)
    waiting = plan_job(desired(job(spec=spec)), going, NOW)
    assert (waiting.steps, waiting.record) == ((), {})
    assert waiting.findings[0].reason.name == "Stopping"


def test_behind_a_gate_a_job_is_ended_if_that_may_be_and_never_for_a_change():
    for spec, may_change, ends in (
        (HELD_SPEC, True, ["job-1"]),
        (HELD_SPEC, False, []),
        (CHANGED_SPEC, True, []),
    ):
        resource = job(spec=spec)
        gate = FollowingJob(
            owner=OWNER,
            findings=(),
            may_change=may_change,
            codes_shown=frozenset(),
            wishes=wishes_of(resource),
        )
        assert ended_jobs(plan_following(gate, known("RUNNING"), NOW)) == ends


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_run_that_ended_is_looked_for_no_more_unless_it_may_have_twins(attempt):
    record = stopped(Stop.SUSPENDED, attempt=attempt)
    ended = known("FAILED", of=record, isTerminated=True, stoppedAt=1_800_000_500_000)
    plan = plan_job(desired(job()), ended, NOW.plus(500))
    made = recorded(plan)
    assert (made.run, made.cause, made.stop) == (2, Cause.RESUMED, None)
    assert made.begun == FIRST.time
    assert made.before == Ended(1, "job-1", "Suspended", "2027-01-15T08:08:20Z")
    assert [each.run for each in made.earlier] == ([] if attempt == 1 else [1])


@pytest.mark.parametrize("array", [{}, {"arrayProperties": {"statusSummary": {"PENDING": 2}}}])
def test_a_cancelled_job_that_waits_for_others_is_let_go_and_stays_in_the_record(array):
    record = stopped(Stop.SUSPENDED)
    waits = known("PENDING", of=record, isTerminated=True, **array)
    assert plan_job(desired(job(spec=HELD_SPEC)), waits, NOW).steps == ()
    made = recorded(plan_job(desired(job()), waits, NOW.plus(500)))
    assert (made.run, [each.run for each in made.earlier]) == (2, [1])


@pytest.mark.parametrize("summary", [{"RUNNING": 1, "PENDING": 1}, {}])
def test_an_array_is_pending_while_its_jobs_run_and_is_waited_for(summary):
    array = {"arrayProperties": {"size": 2, "statusSummary": summary}}
    waits = known("PENDING", of=stopped(Stop.SUSPENDED), isTerminated=True, **array)
    assert plan_job(desired(job()), waits, NOW.plus(500)).steps == ()
    assert not plan_removal(Removal(OWNER, None), waits, NOW).released


def test_a_job_that_was_ended_and_is_forgotten_is_followed_by_the_next_run():
    record = stopped(Stop.SUSPENDED)
    gone = Observed(Knowledge.FORGOTTEN, record, detail={"jobId": "job-1"})
    late = NOW.plus(700_000)
    assert plan_job(desired(job(spec=HELD_SPEC)), gone, late).steps == ()
    made = recorded(plan_job(desired(job()), gone, late))
    assert (made.run, [each.run for each in made.earlier]) == (2, [1])
    assert made.before is not None
    assert made.before.result == "Suspended"


def test_an_end_that_the_next_record_has_no_place_for_stands_in_the_status_before():
    before = Ended(1, "job-0", "HostLost", "2027-01-15T08:00:00Z")
    record = replace(stopped(Stop.SUSPENDED), run=2, before=before)
    ended = known("FAILED", of=record, isTerminated=True)
    plan = plan_job(desired(job()), ended, NOW.plus(500))
    entry = {"run": 1, "jobId": "job-0", "result": "HostLost"}
    entry["completionTime"] = before.completion_time
    assert plan.announce == {"history": [entry]}
    told = job(status={"history": [entry]})
    assert plan_job(desired(told), ended, NOW.plus(500)).announce == {}


def test_what_is_held_is_neither_sent_nor_sent_again():
    held = desired(job(spec=HELD_SPEC))
    assert plan_job(held, None, NOW).steps == ()
    for knowledge in (Knowledge.REFUSED, Knowledge.ABSENT, Knowledge.UNTRACEABLE):
        assert plan_job(held, Observed(knowledge, FIRST), NOW).steps == ()


def test_a_run_without_a_job_is_not_sent_when_its_time_is_over_and_is_looked_for_twice():
    late = desired(job(spec=SPEC | {"activeDeadlineSeconds": 100}))
    plan = plan_job(late, Observed(Knowledge.ABSENT, FIRST), LATE)
    closed = recorded(plan)
    assert (plan.steps, closed.stop, closed.may_have_twins) == ((), Stop.DEADLINE, True)
    assert plan.look_again_seconds is not None
    again = plan_job(late, Observed(Knowledge.ABSENT, closed), LATE.plus(60))
    assert (again.steps, again.record) == ((), {})
    # What AWS has refused has not begun; but what is refused later on has.
    refused = Observed(Knowledge.REFUSED, FIRST)
    assert isinstance(plan_job(late, refused, LATE).actions[0], Submit)
    second = replace(FIRST, run=2, begun=NOW)
    plan = plan_job(late, Observed(Knowledge.REFUSED, second), LATE)
    assert (plan.steps, recorded(plan).stop) == ((), Stop.DEADLINE)
    assert not recorded(plan).may_have_twins


def shown(**status):
    conditions = [
        {"type": name, "status": "True", "reason": name, "observedGeneration": 1}
        for name in status.pop("conditions")
    ]
    return {"observedGeneration": 1, "run": 1, "conditions": conditions, **status}


def test_a_held_job_rests_and_one_with_a_deadline_is_looked_at_when_that_comes():
    record = stopped(Stop.SUSPENDED)
    ended = shown(conditions=["Suspended"], jobId="job-1", awsStatus="FAILED")
    held = job(spec=HELD_SPEC, submission=record, status=ended)
    assert job_is_held(held)
    assert not job_is_over(held)
    assert not job_is_held(replace(held, generation=2))
    assert not job_is_held(replace(held, spec=HELD_SPEC | {"activeDeadlineSeconds": 60}))
    assert not job_is_held(replace(held, status=ended | {"awsStatus": "PENDING"}))
    assert job_is_held(job(spec=HELD_SPEC, status=shown(conditions=["Suspended"])))


@pytest.mark.parametrize("deleting", [True, False])
def test_the_end_of_a_run_is_not_that_of_the_next_one_whose_intent_is_recorded(deleting):
    ended = shown(conditions=["Complete"], jobId="job-1", awsStatus="SUCCEEDED")
    next_one = replace(FIRST, run=2, cause=Cause.CHANGED)
    assert job_is_over(job(submission=FIRST, status=ended, deleting=deleting))
    assert not job_is_over(job(submission=next_one, status=ended, deleting=deleting))


def test_a_change_wakes_a_finished_job_until_it_has_run():
    spec = SPEC | {"rerunPolicy": "OnChange"}
    ended = shown(conditions=["Complete"], jobId="job-1", awsStatus="SUCCEEDED")
    assert job_is_over(job(spec=spec, submission=FIRST, status=ended))
    assert not job_is_over(job(spec=CHANGED_SPEC, submission=FIRST, status=ended))


def test_a_status_makes_up_for_the_record_of_a_held_job_and_of_a_run_of_some_indexes():
    names = {"jobId": "job-1", "jobName": FIRST.job_name, "jobQueueArn": FIRST.queue}
    names |= {"jobDefinitionArn": FIRST.definition, "accountId": FIRST.account_id}
    names |= {"region": FIRST.region, "requestHash": FIRST.request_hash}
    names |= {"runCause": "Retried", "runIndexes": "3,7"}
    status = shown(conditions=["Suspended"], awsStatus="FAILED", **names)
    found = submission_of(job(status=status))
    assert found is not None
    assert (found.stop, found.cause, found.indexes) == (Stop.SUSPENDED, Cause.RETRIED, "3,7")
    assert found.request_hash == FIRST.request_hash
    assert found.looked_through
