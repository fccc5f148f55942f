"""What is recorded of a submission, and what makes up for a record that was lost."""

import json
from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    OWNER,
    QUEUE_ARN,
    TARGETS,
    desired,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.api.metadata import FINALIZER, SUBMISSION, RecordError
from awsbatch_operator.api.references import Need
from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.over import damaged_record, job_is_over
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import is_lost, recorded_job_id, submission_of
from awsbatch_operator.kinds.batchjob.resolving import desired_job, needed_references

WRITTEN = json.loads(first_submission().annotation()[SUBMISSION])
DAMAGED = [
    "no JSON",
    "[]",
    "[" * 100_000,
    '{"uid": "uid-1"}',
    '{"uid": "uid-1", "run": 1e999}',
    json.dumps(WRITTEN | {"run": 0}),
    json.dumps(WRITTEN | {"attempt": 0}),
    json.dumps(WRITTEN | {"swept": -1}),
    json.dumps(WRITTEN | {"time": "yesterday"}),
]


def test_the_intent_survives_its_way_through_the_annotation():
    submission = first_submission()
    assert submission_of(job(submission=submission)) == submission


def test_an_intent_of_another_uid_says_nothing_about_this_object():
    foreign = replace(first_submission(), uid="uid-of-a-restored-manifest")
    resource = job(submission=foreign)
    assert submission_of(resource) is None
    assert isinstance(plan_job(desired(resource), None, NOW).actions[0], Submit)


def test_a_record_that_was_taken_away_before_any_status_is_written_anew_and_looked_up_first():
    """A process may have died right after SubmitJob, and `kubectl replace` took the record away."""
    resource = replace(job(), finalizers=(FINALIZER,))
    plan = plan_job(desired(resource), None, NOW)
    assert not plan.steps
    submission = recorded(plan)
    assert submission == first_submission()
    found = plan_job(desired(resource), Observed(Knowledge.SETTLING, submission), NOW)
    assert not found.steps


@pytest.mark.parametrize("text", [None, *DAMAGED], ids=range(len(DAMAGED) + 1))
def test_a_status_that_names_the_job_makes_up_for_a_lost_or_damaged_intent(text):
    resource = job(submission=first_submission(), job_id="job-1")
    changed = replace(resource, annotations={} if text is None else {SUBMISSION: text})
    submission = submission_of(changed)
    assert submission is not None
    assert submission.job_name == first_submission().job_name
    assert is_lost(changed)
    for observed in (known("RUNNING", of=submission), Observed(Knowledge.SETTLING, submission)):
        lost = replace(observed, lost=True)
        assert plan_job(desired(changed), lost, NOW).record == submission.annotation()


def test_a_status_that_names_the_job_counts_more_than_the_intent_of_another_object():
    foreign = replace(first_submission(), uid="uid-of-a-copied-manifest")
    resource = job(submission=first_submission(), job_id="job-1")
    changed = replace(resource, annotations=foreign.annotation())
    submission = submission_of(changed)
    assert submission is not None
    assert submission.uid == "uid-1"
    assert not is_lost(changed)


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_intent_that_nothing_makes_up_for_is_refused(text):
    with pytest.raises(RecordError, match="cannot be read"):
        submission_of(job(annotations={SUBMISSION: text}))
    refused = damaged_record(job(annotations={SUBMISSION: text}))
    assert [finding.reason.name for finding in refused] == ["InvalidRecord"]


def test_the_end_of_a_job_stands_whatever_becomes_of_its_intent():
    ended = {"observedGeneration": 1, "conditions": [{"type": "Failed", "status": "True"}]}
    for text in DAMAGED:
        assert job_is_over(job(annotations={SUBMISSION: text}, status=ended))


@pytest.mark.parametrize(
    ("name", "status", "ended"),
    [
        ("Complete", "True", True),
        ("Failed", "True", True),
        ("Failed", "False", False),
        ("Stalled", "True", False),
    ],
)
def test_only_complete_or_failed_is_an_end(name, status, ended):
    shown = {"observedGeneration": 1, "conditions": [{"type": name, "status": status}]}
    assert job_is_over(job(status=shown)) is ended


def test_the_job_id_in_the_status_is_that_of_the_run_beside_it():
    first = first_submission()
    resource = job(submission=first, job_id="job-1")
    assert recorded_job_id(resource, first) == "job-1"
    assert recorded_job_id(resource, replace(first, run=2)) is None
    assert recorded_job_id(resource, None) is None
    assert recorded_job_id(replace(resource, status={"run": 1}), first) is None


def test_a_finished_job_that_is_being_deleted_has_nothing_left_in_aws():
    ended = {"observedGeneration": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    assert job_is_over(job(status=ended, deleting=True, generation=2))
    assert not job_is_over(job(status=ended, generation=2))


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
    swept = repeated.after_sweep(1).after_sweep(1)
    assert job_is_over(job(submission=swept, status=ended))


def test_references_are_not_needed_once_the_submission_is_recorded():
    spec = {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}}
    assert {r.target.kind for r in needed_references(job(spec=spec))} == {
        "JobQueue",
        "JobDefinition",
    }
    hashed = recorded(plan_job(desired(job(spec=spec)), None, NOW))
    assert {r.need for r in needed_references(job(spec=spec, submission=hashed))} == {Need.OWN}
    shown = job(spec=spec, submission=hashed, status={"run": 1, "jobId": "job-1"})
    assert {r.need for r in needed_references(shown)} == {Need.OPTIONAL}


@pytest.mark.parametrize(
    ("ahead", "waits"), [(-3.1, 0.0), (-1.0, 2.0), (0.0, 3.0), (5.0, 8.0), (3600.0, 0.0)]
)
def test_the_definition_is_waited_for_by_the_seconds_and_not_by_a_clock_that_is_wrong(ahead, waits):
    """After a jump back of our clock by an hour, no new job would be submitted for an hour."""
    spec = {"jobQueueRef": {"arn": QUEUE_ARN}, "jobDefinitionRef": {"name": "simulate"}}
    created = job(spec=spec, created=NOW.plus(ahead))
    wanted = desired_job(created, TARGETS, OWNER, definition_grace=2.0)
    plan = plan_job(wanted, None, NOW)
    assert [finding.again for finding in plan.findings] == ([waits] if waits else [])
    assert bool(plan.steps) is not bool(waits)
