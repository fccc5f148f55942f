"""What a further run must not lose, nor begin with: indexes, places, and a job that is at work."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, SPEC, desired, job, known, recorded
from tests.unit.kinds.batchjob.test_retries import RETRY, ended, followed, hashed
from tests.unit.kinds.batchjob.test_runs import CHANGED, FIRST, SAME

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.batchjob.actions import Submit, Terminate
from awsbatch_operator.kinds.batchjob.dependencies import Dependencies
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop
from awsbatch_operator.kinds.batchjob.runs import End, Fate, Next, goes_on, what_follows
from awsbatch_operator.kinds.batchjob.submission import Ended
from awsbatch_operator.kinds.batchjob.wishes import Retry


def test_indexes_that_aws_would_not_name_are_not_passed_over_in_silence():
    record = hashed()
    resource = ended(record, "17,204", **RETRY)
    array = {**resource.status["array"], "failed": 5, "succeeded": 295}
    resource = replace(resource, status={**resource.status, "array": array})
    plan = followed(resource, record)
    assert not plan.steps
    (finding,) = plan.findings
    assert finding.reason is job_reasons.RETRY_NOT_POSSIBLE
    assert "names 2 of the 5 indexes" in finding.message
    whole = replace(resource, status={**resource.status, "array": {**array, "failed": 2}})
    assert recorded(followed(whole, record)).indexes == "17,204"


@pytest.mark.parametrize("knowledge", [Knowledge.REFUSED, Knowledge.ABSENT])
def test_a_run_of_failed_indexes_that_never_began_is_closed_by_one_of_the_same_indexes(knowledge):
    before = Ended(1, "job-1", "ApplicationExit")
    record = hashed(2, cause=Cause.RETRIED, indexes="17,204", before=before, needs="v1:others")
    resource = ended(hashed(), "17,204", **RETRY)
    plan = plan_job(desired(resource), Observed(knowledge, record), NOW.plus(600))
    made = recorded(plan)
    assert (made.run, made.cause, made.indexes) == (3, Cause.RETRIED, "17,204")
    (action,) = plan.actions
    assert isinstance(action, Submit)
    assert action.request["arrayProperties"] == {"size": 2}


def test_a_run_in_the_other_queue_that_never_began_is_closed_by_one_there():
    spec = SPEC | {
        "fallback": {"jobQueueRef": {"arn": "arn:other"}, "when": ["HostLost"]},
    }
    made = recorded(plan_job(desired(job(spec=spec)), None, NOW))
    record = replace(made, run=2, queue="arn:other", cause=Cause.LOST, losses=1)
    record = replace(record, in_fallback=True, needs="v1:others")
    wanted = desired(job(submission=record, spec=spec))
    plan = plan_job(wanted, Observed(Knowledge.ABSENT, record), NOW.plus(600))
    again = recorded(plan)
    assert (again.run, again.queue, again.losses) == (3, "arn:other", 1)
    assert again.in_fallback


EXTERNAL = "arn:aws:batch:eu-central-1:111122223333:job-definition/shared"
LONG: dict[str, Any] = {"parameters": {"all": "x" * 31_000}}


def test_a_job_at_work_is_not_ended_for_a_change_that_aws_would_not_take():
    record = recorded(plan_job(desired(job()), None, NOW))
    changed = job(submission=record, job_id="job-1", spec=SPEC | LONG | {"rerunPolicy": "OnChange"})
    observed = known("RUNNING", of=record)
    plan = plan_job(desired(changed), observed, NOW.plus(60))
    assert not plan.steps
    reasons = {each.reason: each for each in plan.findings}
    assert "Run 1 goes on as it was submitted." in reasons[job_reasons.REQUEST_TOO_LONG].message
    short = replace(changed, spec={**changed.spec, "parameters": {"all": "y"}})
    plan = plan_job(desired(short), observed, NOW.plus(60))
    assert [type(each) for each in plan.actions] == [Terminate]
    assert recorded(plan).stop is Stop.CHANGED


@pytest.mark.parametrize(
    ("wishes", "end", "cause", "on"),
    [
        (SAME, End(failure="ApplicationExit"), Cause.RETRIED, True),
        (SAME, End(failure="DependencyFailed"), Cause.RETRIED, False),
        (SAME, End(failure="Infrastructure"), Cause.LOST, False),
        (SAME, End(failure="Infrastructure", begun=True), Cause.LOST, True),
        (SAME, End(stopped=True), Cause.RESUMED, False),
        (SAME, End(stopped=True, begun=True), Cause.RESUMED, True),
        (SAME, End(succeeded=True, begun=True), Cause.CHANGED, False),
        (CHANGED, End(stopped=True, begun=True), Cause.RESUMED, False),
    ],
)
def test_only_what_had_begun_goes_on_without_what_is_gone_since(wishes, end, cause, on):
    assert goes_on(wishes, FIRST, end, Next(Fate.AGAIN, cause)) is on


def test_a_further_run_never_takes_a_definition_that_the_spec_does_not_lead_to():
    """Whoever can edit the annotation could otherwise run what the account does not allow."""
    record = hashed()
    arn, _, revision = record.definition.rpartition(":")
    older = replace(record, definition=f"{arn}:{int(revision) - 1}")
    resource = ended(record, "17,204", **RETRY)
    plan = followed(resource, older, definition_name="simulate")
    assert recorded(plan).definition == older.definition
    foreign = replace(record, definition=f"{arn}-of-another-team:{revision}")
    plan = followed(resource, foreign, definition_name="simulate")
    (action,) = plan.actions
    assert isinstance(action, Submit)
    assert recorded(plan).definition == record.definition
    assert action.request["jobDefinition"] == record.definition


def test_nothing_is_sent_again_with_another_revision_than_the_arn_in_the_spec():
    spec = {**SPEC, "jobDefinitionRef": {"arn": f"{EXTERNAL}:4"}}
    wanted = desired(job(spec=spec))
    record = recorded(plan_job(wanted, None, NOW))
    again = plan_job(wanted, Observed(Knowledge.ABSENT, record), NOW.plus(600))
    assert (recorded(again).run, recorded(again).definition) == (1, f"{EXTERNAL}:4")
    edited = replace(record, definition=f"{EXTERNAL}:5")
    again = plan_job(wanted, Observed(Knowledge.ABSENT, edited), NOW.plus(600))
    assert (recorded(again).run, recorded(again).definition) == (2, f"{EXTERNAL}:4")


@pytest.mark.parametrize("knowledge", [Knowledge.REFUSED, Knowledge.ABSENT])
def test_a_run_that_is_held_back_before_it_is_sent_again_is_looked_at_when_its_time_is_over(
    knowledge,
):
    spec = SPEC | {"activeDeadlineSeconds": 900}
    record = recorded(plan_job(desired(job(spec=spec)), None, NOW))
    record = replace(record, run=2, cause=Cause.RESUMED, begun=NOW.plus(-600))
    waits = Finding(job_reasons.WAITING_FOR_JOB, "It waits.")
    waiting = Dependencies(held=waits, held_again=waits)
    held = replace(desired(job(spec=spec)), dependencies=waiting)
    plan = plan_job(held, Observed(knowledge, record), NOW.plus(100))
    assert not plan.steps
    assert plan.look_again_seconds == 200


@pytest.mark.parametrize(
    ("wishes", "indexes"),
    [
        (replace(SAME, retry=Retry(1, "SHARDS")), "3,7"),
        (replace(CHANGED, retry=Retry(1, "SHARDS")), ""),
        (SAME, ""),  # nobody names a variable for them any more
    ],
)
def test_a_run_of_failed_indexes_that_was_held_is_resumed_as_such(wishes, indexes):
    record = replace(FIRST, run=2, indexes="3,7", stop=Stop.SUSPENDED)
    follows = what_follows(wishes, record, End(stopped=True))
    assert follows == Next(Fate.AGAIN, Cause.RESUMED, indexes=indexes)
