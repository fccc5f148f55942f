"""A run of just the failed indexes of an array: which they are, and the request for them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    SPEC,
    desired,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.batchjob import ranges, retries
from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.environment import shape_of
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.run_causes import Cause
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.wishes import Wishes, wishes_of

SHAPE = shape_of({})
ARRAY = {**SPEC, "arrayProperties": {"size": 300}}
RETRY: dict[str, Any] = {"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "SHARDS"}}
WISHES = Wishes("", is_array=True)
FAILED = {"type": "Failed", "status": "True", "reason": "ApplicationExit", "message": "It failed."}


def hashed(run: int = 1, **changes) -> Submission:
    """The record of a run of the array."""
    made = recorded(plan_job(desired(job(spec=ARRAY)), None, NOW))
    return replace(made, run=run, **changes)


def ended(record: Submission, failed: str | None, *, stands: bool = True, **spec: Any):
    """The array as its status shows it after the end of that run."""
    array = {} if failed is None else {"array": {"size": 300, "failedIndexes": failed}}
    resource = job(submission=record, job_id="job-1", spec=ARRAY | spec)
    told = {"awsStatus": "FAILED", "failure": "ApplicationExit", "observedGeneration": 1}
    told["conditions"] = [FAILED | {"observedGeneration": 1}] if stands else []
    return replace(resource, status={**resource.status, **told, **array})


def followed(resource, record: Submission, **changes: Any):
    observed = Observed(Knowledge.CONCLUDED, record, detail={"jobId": "job-1"})
    return plan_job(replace(desired(resource), **changes), observed, NOW.plus(600))


def request_of(plan) -> dict:
    (action,) = plan.actions
    assert isinstance(action, Submit)
    return dict(action.request)


def test_the_failed_indexes_of_an_array_run_again_and_each_is_told_which_it_is():
    record = hashed()
    plan = followed(ended(record, "17,204,298-299", **RETRY), record)
    made, request = recorded(plan), request_of(plan)
    assert (made.run, made.cause, made.indexes) == (2, Cause.RETRIED, "17,204,298-299")
    assert made.definition == record.definition
    assert made.before is not None
    assert (made.before.run, made.before.result) == (1, "ApplicationExit")
    assert request["arrayProperties"] == {"size": 4}
    assert request["containerOverrides"] == {
        "command": ["df", "-h"],
        "environment": [{"name": "SHARDS", "value": "17,204,298,299"}],
    }


def test_a_retry_of_a_retry_has_indexes_of_the_whole_array():
    record = hashed(run=2, indexes="17,204,298-299", cause=Cause.RETRIED)
    again: dict[str, Any] = {"retryFailedIndexes": {"ofRun": 2, "indexMapVariable": "SHARDS"}}
    plan = followed(ended(record, "0,3", **again), record)
    assert recorded(plan).indexes == "17,299"


def test_one_failed_index_is_a_single_job_and_so_is_its_retry():
    record = hashed()
    plan = followed(ended(record, "17", **RETRY), record)
    assert "arrayProperties" not in request_of(plan)
    assert request_of(plan)["containerOverrides"]["environment"][0]["value"] == "17"
    second = recorded(plan)
    again: dict[str, Any] = {"retryFailedIndexes": {"ofRun": 2, "indexMapVariable": "SHARDS"}}
    third = recorded(followed(ended(second, None, **again), second))
    assert (third.run, third.indexes) == (3, "17")


def test_set_from_the_start_it_begins_once_the_status_has_the_indexes_and_nothing_is_failed_then():
    record = hashed()
    resource = replace(job(submission=record, spec=ARRAY | RETRY), status={})
    plan = plan_job(desired(resource), known("FAILED", of=record), NOW)
    assert plan.steps == ()
    assert plan.look_again_seconds is not None
    shown = ended(record, "1", stands=False, **RETRY)
    assert recorded(followed(shown, record)).run == 2


@pytest.mark.parametrize(("of_run", "failed"), [(2, "1"), (9, "1")])
def test_only_the_run_that_is_named_is_retried(of_run, failed):
    record = hashed()
    retry: dict[str, Any] = {"retryFailedIndexes": {"ofRun": of_run, "indexMapVariable": "SHARDS"}}
    resource = ended(record, failed, **retry)
    assert followed(resource, record).steps == ()
    assert job_is_over(resource)


def test_a_finished_array_wakes_for_its_retry_and_rests_when_there_is_none():
    record = hashed()
    assert job_is_over(ended(record, "1"))
    assert not job_is_over(ended(record, "1", **RETRY))


@pytest.mark.parametrize("failed", [None, "", "all", "1-", "3,2"])
def test_indexes_that_are_not_known_are_told_and_nothing_is_run(failed):
    record = hashed()
    plan = followed(ended(record, failed, **RETRY), record)
    assert plan.steps == ()
    (finding,) = plan.findings
    assert finding.reason.name == "RetryNotPossible"
    assert "create another BatchJob" in finding.text()


def test_what_is_no_array_has_no_indexes():
    record = first_submission()
    resource = replace(ended(record, None), spec=SPEC | RETRY)
    (finding,) = followed(resource, record).findings
    assert finding.reason.name == "RetryNotPossible"
    assert "no array" in finding.message


def test_a_list_that_aws_would_not_take_is_refused_before_anything_is_sent():
    many = ranges.shown(range(10_000))
    made = retries.with_indexes({}, many, "SHARDS", shape=SHAPE)
    assert isinstance(made, Finding)
    assert "ECS starts a task with 8192 at most" in made.message
    some = retries.with_indexes({}, ranges.shown(range(1800)), "SHARDS", shape=SHAPE)
    assert not isinstance(some, Finding)


def test_a_variable_that_the_job_sets_already_is_told():
    fields = {"containerOverrides": {"environment": [{"name": "SHARDS", "value": "a"}]}}
    made = retries.with_indexes(fields, "1-2", "SHARDS", shape=SHAPE)
    assert isinstance(made, Finding)
    assert "retryFailedIndexes.indexMapVariable" in made.text()


def test_the_variable_that_was_taken_away_before_the_submission_is_asked_for():
    record = hashed(run=2, indexes="1-2", cause=Cause.RETRIED)
    resource = job(submission=record, spec=ARRAY)
    plan = plan_job(desired(resource), Observed(Knowledge.REFUSED, record), NOW)
    assert plan.steps == ()
    assert plan.findings[0].reason.name == "RetryNotPossible"


def test_a_part_of_an_array_waits_for_all_of_another_and_one_job_has_no_order():
    fields = {"dependsOn": [{"jobId": "a", "type": "N_TO_N"}, {"type": "SEQUENTIAL"}]}
    some = retries.with_indexes(fields, "1-2", "SHARDS", shape=SHAPE)
    one = retries.with_indexes(fields, "1", "SHARDS", shape=SHAPE)
    assert not isinstance(some, Finding)
    assert not isinstance(one, Finding)
    assert some["dependsOn"] == [{"jobId": "a"}, {"type": "SEQUENTIAL"}]
    assert one["dependsOn"] == [{"jobId": "a"}]


@given(st.sets(st.integers(0, 9999), min_size=1), st.data())
def test_however_often_it_is_retried_the_indexes_are_those_of_the_whole_array(failed, data):
    """A job that fails in a retry is one of those that had failed before it."""
    record = replace(first_submission(), indexes="")
    left, positions = sorted(failed), sorted(failed)
    for _ in range(4):
        chosen = retries.chosen(WISHES, record, ranges.shown(positions))
        assert chosen == ranges.shown(left)
        record = replace(record, indexes=chosen)
        positions = sorted(data.draw(st.sets(st.integers(0, len(left) - 1), min_size=1)))
        left = [left[each] for each in positions]


def test_what_a_wrong_spec_asks_for_changes_nothing():
    wrongs: list[Any] = [{"ofRun": "1"}, {"ofRun": True}, "1", None, []]
    for wrong in wrongs:
        assert wishes_of(job(spec=ARRAY | {"retryFailedIndexes": wrong})).retry is None
