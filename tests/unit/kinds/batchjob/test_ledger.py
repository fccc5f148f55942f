"""Every run that AWS may still hold stays in the record until it is known to be over."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    OWNER,
    QUEUE_ARN,
    desired,
    ended_jobs,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Sweep
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import submission_of
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.submission import EARLIER_KEPT, Submission
from awsbatch_operator.kinds.batchjob.submitting import TRACEABLE_SECONDS
from awsbatch_operator.kinds.contract import Removal

REMOVAL = Removal(OWNER, ScopeRecord("", "111122223333", "eu-central-1", ""))
FIRST = first_submission()
CHANGED = job(spec={**job().spec, "parameters": {"year": "1979"}})
CLOSED_AT = NOW.plus(100)


def second() -> Submission:
    """The record after run 1, of unknown outcome and absent, was closed for a changed request."""
    return recorded(plan_job(desired(CHANGED), Observed(Knowledge.ABSENT, FIRST), CLOSED_AT))


def looked(record: Submission, **sweep: Any) -> Observed:
    """Run 2 runs, and run 1 was looked for."""
    return replace(known("RUNNING", of=record, jobId="job-2"), sweeps=(Sweep(1, "", **sweep),))


def test_a_closed_run_of_unknown_outcome_stays_in_the_record():
    (first,) = second().earlier
    assert (second().run, first.run, first.job_name) == (2, 1, FIRST.job_name)
    assert (first.queue, first.time) == (FIRST.queue, CLOSED_AT)


@pytest.mark.parametrize(("attempt", "kept"), [(1, 0), (2, 1)])
def test_a_run_that_aws_refused_every_time_leaves_no_trace(attempt, kept):
    refused = replace(FIRST, attempt=attempt)
    plan = plan_job(desired(CHANGED), Observed(Knowledge.REFUSED, refused), CLOSED_AT)
    assert len(recorded(plan).earlier) == kept


def test_the_record_survives_its_way_through_the_annotation():
    third = replace(FIRST, run=3, generation=4, definition_name="simulate", definition_generation=2)
    record = second().followed_by(third, is_over=False)
    assert [run.run for run in record.earlier] == [1, 2]
    read = submission_of(job(submission=record))
    assert read is not None
    assert read.annotation() == record.annotation()
    assert [run.job_name for run in read.earlier] == [run.job_name for run in record.earlier]
    assert (read.generation, read.definition_name, read.definition_generation) == (4, "simulate", 2)


def test_a_record_of_the_version_before_is_read():
    body = json.loads(FIRST.annotation()[SUBMISSION])
    for added in ("generation", "definitionName", "definitionGeneration", "earlier"):
        body.pop(added, None)
    assert Submission.from_json(json.dumps(body)) == replace(FIRST, generation=0)


def test_the_record_has_neither_the_request_nor_much_of_earlier_runs():
    secret = {"name": "TOKEN", "value": "hunter2"}
    spec = {**job().spec, "containerOverrides": {"environment": [secret]}}
    record = recorded(plan_job(desired(job(spec=spec)), None, NOW))
    for run in range(2, EARLIER_KEPT + 2):
        record = record.followed_by(replace(record, run=run, earlier=()), is_over=False)
    text = record.annotation()[SUBMISSION]
    assert "hunter2" not in text
    assert len(text) < 4096


@pytest.mark.parametrize(("swept", "after"), [(0, 360), (1, 720)])
def test_a_closed_run_is_looked_for_six_and_twelve_minutes_after_it_was_closed(swept, after):
    record = second()
    record = replace(record, earlier=(replace(record.earlier[0], swept=swept),))
    observed = known("RUNNING", of=record, jobId="job-2")
    plan = plan_job(desired(CHANGED), observed, CLOSED_AT.plus(100))
    assert plan.look_again_seconds == after - 100


def test_a_job_of_a_closed_run_that_comes_to_light_is_ended_and_told():
    plan = plan_job(desired(CHANGED), looked(second(), alive=("job-1",)), CLOSED_AT.plus(400))
    (step,) = plan.steps
    assert ended_jobs(plan) == ["job-1"]
    assert step.note is not None
    assert step.note.reason.warning
    assert plan.record == {}, "the look does not count while it is alive"


def test_a_run_leaves_the_record_after_two_looks_that_left_nothing_of_it_alive():
    record = second()
    for minutes, left in ((6, 1), (12, 0)):
        plan = plan_job(desired(CHANGED), looked(record), CLOSED_AT.plus(60 * minutes))
        record = recorded(plan)
        assert len(record.earlier) == left
        assert record.run == 2
    assert plan_job(desired(CHANGED), known("RUNNING", of=record), CLOSED_AT).record == {}


def test_a_look_that_is_counted_and_a_repeat_make_one_record():
    observed = replace(looked(second()), knowledge=Knowledge.ABSENT, detail={})
    plan = plan_job(desired(CHANGED), observed, CLOSED_AT.plus(400))
    record = recorded(plan)
    assert plan.record == {}
    assert (record.run, record.attempt, record.earlier[0].swept) == (2, 2, 1)


def test_an_ended_job_is_not_over_while_an_earlier_run_is_looked_for():
    ended = {
        "observedGeneration": 1,
        "conditions": [{"type": "Complete", "status": "True"}],
        "run": 2,
        "jobId": "job-2",
    }
    record = second()
    assert not job_is_over(job(submission=record, status=ended))
    over = record.after_sweep(1).after_sweep(1)
    assert job_is_over(job(submission=over, status=ended))


def test_deletion_waits_for_every_run_of_the_record():
    record = second()
    ended = known("FAILED", of=record, jobId="job-2")
    assert not plan_removal(REMOVAL, ended, CLOSED_AT).released
    alive = replace(looked(record, alive=("job-1",)), detail=ended.detail)
    plan = plan_removal(REMOVAL, alive, CLOSED_AT)
    assert ended_jobs(plan) == ["job-1"]
    assert not plan.released
    assert plan_removal(REMOVAL, replace(alive, sweeps=(Sweep(1, ""),)), CLOSED_AT).released


@pytest.mark.parametrize("knowledge", [Knowledge.REFUSED, Knowledge.ABSENT, Knowledge.UNTRACEABLE])
def test_deletion_waits_for_earlier_runs_also_when_the_newest_never_reached_aws(knowledge):
    observed = Observed(knowledge, second())
    assert not plan_removal(REMOVAL, observed, CLOSED_AT).released
    looked_for = replace(observed, sweeps=(Sweep(1, ""),))
    assert plan_removal(REMOVAL, looked_for, CLOSED_AT).released


def test_the_record_does_not_grow_without_end():
    record = FIRST
    for run in range(2, EARLIER_KEPT + 2):
        record = record.followed_by(replace(FIRST, run=run), is_over=False)
    plan = plan_job(desired(CHANGED), Observed(Knowledge.ABSENT, record), CLOSED_AT)
    assert plan.steps == ()
    assert plan.findings[0].reason.name == "SubmissionSettling"
    refused = plan_job(desired(CHANGED), Observed(Knowledge.REFUSED, record), CLOSED_AT)
    assert recorded(refused).run == record.run + 1, "nothing is added by what was never sent"


@pytest.mark.parametrize("knowledge", [Knowledge.ABSENT, Knowledge.UNTRACEABLE])
def test_a_changed_request_begins_a_new_run_where_the_fate_of_the_old_one_stays_unknown(knowledge):
    late = NOW.plus(TRACEABLE_SECONDS + 1)
    plan = plan_job(desired(CHANGED), Observed(knowledge, FIRST), late)
    assert (recorded(plan).run, len(recorded(plan).earlier)) == (2, 1)
    assert plan_job(desired(job()), Observed(knowledge, FIRST), late).steps == ()


def test_a_run_is_neither_looked_for_nor_let_go_in_another_account():
    observed = Observed(Knowledge.ELSEWHERE, FIRST, lost=True)
    for plan in (
        plan_job(desired(job()), observed, NOW),
        plan_removal(REMOVAL, observed, NOW),
    ):
        assert (plan.steps, plan.record, plan.released) == ((), {}, False)
        (finding,) = plan.findings
        assert finding.reason.name == "ScopeChanged"
        assert FIRST.account_id in finding.message


def test_a_status_finds_the_run_again_in_its_own_account():
    resource = job(submission=FIRST, job_id="job-1")
    found = submission_of(replace(resource, annotations={}))
    assert found is not None
    assert (found.account_id, found.region, found.queue) == (
        FIRST.account_id,
        FIRST.region,
        QUEUE_ARN,
    )
