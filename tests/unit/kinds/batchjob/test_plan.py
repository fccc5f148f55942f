from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import (
    DEFINITION_ARN,
    NOW,
    OWNER,
    QUEUE_ARN,
    desired,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.api.findings import Severity
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.batchjob.actions import Action, Submit, Terminate
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Output, Sweep
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.submitting import DAY, TRACEABLE_SECONDS
from awsbatch_operator.kinds.contract import Removal

RECORDED = ScopeRecord("", "111122223333", "eu-central-1", "")
REMOVAL = Removal(OWNER, RECORDED)


def unseen(knowledge: Knowledge, submission: Submission | None = None, **details) -> Observed:
    """A look that found no job."""
    return Observed(knowledge, submission or first_submission(), **details)


def stopped(action: Action) -> str:
    assert isinstance(action, Terminate)
    return action.job_id


def test_a_new_job_is_submitted_once_with_its_intent_recorded_before():
    plan = plan_job(desired(job()), None, NOW)
    (action,) = plan.actions
    assert isinstance(action, Submit)
    submission = recorded(plan)
    assert plan.steps[0].record == submission.annotation()
    assert (submission.uid, submission.run, submission.attempt) == ("uid-1", 1, 1)
    assert (submission.queue, submission.definition) == (QUEUE_ARN, DEFINITION_ARN)
    assert action.request["jobName"] == submission.job_name
    assert action.request["containerOverrides"] == {"command": ["df", "-h"]}
    assert action.request["tags"]["awsbatch.dev/owner-uid"] == "uid-1"
    assert action.request["tags"]["awsbatch.dev/run"] == "1"


def test_nothing_is_sent_while_an_unknown_outcome_settles():
    resource = job(submission=first_submission())
    observed = unseen(Knowledge.SETTLING, settled_at=NOW.plus(42))
    plan = plan_job(desired(resource), observed, NOW)
    assert plan.actions == ()
    assert plan.findings[0].severity is Severity.WAIT
    assert plan.findings[0].again == 42


def test_a_job_that_is_listed_and_not_described_is_looked_at_again_soon():
    plan = plan_job(desired(job()), unseen(Knowledge.SETTLING), NOW)
    assert plan.actions == ()
    assert 0 < plan.findings[0].again <= 10


def test_an_absent_submission_is_repeated_as_recorded_and_counts_as_another_attempt():
    submission = first_submission()
    later = NOW.plus(100)
    plan = plan_job(desired(job(submission=submission)), unseen(Knowledge.ABSENT), later)
    repeated = recorded(plan)
    assert (repeated.run, repeated.attempt, repeated.time) == (1, 2, later)
    assert repeated.job_name == submission.job_name


def test_a_refused_submission_is_repeated_without_another_write():
    submission = first_submission()
    plan = plan_job(desired(job(submission=submission)), unseen(Knowledge.REFUSED), NOW.plus(9))
    assert plan.steps[0].record == submission.annotation()
    assert isinstance(plan.actions[0], Submit)


def test_a_submission_refused_for_weeks_is_written_down_anew_once_a_day():
    submission = first_submission()
    day = NOW.plus(DAY + 1)
    plan = plan_job(desired(job()), unseen(Knowledge.REFUSED, submission), day)
    assert recorded(plan) == replace(submission, time=day)


def by_name():
    """What a job wants that names its definition: another revision of it is the same one."""
    return replace(desired(job()), definition_name="simulate")


def test_a_refused_submission_is_sent_with_the_definition_as_it_is_now():
    """The revision that it was recorded with may have been deregistered meanwhile."""
    older = replace(first_submission(), definition=DEFINITION_ARN.replace(":3", ":2"))
    plan = plan_job(by_name(), unseen(Knowledge.REFUSED, older), NOW.plus(9))
    following = recorded(plan)
    assert (following.run, following.definition) == (1, DEFINITION_ARN)


def test_an_absent_submission_of_another_definition_is_closed():
    other = replace(first_submission(), definition=DEFINITION_ARN.replace("simulate", "analyse"))
    plan = plan_job(desired(job()), unseen(Knowledge.ABSENT, other), NOW.plus(100))
    assert recorded(plan).run == 2


def test_an_absent_submission_keeps_its_revision():
    older = replace(first_submission(), definition=DEFINITION_ARN.replace(":3", ":2"))
    plan = plan_job(by_name(), unseen(Knowledge.ABSENT, older), NOW.plus(100))
    following = recorded(plan)
    assert (following.run, following.definition) == (1, older.definition)


def test_a_submission_whose_queue_aws_no_longer_has_is_never_sent_again():
    observed = unseen(Knowledge.UNTRACEABLE)
    plan = plan_job(desired(job()), observed, NOW.plus(100))
    assert (plan.actions, plan.findings[0].reason.name) == ((), "SubmissionUnknown")
    assert plan_removal(REMOVAL, observed, NOW.plus(100)).released


@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.REFUSED])
def test_a_changed_request_closes_the_absent_attempt_and_begins_a_new_run(knowledge):
    submission = first_submission()
    changed = {**job().spec, "parameters": {"year": "1979"}}
    resource = job(submission=submission, spec=changed)
    plan = plan_job(desired(resource), unseen(knowledge), NOW.plus(100))
    following = recorded(plan)
    assert (following.run, following.attempt) == (2, 1)
    assert following.job_name != submission.job_name


def test_an_intent_that_aws_may_have_forgotten_is_never_submitted_again():
    resource = job(submission=first_submission())
    plan = plan_job(desired(resource), unseen(Knowledge.ABSENT), NOW.plus(TRACEABLE_SECONDS + 1))
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
    assert (plan.actions, plan.record) == ((), {})


@pytest.mark.parametrize(
    ("state", "age", "look"),
    [("PENDING", 10, 50), ("RUNNABLE", 61, None), ("RUNNING", 10, None)],
)
def test_a_passing_state_is_looked_at_again_when_it_is_worth_showing(state, age, look):
    """Everything else the feed tells."""
    assert plan_job(desired(job()), known(state), NOW.plus(age)).look_again_seconds == look


def test_output_that_cannot_be_read_is_told_once_it_is_given_up():
    trying = replace(known("SUCCEEDED"), output=Output(trouble="GetLogEvents: no"))
    plan = plan_job(desired(job()), trying, NOW)
    assert (plan.findings, plan.look_again_seconds) == ((), 1)
    over = replace(trying, output=Output((), trouble="GetLogEvents: no"))
    given_up = plan_job(desired(job()), over, NOW)
    assert [finding.reason.name for finding in given_up.findings] == ["LogsUnreadable"]
    assert given_up.look_again_seconds is None
    read = replace(known("SUCCEEDED"), output=Output(("done",)))
    assert plan_job(desired(job()), read, NOW).findings == ()


def test_output_that_waits_for_its_turn_is_read_then():
    waiting = replace(known("SUCCEEDED"), output=Output(due=NOW.plus(7)))
    assert plan_job(desired(job()), waiting, NOW).look_again_seconds == 7
    assert plan_job(desired(job()), waiting, NOW.plus(8)).look_again_seconds == 0


def test_output_that_others_are_read_before_costs_no_event():
    skipped = replace(known("SUCCEEDED"), output=Output((), skipped=True))
    assert plan_job(desired(job()), skipped, NOW).findings == ()


def test_a_forgotten_job_is_not_submitted_again():
    resource = job(submission=first_submission(), job_id="job-1")
    plan = plan_job(desired(resource), unseen(Knowledge.FORGOTTEN), NOW.plus(600))
    assert plan.actions == ()
    assert plan.findings[0].reason.name == "JobNotFound"


def test_a_job_that_aws_does_not_show_yet_is_waited_for():
    resource = job(submission=first_submission(), job_id="job-1")
    plan = plan_job(desired(resource), unseen(Knowledge.FORGOTTEN), NOW.plus(3))
    assert (plan.actions, plan.findings) == ((), ())
    assert plan.look_again_seconds


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
@pytest.mark.parametrize(("swept", "after"), [(0, 360), (1, 720), (2, None)])
def test_a_twin_is_looked_for_six_and_twelve_minutes_after_a_repeat(state, swept, after):
    submission = replace(first_submission().repeated(NOW), swept=swept)
    observed = replace(known(state, of=submission), output=Output(()))
    plan = plan_job(desired(job()), observed, NOW.plus(100))
    assert plan.look_again_seconds == (after and after - 100)
    late = plan_job(desired(job()), observed, NOW.plus(1000))
    assert late.look_again_seconds == (after and 5)


@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.REFUSED])
def test_an_edited_intent_submits_nowhere_but_where_the_spec_leads(knowledge):
    forged = replace(first_submission(), queue=QUEUE_ARN.replace("main", "of-another-team"))
    observed = unseen(knowledge, forged)
    plan = plan_job(desired(job(submission=forged)), observed, NOW.plus(100))
    (action,) = plan.actions
    assert isinstance(action, Submit)
    assert action.request["jobQueue"] == QUEUE_ARN
    assert action.submission.run == 2


@pytest.mark.parametrize("missing", ["queue", "definition"])
@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.REFUSED])
def test_a_submission_whose_targets_are_gone_waits_instead_of_guessing(missing, knowledge):
    gone: dict[str, Any] = {missing: ""}
    wanting = replace(desired(job()), **gone)
    plan = plan_job(wanting, unseen(knowledge), NOW.plus(100))
    assert plan.actions == ()
    assert plan.findings[0].reason.name == "ReferenceNotFound"


def test_deletion_terminates_a_running_job_and_waits_for_its_end():
    plan = plan_removal(REMOVAL, known("RUNNING"), NOW)
    assert [type(action) for action in plan.actions] == [Terminate]
    assert not plan.released
    stopping = plan_removal(REMOVAL, known("RUNNING", isTerminated=True), NOW)
    assert stopping.actions == ()
    assert not stopping.released
    assert plan_removal(REMOVAL, known("FAILED"), NOW).released


def test_a_cancelled_job_that_still_waits_for_its_dependencies_counts_as_gone():
    plan = plan_removal(REMOVAL, known("PENDING", isCancelled=True), NOW)
    assert plan.released
    waiting = plan_removal(REMOVAL, known("PENDING"), NOW)
    assert [stopped(action) for action in waiting.actions] == ["job-1"]
    assert not waiting.released


def test_deletion_with_an_unknown_outcome_waits_for_the_look_up():
    settling = unseen(Knowledge.SETTLING, settled_at=NOW.plus(30))
    plan = plan_removal(REMOVAL, settling, NOW)
    assert (plan.released, plan.actions) == (False, ())
    assert plan_removal(REMOVAL, unseen(Knowledge.ABSENT), NOW).released


def test_a_job_just_submitted_and_not_visible_yet_is_terminated_by_its_id():
    observed = unseen(Knowledge.FORGOTTEN, detail={"jobId": "job-1"})
    fresh = plan_removal(REMOVAL, observed, NOW.plus(3))
    assert [stopped(action) for action in fresh.actions] == ["job-1"]
    assert not fresh.released
    assert plan_removal(REMOVAL, observed, NOW.plus(600)).released


def test_how_fresh_a_job_is_counts_from_when_it_was_sent_not_from_when_it_was_recorded():
    sent_late = unseen(Knowledge.FORGOTTEN, sent=NOW.plus(598), detail={"jobId": "job-1"})
    assert not plan_removal(REMOVAL, sent_late, NOW.plus(600)).released
    assert plan_job(desired(job()), sent_late, NOW.plus(600)).findings == ()


def test_an_object_that_never_had_an_intent_is_let_go():
    plan = plan_removal(REMOVAL, None, NOW)
    assert (plan.released, plan.actions) == (True, ())


def test_a_finished_job_is_let_go_when_no_twin_of_it_is_left():
    over = unseen(Knowledge.CONCLUDED, detail={"jobId": "job-1"})
    assert plan_removal(REMOVAL, over, NOW).released
    twin = replace(over, sweeps=(Sweep(1, "job-1", alive=("job-2",)),))
    plan = plan_removal(REMOVAL, twin, NOW)
    assert [stopped(action) for action in plan.actions] == ["job-2"]
    assert not plan.released
