from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import (
    DEFINITION_ARN,
    NOW,
    OWNER,
    QUEUE_ARN,
    desired,
    job,
    known,
)

from awsbatch_operator.api.findings import Severity
from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.references import Need
from awsbatch_operator.api.scope import Recorded
from awsbatch_operator.kinds.batchjob.desired import needed_references
from awsbatch_operator.kinds.batchjob.kind import job_is_over
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import (
    TRACEABLE_SECONDS,
    Action,
    Submit,
    Terminate,
    plan_job,
    plan_removal,
)
from awsbatch_operator.kinds.batchjob.submission import Submission, submission_of
from awsbatch_operator.kinds.contract import Removal

RECORDED = Recorded("", "111122223333", "eu-central-1", "")


def first_submission() -> Submission:
    plan = plan_job(desired(job()), None, NOW)
    return Submission.from_json(plan.intent[SUBMISSION])


def removal(submission: Submission, job_id: str | None = "job-1") -> Removal:
    return Removal(
        OWNER, RECORDED, retain=False, options={"submission": submission, "job_id": job_id}
    )


def stopped(action: Action) -> str:
    assert isinstance(action, Terminate)
    return action.job_id


def test_a_new_job_is_submitted_once_with_its_intent_recorded_before():
    plan = plan_job(desired(job()), None, NOW)
    (action,) = plan.actions
    assert isinstance(action, Submit)
    submission = Submission.from_json(plan.intent[SUBMISSION])
    assert (submission.uid, submission.run, submission.attempt) == ("uid-1", 1, 1)
    assert (submission.queue, submission.definition) == (QUEUE_ARN, DEFINITION_ARN)
    assert action.request["jobName"] == submission.job_name
    assert action.request["containerOverrides"] == {"command": ["df", "-h"]}
    assert action.request["tags"]["awsbatch.dev/owner-uid"] == "uid-1"
    assert action.request["tags"]["awsbatch.dev/run"] == "1"


def test_the_intent_survives_its_way_through_the_annotation():
    submission = first_submission()
    assert submission_of(job(submission=submission)) == submission


def test_an_intent_of_another_uid_says_nothing_about_this_object():
    foreign = replace(first_submission(), uid="uid-of-a-restored-manifest")
    resource = job(submission=foreign)
    assert submission_of(resource) is None
    assert isinstance(plan_job(desired(resource), None, NOW).actions[0], Submit)


def test_a_damaged_intent_is_refused_and_never_guessed():
    with pytest.raises(ValueError, match="cannot be read"):
        submission_of(job(annotations={SUBMISSION: '{"uid": "uid-1"}'}))


def test_nothing_is_sent_while_an_unknown_outcome_settles():
    resource = job(submission=first_submission())
    observed = Observed(Knowledge.SETTLING, settled_at=NOW.plus(42))
    plan = plan_job(desired(resource), observed, NOW)
    assert plan.actions == ()
    assert plan.findings[0].severity is Severity.WAIT
    assert plan.findings[0].again == 42


def test_an_absent_submission_is_repeated_as_recorded_and_counts_as_another_attempt():
    submission = first_submission()
    later = NOW.plus(100)
    plan = plan_job(desired(job(submission=submission)), Observed(Knowledge.ABSENT), later)
    repeated = Submission.from_json(plan.intent[SUBMISSION])
    assert (repeated.run, repeated.attempt, repeated.time) == (1, 2, later)
    assert repeated.job_name == submission.job_name


def test_a_refused_submission_is_repeated_without_another_write():
    submission = first_submission()
    plan = plan_job(desired(job(submission=submission)), Observed(Knowledge.REFUSED), NOW.plus(9))
    assert plan.intent == submission.annotation()
    assert isinstance(plan.actions[0], Submit)


@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.REFUSED])
def test_a_changed_request_closes_the_absent_attempt_and_begins_a_new_run(knowledge):
    submission = first_submission()
    changed = {**job().spec, "parameters": {"year": "1979"}}
    resource = job(submission=submission, spec=changed)
    plan = plan_job(desired(resource), Observed(knowledge), NOW.plus(100))
    following = Submission.from_json(plan.intent[SUBMISSION])
    assert (following.run, following.attempt) == (2, 1)
    assert following.job_name != submission.job_name


def test_an_intent_that_aws_may_have_forgotten_is_never_submitted_again():
    resource = job(submission=first_submission())
    plan = plan_job(desired(resource), Observed(Knowledge.ABSENT), NOW.plus(TRACEABLE_SECONDS + 1))
    assert plan.actions == ()
    assert plan.findings[0].reason.name == "SubmissionUnknown"
    assert plan.findings[0].severity is Severity.STALL


@given(
    state=st.sampled_from(["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"]),
    age=st.floats(0, 1e7),
)
def test_a_known_job_is_never_submitted_again(state, age):
    resource = job(submission=first_submission(), job_id="job-1")
    plan = plan_job(desired(resource), known(state), NOW.plus(age))
    assert plan.actions == ()


def test_a_forgotten_job_is_not_submitted_again():
    resource = job(submission=first_submission(), job_id="job-1")
    plan = plan_job(desired(resource), Observed(Knowledge.FORGOTTEN), NOW.plus(600))
    assert plan.actions == ()
    assert plan.findings[0].reason.name == "JobNotFound"


def test_a_job_that_aws_does_not_show_yet_is_waited_for():
    resource = job(submission=first_submission(), job_id="job-1")
    plan = plan_job(desired(resource), Observed(Knowledge.FORGOTTEN), NOW.plus(3))
    assert (plan.actions, plan.findings) == ((), ())
    assert plan.look_again_seconds


def test_a_twin_of_a_repeated_submission_is_terminated_and_the_sweep_is_counted():
    submission = first_submission().repeated(NOW)
    observed = replace(known("RUNNING"), twins=("job-2",), swept=True)
    plan = plan_job(desired(job(submission=submission, job_id="job-1")), observed, NOW)
    assert [stopped(action) for action in plan.actions] == ["job-2"]
    assert Submission.from_json(plan.intent[SUBMISSION]).swept == 1


def test_an_ended_job_is_not_over_until_both_sweeps_for_twins_are_done():
    ended = {
        "observedGeneration": 1,
        "conditions": [{"type": "Complete", "status": "True"}],
        "run": 1,
        "jobId": "job-1",
    }
    first = first_submission()
    assert job_is_over(job(submission=first, status=ended))
    repeated = first.repeated(NOW)
    assert not job_is_over(job(submission=repeated, status=ended))
    swept = repeated.after_sweep().after_sweep()
    assert job_is_over(job(submission=swept, status=ended))


def test_references_are_not_needed_once_the_submission_is_recorded():
    spec = {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}}
    assert {r.target.kind for r in needed_references(job(spec=spec))} == {
        "JobQueue",
        "JobDefinition",
    }
    hashed = Submission.from_json(plan_job(desired(job(spec=spec)), None, NOW).intent[SUBMISSION])
    assert {r.need for r in needed_references(job(spec=spec, submission=hashed))} == {Need.OPTIONAL}


@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.REFUSED])
def test_an_edited_intent_submits_nowhere_but_where_the_spec_leads(knowledge):
    forged = replace(first_submission(), queue=QUEUE_ARN.replace("main", "of-another-team"))
    plan = plan_job(desired(job(submission=forged)), Observed(knowledge), NOW.plus(100))
    (action,) = plan.actions
    assert isinstance(action, Submit)
    assert action.request["jobQueue"] == QUEUE_ARN
    assert action.run == 2


def test_an_absent_submission_whose_queue_is_gone_waits_instead_of_guessing():
    resource = job(submission=first_submission())
    wanting = replace(desired(resource), queue="")
    plan = plan_job(wanting, Observed(Knowledge.ABSENT), NOW.plus(100))
    assert plan.actions == ()
    assert plan.findings[0].reason.name == "ReferenceNotFound"


def test_deletion_terminates_a_running_job_and_waits_for_its_end():
    submission = first_submission()
    plan = plan_removal(removal(submission), known("RUNNING"), NOW)
    assert [type(action) for action in plan.actions] == [Terminate]
    assert not plan.released
    stopping = plan_removal(removal(submission), known("RUNNING", isTerminated=True), NOW)
    assert stopping.actions == ()
    assert not stopping.released
    assert plan_removal(removal(submission), known("FAILED"), NOW).released


def test_a_cancelled_job_that_still_waits_for_its_dependencies_counts_as_gone():
    plan = plan_removal(removal(first_submission()), known("PENDING", isCancelled=True), NOW)
    assert plan.released


def test_deletion_with_an_unknown_outcome_waits_for_the_look_up():
    submission = first_submission()
    settling = Observed(Knowledge.SETTLING, settled_at=NOW.plus(30))
    plan = plan_removal(removal(submission, None), settling, NOW)
    assert (plan.released, plan.actions) == (False, ())
    assert plan_removal(removal(submission, None), Observed(Knowledge.ABSENT), NOW).released


def test_a_job_just_submitted_and_not_visible_yet_is_terminated_by_its_id():
    submission = first_submission()
    fresh = plan_removal(removal(submission), Observed(Knowledge.FORGOTTEN), NOW.plus(3))
    assert [stopped(action) for action in fresh.actions] == ["job-1"]
    assert not fresh.released
    old = plan_removal(removal(submission), Observed(Knowledge.FORGOTTEN), NOW.plus(600))
    assert old.released


def test_a_retained_job_is_let_go_untouched():
    kept = replace(removal(first_submission()), retain=True)
    plan = plan_removal(kept, known("RUNNING"), NOW)
    assert (plan.released, plan.actions) == (True, ())
