"""The status of a job whose dependency has failed, sent or not."""

from dataclasses import replace
from typing import Any

from tests.unit.kinds.batchjob.jobs import NOW, SCOPE, desired, first_submission, job, known

from awsbatch_operator.api.conditions import Situation
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.dependencies import Dependencies
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Output
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import KindStatus, Seen

WORDS = "BatchJob prepare has failed."
FAILED = {
    "type": "Failed",
    "status": "True",
    "reason": "DependencyFailed",
    "message": WORDS,
    "observedGeneration": 1,
    "lastTransitionTime": NOW.rfc3339(),
}
UNSENT = {"observedGeneration": 1, "conditions": [FAILED], "failure": "DependencyFailed"}


def shown(
    status: dict[str, Any] | None = None,
    dependencies: Dependencies | None = None,
    observed: Observed | None = None,
) -> KindStatus:
    """Without `dependencies` a gate has ended the turn before anything was desired."""
    resource = job(status=status or {})
    wanted = None
    if dependencies is not None:
        wanted = replace(desired(resource), dependencies=dependencies)
    seen: Seen[Desired, Observed, Action] = Seen(
        desired=wanted,
        observed=observed,
        plan=None,
        findings=(),
        scope=SCOPE,
        recorded=None,
        now=NOW.plus(9),
    )
    return job_status(resource, seen)


def test_it_fails_with_a_time_of_its_own_that_stays():
    first = shown(dependencies=Dependencies(failure=WORDS))
    assert (first.verdict.situation, first.verdict.reason) == (
        Situation.FAILED,
        "DependencyFailed",
    )
    assert first.fields["completionTime"] == NOW.plus(9).rfc3339()
    before = UNSENT | {"completionTime": NOW.rfc3339()}
    again = shown(before, Dependencies(failure=WORDS))
    assert again.fields["completionTime"] == NOW.rfc3339()


def test_it_stays_failed_while_a_gate_keeps_it_from_looking_and_no_longer():
    held = shown(UNSENT)
    assert (held.verdict.situation, held.verdict.message) == (Situation.FAILED, WORDS)
    goes_on = shown(UNSENT, Dependencies())
    assert goes_on.verdict.situation is Situation.WORKING
    assert not {"failure", "completionTime"} & goes_on.fields.keys()


def test_it_is_not_over_as_one_is_that_has_run():
    assert not job_is_over(job(status=UNSENT))
    record = first_submission()
    ran = job(submission=record, job_id="job-1")
    assert job_is_over(replace(ran, status={**ran.status, **UNSENT}))


def test_an_attempt_that_may_still_come_to_light_is_no_failure():
    settling = Observed(Knowledge.SETTLING, first_submission())
    working = shown(dependencies=Dependencies(failure=WORDS), observed=settling)
    assert working.verdict.situation is Situation.WORKING


def test_aws_says_that_some_job_has_failed_and_the_status_says_which_it_may_be():
    ended = known("FAILED", statusReason="Dependent Job failed")
    ended = replace(ended, output=Output(lines=()))
    for names, told in (
        (("prepare",), "The job that has failed is BatchJob prepare."),
        (("prepare", "mesh"), "The job that has failed is one of the BatchJobs prepare, mesh."),
        ((), ""),
    ):
        verdict = shown(dependencies=Dependencies(open=names), observed=ended).verdict
        assert verdict.reason == "DependencyFailed"
        assert verdict.message.endswith(told or "run both again.")
    other = replace(known("FAILED", statusReason="Host EC2 terminated"), output=Output(lines=()))
    message = shown(dependencies=Dependencies(open=("prepare",)), observed=other).verdict.message
    assert "prepare" not in message
