"""Conformance: an edit leads to exactly the calls that it needs, and drift is put right."""

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import (
    DEFINITION,
    ENVIRONMENT,
    POLICY,
    QUEUE,
    SPECS,
    best_fit,
    environment,
    fargate,
)

from awsbatch_simulator.batch.model import Status

UPDATE = "batch:UpdateComputeEnvironment"


async def started(there, *keys, **specs):
    """Apply and wait; forget the calls so far."""
    for key in keys:
        there.apply(key, specs.get(key.kind) or SPECS[key])
    await there.until_ready(*keys)
    there.calls.clear()


def in_aws(there):
    return there.aws().describe_compute_environments()["computeEnvironments"][0]


async def test_the_size_of_an_environment_is_changed_in_place_by_one_call():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT)
        there.apply(ENVIRONMENT, environment(minvCpus=2, maxvCpus=64))
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == [UPDATE]
    resources = in_aws(there)["computeResources"]
    assert (resources["minvCpus"], resources["maxvCpus"]) == (2, 64)
    assert there.status(ENVIRONMENT)["vCPUs"]["max"] == 64


async def test_a_size_that_left_the_spec_goes_back_to_its_default():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, ComputeEnvironment=environment(minvCpus=2))
        spec = environment()
        del spec["computeResources"]["minvCpus"]
        there.apply(ENVIRONMENT, spec)
        await there.until_ready(ENVIRONMENT)
    assert in_aws(there)["computeResources"]["minvCpus"] == 0


async def test_desired_vcpus_are_an_initial_value_only_and_never_sent_again():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, ComputeEnvironment=environment(desiredvCpus=4))
        assert in_aws(there)["computeResources"]["desiredvCpus"] == 4
        there.apply(ENVIRONMENT, environment(desiredvCpus=0))
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(700)
    assert there.changes() == []


async def test_the_update_policy_is_set_after_creation_and_removed_with_the_spec():
    there = Installation()
    policy = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 60}
    async with there.running():
        await started(
            there, ENVIRONMENT, ComputeEnvironment=environment() | {"updatePolicy": policy}
        )
        assert in_aws(there)["updatePolicy"] == policy
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
    assert in_aws(there)["updatePolicy"]["terminateJobsOnUpdate"] is False


async def test_subnets_of_fargate_are_changed_in_place():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, ComputeEnvironment=fargate())
        there.apply(ENVIRONMENT, fargate(subnets=["subnet-2", "subnet-1"]))
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == [UPDATE]
    assert set(in_aws(there)["computeResources"]["subnets"]) == {"subnet-1", "subnet-2"}


async def test_the_order_of_subnets_is_no_change():
    there = Installation()
    async with there.running():
        await started(
            there, ENVIRONMENT, ComputeEnvironment=fargate(subnets=["subnet-1", "subnet-2"])
        )
        there.apply(ENVIRONMENT, fargate(subnets=["subnet-2", "subnet-1"]))
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instanceTypes": ["c7i"]}, "computeResources.instanceTypes"),
        ({"placementGroup": "near"}, "computeResources.placementGroup"),
        ({"ec2KeyPair": "me"}, "computeResources.ec2KeyPair"),
    ],
)
async def test_what_needs_another_environment_is_stalled_naming_the_field(change, field):
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, ComputeEnvironment=best_fit())
        there.apply(ENVIRONMENT, best_fit(**change) | {"replacement": {"policy": "Refuse"}})
        message = await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        await there.clock.advance(700)
        assert field in message
        assert there.status(ENVIRONMENT)["plan"]["action"] == "Replacement"
        assert there.status(ENVIRONMENT)["plan"]["fields"] == [field]
        assert there.changes() == []
        there.apply(ENVIRONMENT, best_fit())
        await there.until_ready(ENVIRONMENT)


async def test_a_queue_is_changed_in_place_by_one_call():
    there = Installation()
    code = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    limits = [{"reason": code, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}]
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE)
        there.apply(QUEUE, manifests.queue(priority=20, jobStateTimeLimitActions=limits))
        await there.until_ready(QUEUE)
        assert there.changes() == ["batch:UpdateJobQueue"]
        found = there.aws().describe_job_queues()["jobQueues"][0]
        assert (found["priority"], found["jobStateTimeLimitActions"]) == (20, limits)
        there.apply(QUEUE, manifests.queue(state="DISABLED"))
        await there.until(QUEUE, "Ready", "Disabled")
    found = there.aws().describe_job_queues()["jobQueues"][0]
    assert found["jobStateTimeLimitActions"] == []
    assert (found["priority"], found["state"]) == (10, "DISABLED")


async def test_a_queue_takes_a_new_environment_once_that_is_valid_and_keeps_the_old_until_then():
    there = Installation()
    second = ENVIRONMENT.__class__("ComputeEnvironment", ENVIRONMENT.namespace, "second")
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE)
        there.apply(QUEUE, manifests.queue("second", "pool"))
        await there.until(QUEUE, "Reconciling", "ReferenceNotFound")
        assert there.changes() == []
        there.apply(second, environment())
        await there.until_ready(second, QUEUE)
    order = there.aws().describe_job_queues()["jobQueues"][0]["computeEnvironmentOrder"]
    first = min(order, key=lambda entry: entry["order"])
    assert first["computeEnvironment"] == there.status(second)["arn"]


async def test_a_queue_that_stands_is_changed_though_its_environment_waits_for_a_person():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE, ComputeEnvironment=best_fit())
        refused = {"replacement": {"policy": "Refuse"}}
        there.apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]) | refused)
        await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        there.apply(QUEUE, manifests.queue(priority=20))
        await there.until_ready(QUEUE)
    assert there.aws().describe_job_queues()["jobQueues"][0]["priority"] == 20


async def test_a_policy_is_changed_in_place_by_one_call():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.apply(POLICY, manifests.policy("2"))
        await there.until_ready(POLICY)
        await there.clock.advance(700)
    assert there.changes() == ["batch:UpdateSchedulingPolicy"]


async def test_a_policy_without_a_body_is_a_policy_and_its_shares_come_and_go():
    there = Installation()
    async with there.running():
        for spec in ({}, manifests.policy(), {}):
            there.apply(POLICY, spec)
            await there.until_ready(POLICY)
        await there.clock.advance(700)
        arn = there.status(POLICY)["arn"]
        found = there.aws().describe_scheduling_policies(arns=[arn])["schedulingPolicies"][0]
    update = "batch:UpdateSchedulingPolicy"
    assert there.changes() == ["batch:CreateSchedulingPolicy", update, update]
    assert not found["fairsharePolicy"].get("shareDistribution")


async def test_drift_of_environments_and_queues_is_repaired_within_a_minute():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE)
        aws = there.aws()
        aws.update_compute_environment(
            computeEnvironment=there.status(ENVIRONMENT)["awsName"],
            computeResources={"maxvCpus": 999},
        )
        aws.update_job_queue(jobQueue=there.status(QUEUE)["awsName"], priority=99)
        await there.clock.run_until(
            lambda: (
                in_aws(there)["computeResources"]["maxvCpus"] == 16
                and aws.describe_job_queues()["jobQueues"][0]["priority"] == 10
            ),
            within=60,
        )
        await there.until_ready(ENVIRONMENT, QUEUE)
    assert sorted(there.changes()) == [UPDATE, "batch:UpdateJobQueue"]


async def test_a_repaired_drift_is_told_as_such():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.aws().update_scheduling_policy(
            arn=there.status(POLICY)["arn"], fairsharePolicy={"shareDecaySeconds": 1}
        )
        await there.clock.run_until(lambda: len(there.changes()) == 1, within=700)
        await there.clock.advance(1)
    assert there.events(POLICY)[-1] == (
        "DriftRepaired",
        "Changed in place: fairsharePolicy.shareDecaySeconds, fairsharePolicy.shareDistribution.",
    )


async def test_what_was_deleted_in_aws_is_made_again():
    there = Installation()
    async with there.running():
        await started(there, POLICY, DEFINITION)
        aws = there.aws()
        aws.delete_scheduling_policy(arn=there.status(POLICY)["arn"])
        aws.deregister_job_definition(jobDefinition=there.status(DEFINITION)["arn"])
        await there.clock.run_until(lambda: len(there.changes()) == 2, within=900)
        await there.until_ready(POLICY, DEFINITION)
    assert sorted(there.changes()) == [
        "batch:CreateSchedulingPolicy",
        "batch:RegisterJobDefinition",
    ]


async def test_transition_times_move_only_when_a_condition_flips():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT)
        first = there.condition(ENVIRONMENT, "Ready")
        await there.clock.advance(100)
        there.apply(ENVIRONMENT, environment(desiredvCpus=0))
        await there.until_ready(ENVIRONMENT)
        second = there.condition(ENVIRONMENT, "Ready")
    assert second["observedGeneration"] == 2
    assert second["lastTransitionTime"] == first["lastTransitionTime"]


async def test_an_environment_that_turns_invalid_is_stalled_with_awss_reason_and_heals():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT)
        name = there.status(ENVIRONMENT)["awsName"]
        region = there.simulator.world.region(there.simulator.place)
        found = region.batch.environments[name]
        found.status, found.status_reason = Status.INVALID, "CLIENT_ERROR - Access denied"
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        assert "CLIENT_ERROR - Access denied" in message
        found.status, found.status_reason = Status.VALID, "ComputeEnvironment Healthy"
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == []
