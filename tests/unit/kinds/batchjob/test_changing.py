"""What comes before the end of a job at work that a change is to take the place of."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.inlines import (
    CONTENT,
    OTHER,
    arn,
    definitions,
    place,
)
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    OWNER,
    QUEUE_ARN,
    SCOPE,
    TARGETS,
    ended_jobs,
    first_submission,
    job,
    known,
)

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.job_reasons import JOB_SUBMITTING
from awsbatch_operator.api.metadata import DEFINITIONS, SUBMISSION
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import inline
from awsbatch_operator.kinds.batchjob.actions import Register
from awsbatch_operator.kinds.batchjob.inline_plans import registered_first
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import submission_of
from awsbatch_operator.kinds.batchjob.resolving import desired_job
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS, Stop, stop_said
from awsbatch_operator.kinds.batchjob.sending import Looks, has_submission

ON_CHANGE = {"jobQueueRef": {"arn": QUEUE_ARN}, "rerunPolicy": "OnChange"}
AT_WORK = replace(first_submission(), definition=arn(revision=":1"))


def changed(content=OTHER, **annotations):
    made = job(submission=AT_WORK, job_id="job-1", spec={**ON_CHANGE, "jobDefinition": content})
    return replace(made, annotations={**made.annotations, **annotations})


def plan(resource, known_definitions):
    wanted = desired_job(resource, TARGETS, OWNER)

    def way(plan):
        return registered_first(plan, wanted, known_definitions)

    return plan_job(wanted, known("RUNNING", of=AT_WORK), NOW, way)


async def test_the_definition_of_a_change_is_registered_while_the_job_before_is_at_work():
    registry, batch = definitions()
    wanted = desired_job(changed(), TARGETS, OWNER)
    assert wanted.inline is not None
    await registry.learn(SCOPE, wanted.inline, fresh=True)
    made = plan(changed(), registry)
    (step,) = made.steps
    assert isinstance(step.action, Register)
    assert step.action.submission is None, "no run is recorded, and none must be taken for sent"
    assert step.because == "Run 1 goes on as it was submitted."
    assert (SUBMISSION in step.record, arn(OTHER) in step.record[DEFINITIONS]) == (False, True)
    await registry.register(step.action, SCOPE)
    after = plan(changed(**step.record), registry)
    assert ended_jobs(after) == ["job-1"]
    assert batch.sent == ["RegisterJobDefinition"]


def test_nothing_is_ended_while_the_way_of_a_submission_is_not_free():
    why = Finding(JOB_SUBMITTING, "Not now.")

    def shut(plan):
        return Plan(findings=(why,)) if has_submission(plan) else plan

    wanted = desired_job(changed(), TARGETS, OWNER)
    made = plan_job(wanted, known("RUNNING", of=AT_WORK), NOW, shut)
    assert not made.steps
    assert [each.message for each in made.findings] == [
        "Not now. Run 1 goes on as it was submitted."
    ]


@pytest.mark.parametrize(
    ("resource", "kept"),
    [
        (changed(), False),
        (changed(**inline.ahead_of_its_run((), arn(OTHER))), True),
        (changed(CONTENT, **inline.ahead_of_its_run((), arn(OTHER))), False),
        (replace(changed(**inline.ahead_of_its_run((), arn(OTHER))), deleting=True), False),
    ],
)
def test_a_definition_is_kept_for_the_run_that_is_to_have_it(resource, kept):
    own = replace(resource, key=resource.key._replace(namespace="climate"))
    assert inline.needs(own, place(OTHER), "test") is kept
    assert not inline.needs(own, place(OTHER), "another cluster")


def test_a_submission_goes_out_only_in_a_turn_that_has_looked_and_the_next_one_looks():
    looks, key = Looks(), OWNER.key
    submitting = plan_job(desired_job(job(), TARGETS, OWNER), None, NOW)
    assert not looks.needed(key, guessed=False)
    assert not has_submission(looks.passed(submitting, key))
    assert looks.needed(key, guessed=False), "a turn whose guess was wrong is made up for"
    looks.done(key)
    assert looks.passed(submitting, key) is submitting
    assert looks.needed(key, guessed=False), "each look of the turn that sends it"
    looks.done(key)
    looks.sent(key)
    assert not looks.needed(key, guessed=False)
    assert not has_submission(looks.passed(submitting, key))


@pytest.mark.parametrize(
    ("words", "stop"),
    [
        (STOP_REASONS[Stop.SUSPENDED], Stop.SUSPENDED),
        (STOP_REASONS[Stop.CHANGED], Stop.CHANGED),
        (STOP_REASONS[Stop.DEADLINE], Stop.DEADLINE),
        ("Dependent Job failed", Stop.DEPENDENCY),
    ],
)
def test_a_lost_record_is_made_up_for_by_what_aws_keeps_of_our_reason(words, stop):
    made = job(submission=first_submission(), job_id="job-1", annotations={})
    ended = {**made.status, "awsStatus": "FAILED", "statusReason": words}
    found = submission_of(replace(made, status=ended))
    assert found is not None
    assert found.stop is stop
    failed = submission_of(replace(made, status={**ended, "failure": "Cancelled"}))
    assert failed is not None
    assert failed.stop is None


def test_all_that_we_say_of_an_ended_job_is_told_apart():
    assert [stop_said(words) for words in STOP_REASONS.values()] == list(STOP_REASONS)
    assert stop_said("enough") is None
