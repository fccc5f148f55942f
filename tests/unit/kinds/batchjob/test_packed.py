"""The request of a packed array, what it is made of, and what is refused before it is sent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import NOW, OWNER, SPEC, TARGETS, job, recorded

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import FINALIZER, RecordError
from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.children import STATES, Children, JobShape
from awsbatch_operator.kinds.batchjob.fields import fields_of
from awsbatch_operator.kinds.batchjob.packed import with_packing, work_of
from awsbatch_operator.kinds.batchjob.packing import MARK, Packing, nonce_of
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import submission_of
from awsbatch_operator.kinds.batchjob.request import (
    OVERRIDE_CHARACTERS,
    overrides_too_long,
    request_hash,
)
from awsbatch_operator.kinds.batchjob.resolving import desired_job
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.tasks import under_way
from awsbatch_simulator.batch.orders import OVERRIDE_CHARACTERS as SIMULATED

CONTENT: dict[str, Any] = {
    "type": "container",
    "parameters": {"year": "2024", "month": "1"},
    "containerProperties": {"image": "busybox", "command": ["count", "Ref::year", "Ref::month"]},
}
PACKED = {"arrayProperties": {"size": 10}, "packing": {"tasksPerJob": 4}}
BASE = {"jobQueueRef": SPEC["jobQueueRef"], "jobDefinition": CONTENT, **PACKED}


def planned(**spec: Any) -> Any:
    resource = job(spec={**BASE, **spec})
    return plan_job(desired_job(resource, TARGETS, OWNER), None, NOW)


def request(**spec: Any) -> dict[str, Any]:
    (action,) = planned(**spec).actions
    assert isinstance(action, Submit)
    return dict(action.request)


def test_the_array_has_a_job_for_so_many_tasks_and_the_command_runs_them():
    made = request(parameters={"month": "7"})
    assert made["arrayProperties"] == {"size": 3}
    command = made["containerOverrides"]["command"]
    nonce = nonce_of(OWNER.uid, 1)
    assert command[3:] == [MARK, nonce, "10", "4", "count", "2024", "7"]


def test_the_run_remembers_its_packing_whatever_the_spec_says_later():
    record = recorded(planned())
    assert (record.packed, record.packing) == ("10/4", Packing(10, 4))
    text = next(iter(record.annotation().values()))
    assert Submission.from_json(text) == record
    with pytest.raises(RecordError):
        Submission.from_json(text.replace('"10/4"', '"10/0"'))


def test_a_run_that_is_written_down_anew_is_still_known_to_be_packed():
    """Its job may exist, and its indexes are then told and run again as tasks."""
    resource = job(spec=BASE, finalizers=(FINALIZER,))
    plan = plan_job(desired_job(resource, TARGETS, OWNER), None, NOW)
    assert not plan.steps
    assert recorded(plan).packed == "10/4"


def test_values_are_packed_as_well_and_the_jobs_own_command_goes_before_the_definitions():
    spec = {name: value for name, value in BASE.items() if name != "arrayProperties"}
    spec |= {"arrayValues": {"variable": "SHARD", "values": list("abcde")}}
    spec |= {"containerOverrides": {"command": ["mine"]}}
    plan = plan_job(desired_job(job(spec=spec), TARGETS, OWNER), None, NOW)
    (action,) = plan.actions
    assert isinstance(action, Submit)
    made = dict(action.request)
    assert made["arrayProperties"] == {"size": 2}
    override = made["containerOverrides"]
    assert override["command"][5:] == ["5", "4", "mine"]
    assert override["environment"] == [{"name": "SHARD", "value": "a,b,c,d,e"}]


def test_tasks_that_fit_into_one_job_are_no_array_and_wait_for_whole_jobs():
    wanted = desired_job(job(spec=BASE | {"arrayProperties": {"size": 3}}), TARGETS, OWNER)
    sent = ({"jobId": "a", "type": "N_TO_N"}, {"jobId": "b"})
    wanted = replace(wanted, dependencies=replace(wanted.dependencies, sent=sent))
    made = fields_of(wanted, recorded(planned()))
    assert not isinstance(made, Finding)
    assert "arrayProperties" not in made[0]
    assert made[0]["dependsOn"] == [{"jobId": "a"}, {"jobId": "b"}]
    assert made[1].packing == Packing(3, 4)


ECS = {"ecsProperties": {"taskProperties": [{"containers": [{"name": "a", "image": "b"}]}]}}
NODES = {
    "numNodes": 2,
    "nodeRangeProperties": [{"targetNodes": "0:", "container": {"command": ["true"]}}],
}
WINDOWS = {
    "containerProperties": {
        "command": ["cmd"],
        "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"},
    }
}


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (None, "Name a revision that is ACTIVE"),
        (work_of({"containerProperties": {"image": "busybox"}}), "containerOverrides.command"),
        (work_of(ECS), "containerProperties"),
        (work_of({"nodeProperties": NODES}), "containerProperties"),
        (work_of({"eksProperties": {"podProperties": {"containers": [{}]}}}), "containerProp"),
        (work_of(WINDOWS), "Linux"),
    ],
)
def test_what_cannot_be_packed_is_refused_with_the_way_out(work, words):
    refused = with_packing(PACKED, 4, work, recorded(planned()))
    assert isinstance(refused, Finding)
    assert refused.message.startswith("spec.packing runs several tasks in each job, ")
    assert words in refused.remedy


def test_packing_is_part_of_what_a_run_is():
    told = {
        request_hash(job(spec={**SPEC, **more}))
        for more in ({}, {"packing": {"tasksPerJob": 2}}, {"packing": {"tasksPerJob": 3}})
    }
    assert len(told) == 3


def test_what_ecs_would_not_start_is_refused_before_it_is_sent_with_sizes_and_a_remedy():
    assert OVERRIDE_CHARACTERS == SIMULATED
    (refused,) = planned(containerOverrides={"command": ["x" * 7400]}).findings
    assert refused.reason.name == "RequestTooLong"
    assert "ECS starts a task with 8192 at most. Of these, command" in refused.message
    assert "Nothing was sent" in refused.message
    assert "a file that the job reads by its index" in refused.remedy
    assert planned(containerOverrides={"command": ["x" * 6000]}).steps


@given(st.integers(8000, 8192), st.sampled_from(["containerOverrides", "nodes", "ecs", "eks"]))
def test_what_passes_is_as_long_as_ecs_takes_and_pods_have_no_such_bound(length, where):
    empty = {"environment": [{"name": "A", "value": ""}]}
    whole = len(json.dumps({"containerOverrides": [empty]}, separators=(",", ":")))
    override = {"environment": [{"name": "A", "value": "ü" * (length - whole)}]}
    for more, refused in ((0, False), (OVERRIDE_CHARACTERS - length + 1, where != "eks")):
        value = override["environment"][0]["value"] + "x" * more
        one = {"environment": [{"name": "A", "value": value}]}
        places: dict[str, dict[str, Any]] = {
            "containerOverrides": {"containerOverrides": one},
            "nodes": {"nodeOverrides": {"nodePropertyOverrides": [{"containerOverrides": one}]}},
            "ecs": {"ecsPropertiesOverride": {"taskProperties": [{"containers": [one]}]}},
            "eks": {"eksPropertiesOverride": {"podProperties": {"containers": [one]}}},
        }
        assert (overrides_too_long(places[where]) is not None) == refused


@given(st.integers(2, 10_000), st.integers(2, 1000), st.data())
def test_the_counts_of_tasks_are_as_many_as_there_are_tasks(tasks, each, data):
    packing = Packing(tasks, each)
    left, counts = packing.jobs, {}
    for state in STATES:
        counts[state] = data.draw(st.integers(0, left))
        left -= counts[state]
    counts["SUCCEEDED"] += left
    made = under_way(Children(JobShape.ARRAY, packing.jobs, counts), packing)
    assert (made.size, sum(made.counts.values())) == (tasks, tasks)
    for state, jobs in counts.items():
        assert max((jobs - 1) * each, 0) <= made.counts[state] <= jobs * each


def test_a_status_without_its_record_still_says_how_the_run_was_packed():
    record = recorded(planned())
    resource = job(submission=record, job_id="job-1")
    status = {**resource.status, "array": {"size": 10, "tasksPerJob": 4}}
    lost = replace(resource, annotations={}, status=status)
    found = submission_of(lost)
    assert found is not None
    assert found.packed == record.packed
