"""Conformance: what is applied comes to be in AWS, once, and then nothing is written any more."""

import itertools
import json

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import (
    DEFINITION,
    ENVIRONMENT,
    LASTING,
    POLICY,
    QUEUE,
    SPECS,
    fargate,
    unmanaged,
)

CREATED = [
    "batch:CreateComputeEnvironment",
    "batch:CreateJobQueue",
    "batch:CreateSchedulingPolicy",
    "batch:RegisterJobDefinition",
]


async def test_every_kind_becomes_ready_for_the_generation_that_was_applied():
    there = Installation()
    async with there.running():
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until_ready(*LASTING)
    assert sorted(there.changes()) == CREATED
    for key in LASTING:
        assert there.status(key)["observedGeneration"] == 1
        assert there.status(key)["arn"].startswith("arn:aws:batch:")


@pytest.mark.parametrize("order", tuple(itertools.permutations((ENVIRONMENT, QUEUE, POLICY))))
async def test_any_order_of_applying_converges(order):
    there = Installation()
    queue = manifests.queue(schedulingPolicyRef={"name": "fair"})
    async with there.running():
        for key in order:
            there.apply(key, queue if key == QUEUE else SPECS[key])
            await there.clock.advance(1)
        await there.until_ready(*order)
    assert len(there.changes()) == 3


async def test_a_queue_goes_on_within_a_second_of_its_environment_being_ready():
    there = Installation()
    async with there.running():
        there.apply(QUEUE, SPECS[QUEUE])
        message = await there.until(QUEUE, "Reconciling", "ReferenceNotFound")
        assert "ComputeEnvironment science/pool" in message
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
        created = await there.clock.run_until(
            lambda: "batch:CreateJobQueue" in there.calls, within=1
        )
    assert created <= 1


async def test_a_waiting_queue_names_what_its_environment_waits_for():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, SPECS[QUEUE])
        message = await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
    assert message.startswith("ComputeEnvironment pool (CREATING) is not VALID yet")


async def test_a_resync_without_a_change_writes_nothing_anywhere():
    there = Installation()
    async with there.running():
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until_ready(*LASTING)
        await there.clock.advance(60)
        versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
        changes, events = there.changes(), len(there.kube.events)
        await there.clock.advance(2000)
        after = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
    assert after == versions
    assert there.changes() == changes
    assert len(there.kube.events) == events


async def test_a_restart_without_a_change_writes_nothing_anywhere():
    there = Installation()
    async with there.running():
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until_ready(*LASTING)
        await there.clock.advance(60)
    versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
    changes = there.changes()
    async with there.running():
        await there.clock.advance(700)
    after = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
    assert after == versions
    assert there.changes() == changes


async def test_a_fargate_environment_is_created_and_ready():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, fargate())
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(700)
    assert there.changes() == ["batch:CreateComputeEnvironment"]
    assert there.status(ENVIRONMENT)["plan"]["action"] == "None"


async def test_an_unmanaged_environment_is_created_shows_its_cluster_and_is_deleted():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, unmanaged())
        await there.until_ready(ENVIRONMENT)
        assert there.status(ENVIRONMENT)["ecsClusterArn"].startswith("arn:aws:ecs:")
        there.kube.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert there.aws().describe_compute_environments()["computeEnvironments"] == []


async def test_an_environment_that_is_to_be_disabled_is_created_first_and_then_disabled():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, {**SPECS[ENVIRONMENT], "state": "DISABLED"})
        message = await there.until(ENVIRONMENT, "Ready", "Disabled")
    assert "disabled" in message
    assert there.status(ENVIRONMENT)["state"] == "DISABLED"
    assert there.changes() == ["batch:CreateComputeEnvironment", "batch:UpdateComputeEnvironment"]


async def test_status_shows_where_the_object_lives_and_what_deletion_will_mean():
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
    status = there.status(DEFINITION)
    assert (status["accountId"], status["region"]) == ("111122223333", "eu-central-1")
    assert status["deletionPolicy"] == "Delete"
    assert status["awsName"].startswith("science-simulate-")


@pytest.mark.parametrize("key", [ENVIRONMENT, POLICY, DEFINITION])
async def test_where_an_object_lives_is_recorded_before_the_first_call_that_makes_something(key):
    there = Installation()
    for operation in ("Create*", "Register*"):
        there.fault(effect="deny", service="batch", operation=operation)
    async with there.running():
        there.apply(key, SPECS[key])
        await there.until(key, "Stalled", "PermissionDenied")
    metadata = there.kube.see(key)["metadata"]
    assert metadata["finalizers"] == ["awsbatch.dev/finalizer"]
    record = json.loads(metadata["annotations"]["awsbatch.dev/resolved"])
    assert record == {
        "account": "",
        "accountId": "111122223333",
        "region": "eu-central-1",
        "awsName": there.status(key)["awsName"],
        "time": metadata["creationTimestamp"],
    }


async def test_the_transitions_of_an_environment_are_told_once_each():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(1300)
    assert [reason for reason, _ in there.events(ENVIRONMENT)] == ["Created", "Ready"]
