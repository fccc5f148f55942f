"""A gate holds back what is new: which of its findings matter, and what is ended all the same."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, OWNER, ended_jobs, first_submission, known, recorded

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.batchjob.desired import FollowingJob
from awsbatch_operator.kinds.batchjob.following import plan_following
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Output, Sweep
from awsbatch_operator.kinds.batchjob.submitting import TRACEABLE_SECONDS
from awsbatch_operator.kinds.batchjob.wishes import Wishes

SUBMITTED = first_submission()
REPEATED = SUBMITTED.repeated(NOW)
LATER = NOW.plus(400)  # the first look for further jobs is due
FINDINGS = {
    reason.name: Finding(reason, "It is so.")
    for reason in (
        catalogue.INVALID_SPEC,
        catalogue.NOT_SUPPORTED_YET,
        catalogue.NOT_ALLOWED,
        catalogue.SCOPE_CHANGED,
        catalogue.REFERENCE_NOT_FOUND,
        catalogue.REFERENCE_NOT_READY,
        catalogue.REFERENCE_ELSEWHERE,
    )
}
OF_SPEC = {"InvalidSpec", "NotSupportedYet"}
OF_REFERENCES = {"ReferenceNotFound", "ReferenceNotReady", "ReferenceElsewhere"}
ENDED = replace(known("SUCCEEDED"), output=Output(lines=()))


def following(*, may_change: bool = True, request_hash: str = SUBMITTED.request_hash):
    return FollowingJob(
        owner=OWNER,
        findings=tuple(FINDINGS.values()),
        may_change=may_change,
        codes_shown=frozenset(),
        wishes=Wishes(request_hash),
    )


@pytest.mark.parametrize(
    ("observed", "kept"),
    [
        (None, set(FINDINGS)),
        (Observed(Knowledge.REFUSED, SUBMITTED), set(FINDINGS)),
        (Observed(Knowledge.SETTLING, SUBMITTED), set(FINDINGS)),
        (Observed(Knowledge.ABSENT, SUBMITTED), set(FINDINGS)),
        (Observed(Knowledge.UNTRACEABLE, SUBMITTED), set(FINDINGS)),
        (Observed(Knowledge.ELSEWHERE, SUBMITTED), set(FINDINGS)),
        (known("RUNNING"), set(FINDINGS) - OF_REFERENCES),
        (known("SUCCEEDED"), set(FINDINGS) - OF_REFERENCES),  # its output is still to be read
        (ENDED, OF_SPEC),
        (Observed(Knowledge.CONCLUDED, SUBMITTED, detail={"jobId": "a"}), OF_SPEC),
        (
            Observed(Knowledge.FORGOTTEN, SUBMITTED, detail={"jobId": "a"}),
            set(FINDINGS) - OF_REFERENCES,
        ),
    ],
)
def test_of_the_gates_findings_those_are_kept_that_matter_to_what_aws_has(observed, kept):
    plan = plan_following(following(), observed, NOW)
    assert plan.steps == ()
    told = {each.reason.name for each in plan.findings if "It is so." in each.message}
    assert told == kept


def test_an_end_of_another_request_than_todays_is_not_held_against_todays_spec():
    plan = plan_following(following(request_hash="another"), ENDED, NOW)
    assert [each.reason for each in plan.findings] == [job_reasons.CHANGE_NOT_RUN]


def test_what_aws_may_have_forgotten_is_told_behind_a_gate_as_well():
    absent = Observed(Knowledge.ABSENT, SUBMITTED)
    plan = plan_following(following(), absent, SUBMITTED.time.plus(TRACEABLE_SECONDS + 1))
    assert job_reasons.SUBMISSION_UNKNOWN in {each.reason for each in plan.findings}


@pytest.mark.parametrize("may_change", [True, False])
def test_a_second_job_of_a_run_is_ended_behind_a_gate_unless_nothing_may_be_changed(may_change):
    sweep = Sweep(run=1, counts="job-1", alive=("job-2",))
    observed = replace(known("RUNNING", of=REPEATED), sweeps=(sweep,))
    sweep = replace(sweep, counts=observed.job_id)
    plan = plan_following(
        following(may_change=may_change), replace(observed, sweeps=(sweep,)), LATER
    )
    assert ended_jobs(plan) == (["job-2"] if may_change else [])
    assert recorded(plan).counts == observed.job_id
    assert (plan.look_again_seconds or 0) >= (5 if may_change else 300)
