"""AWS's words on a job that waits in RUNNABLE."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, desired, first_submission, job, known

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Seen
from awsbatch_simulator.batch import blocked

CODE = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
WORDS = f"{CODE} - All compute environments have insufficient capacity to service the job."
LATER = NOW.plus(61)


def submitted(**status):
    resource = job(submission=first_submission(), job_id="job-1")
    return replace(resource, status={**resource.status, **status})


def blocked_notes(resource, observed, now=LATER):
    plan = plan_job(desired(resource), observed, now)
    return [each for each in plan.findings if each.reason is job_reasons.JOB_BLOCKED]


@pytest.mark.parametrize("code", waiting.REMEDIES)
def test_each_code_of_aws_is_told_with_what_helps(code):
    words = f"{code} - as AWS says"
    assert waiting.code_of(words) == waiting.code_of(code) == code
    [note] = blocked_notes(submitted(), known("RUNNABLE", statusReason=words))
    assert words in note.message
    assert note.remedy == waiting.REMEDIES[code]
    assert note.reason.warning


def test_every_text_of_the_simulator_has_a_code_that_is_known():
    texts = [each for each in vars(blocked).values() if isinstance(each, str) and " - " in each]
    assert len(texts) > 3
    assert {waiting.code_of(text) for text in texts} <= waiting.REMEDIES.keys()


def test_words_without_a_code_are_told_as_they_are():
    [note] = blocked_notes(submitted(), known("RUNNABLE", statusReason="Waiting for a licence"))
    assert note.message.endswith("Waiting for a licence.")
    assert note.remedy == ""


def test_the_condition_says_what_aws_says_and_what_helps():
    observed = known("RUNNABLE", statusReason=WORDS)
    resource = submitted(awsStatus="SUBMITTED")
    seen: Seen = Seen(desired(resource), observed, Plan(), (), None, None, LATER)
    verdict = job_status(resource, seen).verdict
    assert verdict.reason == "Runnable"
    assert f"AWS says: {WORDS} {waiting.REMEDIES[CODE]}" in verdict.message


def test_the_condition_stays_the_same_while_nothing_is_known_anew():
    """After a restart, and while AWS does not answer: no write for it."""
    observed = known("RUNNABLE", statusReason=WORDS + "x" * 2000)
    resource = submitted(awsStatus="SUBMITTED")
    seen: Seen = Seen(desired(resource), observed, Plan(), (), None, None, LATER)
    first = job_status(resource, seen)
    shown = replace(resource, status={**resource.status, **first.fields})
    for later in (None, replace(observed, since=LATER)):
        again = job_status(shown, replace(seen, observed=later))
        assert (again.verdict.message, again.fields) == (first.verdict.message, first.fields)


@pytest.mark.parametrize(
    ("observed", "now", "why"),
    [
        (known("RUNNABLE"), LATER, "AWS says nothing"),
        (known("RUNNABLE", statusReason=WORDS), NOW.plus(59), "not worth a write yet"),
        (known("RUNNING", statusReason=WORDS), LATER, "it runs"),
    ],
)
def test_nothing_is_told_too_early_or_too_late(observed, now, why):
    assert blocked_notes(submitted(), observed, now) == [], why


def test_a_reason_that_the_status_shows_already_is_not_told_again_in_other_words():
    shown = {"statusReasons": [{"time": "t", "awsStatus": "RUNNABLE", "reason": WORDS}]}
    other = known("RUNNABLE", statusReason=f"{CODE} - still")
    assert blocked_notes(submitted(**shown), other) == []
    another = known("RUNNABLE", statusReason="UNDETERMINED - unknown")
    assert len(blocked_notes(submitted(**shown), another)) == 1


def test_words_that_differ_in_ids_and_numbers_only_are_one_reason():
    shown = {"reason": "Job 3 of 17 waits for i-0a1b2c3d4e5f", "awsStatus": "RUNNABLE"}
    now = known("RUNNABLE", statusReason="Job 2 of 17 waits for i-0f0f0f0f0f0f")
    assert blocked_notes(submitted(statusReasons=[shown]), now) == []


def test_nothing_is_done_because_of_it():
    plan = plan_job(desired(submitted()), known("RUNNABLE", statusReason=WORDS), LATER)
    assert plan.steps == ()
