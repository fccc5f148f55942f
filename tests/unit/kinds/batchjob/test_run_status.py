"""What the status says of a job that is held, late, or runs again."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, SPEC, desired, first_submission, job, known

from awsbatch_operator.api.conditions import Situation
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Output
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.batchjob.submission import Ended
from awsbatch_operator.kinds.batchjob.wishes import HISTORY_KEPT, history
from awsbatch_operator.kinds.contract import Seen

FIRST = first_submission()
BEFORE = Ended(1, "job-1", "HostLost", "2027-01-15T08:00:00Z")
ENTRY = {"run": 1, "jobId": "job-1", "result": "HostLost", "completionTime": BEFORE.completion_time}
SECOND = replace(FIRST, run=2, job_name="second", cause=Cause.LOST, before=BEFORE)
HELD, LATE = SPEC | {"suspend": True}, SPEC | {"activeDeadlineSeconds": 60}
READ = Output(())


def status_of(resource, observed, now=NOW):
    seen: Seen = Seen(desired(resource), observed, Plan(), (), None, None, now)
    return job_status(resource, seen)


def after_the_first(**spec):
    """The object once its first run has ended, and the record of the second is written."""
    resource = job(submission=SECOND, spec=SPEC | spec)
    shown = job(submission=FIRST, job_id="job-1").status
    told = {"awsStatus": "FAILED", "failure": "HostLost", "exitCode": 1}
    return replace(resource, status={**shown, **told})


@pytest.mark.parametrize("knowledge", [Knowledge.SETTLING, Knowledge.ABSENT, Knowledge.REFUSED])
def test_a_first_run_is_not_named_before_a_job_of_it_is_known(knowledge):
    """The API server fixes what is submitted as soon as the status names a run."""
    for spec in (SPEC, HELD):
        resource = job(submission=FIRST, spec=spec)
        assert "run" not in status_of(resource, Observed(knowledge, FIRST)).fields


def test_a_later_run_is_named_at_once_with_the_end_of_the_one_before():
    status = status_of(after_the_first(), Observed(Knowledge.SETTLING, SECOND))
    assert status.verdict.situation is Situation.WORKING
    assert (status.fields["run"], status.fields["runCause"]) == (2, "Lost")
    assert status.fields["history"] == [ENTRY]
    assert not {"jobId", "awsStatus", "exitCode", "failure"} & status.fields.keys()
    found = status_of(after_the_first(), known("RUNNING", of=SECOND, jobId="job-2"))
    assert (found.fields["jobId"], found.fields["history"]) == ("job-2", [ENTRY])


def test_the_history_has_each_run_once_and_only_the_newest():
    assert history([ENTRY], BEFORE) == [ENTRY]
    assert history([ENTRY], None) == [ENTRY]
    assert history([], Ended(3, "", "Unknown")) == [{"run": 3, "result": "Unknown"}]
    many = [{"run": run, "result": "Changed"} for run in range(2, 2 + HISTORY_KEPT)]
    kept = history(many, Ended(99, "job-99", "Succeeded"))
    assert [each["run"] for each in kept] == [*range(3, 2 + HISTORY_KEPT), 99]


def test_a_job_that_is_held_has_not_failed():
    stopped = replace(FIRST, stop=Stop.SUSPENDED)
    ended = known("FAILED", of=stopped, isTerminated=True)
    resource = job(submission=stopped, job_id="job-1", spec=HELD)
    status = status_of(resource, replace(ended, output=READ))
    assert status.verdict.situation is Situation.SUSPENDED
    assert status.fields["awsStatus"] == "FAILED"
    assert "failure" not in status.fields
    # Without a word of AWS's that we did it, it has failed by itself.
    by_itself = known("FAILED", of=stopped, container={"exitCode": 1})
    status = status_of(resource, replace(by_itself, output=READ))
    assert (status.verdict.situation, status.fields["failure"]) == (
        Situation.FAILED,
        "ApplicationExit",
    )


def test_a_job_that_is_late_has_failed_whether_or_not_aws_has_it():
    stopped = replace(FIRST, stop=Stop.DEADLINE)
    ended = replace(known("FAILED", of=stopped, isTerminated=True), output=READ)
    for observed in (ended, Observed(Knowledge.ABSENT, FIRST)):
        resource = job(submission=observed.submission, spec=LATE)
        status = status_of(resource, observed, NOW.plus(60))
        assert status.verdict.situation is Situation.FAILED
        assert status.verdict.reason == "DeadlineExceeded"
        assert (status.fields["run"], status.fields["failure"]) == (1, "TimedOut")


def test_a_result_that_is_to_be_replaced_stays_until_then():
    spec = {"rerunPolicy": "OnChange", "parameters": {"year": "2025"}}
    resource = job(submission=FIRST, job_id="job-1", spec=SPEC | spec, generation=2)
    ended = {"type": "Complete", "status": "True", "reason": "Succeeded", "message": "It did."}
    conditions = [ended | {"observedGeneration": 1}]
    resource = replace(resource, status={**resource.status, "conditions": conditions})
    observed = Observed(Knowledge.CONCLUDED, FIRST, detail={"jobId": "job-1"})
    verdict = status_of(resource, observed).verdict
    assert verdict.situation is Situation.WORKING
    assert "Run 2 is about to be submitted" in verdict.message
    assert verdict.result is not None
    assert (verdict.result.situation, verdict.ran) == (Situation.COMPLETE, 1)


def test_what_no_run_follows_any_more_has_failed_with_a_remedy():
    resource = after_the_first()
    first = replace(resource, annotations=FIRST.annotation())
    observed = Observed(Knowledge.CONCLUDED, FIRST, detail={"jobId": "job-1"})
    verdict = status_of(first, observed).verdict
    assert (verdict.situation, verdict.reason) == (Situation.FAILED, "HostLost")
    assert "retryStrategy.attempts" in verdict.message
