"""What the operator does in AWS, but for images, takes its own policies, and takes all of them.

One life of every kind, with instances, under exactly the policies of deploy/iam. Nothing is denied,
and each statement is used for each of its actions on each of its resources, but for those that are
listed with why the policy has them all the same.
"""

import json
from typing import Any

from tests.support import manifests, rights
from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.instances import Fleet, job_key, launching, pool
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, PROFILE, QUEUE
from tests.support.one_process import CLUSTER
from tests.support.research import RESEARCH, research

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.ec2 import incidents

Right = tuple[str, str, str]  # action, pattern of the resource, keys of its condition
NOTICES = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:aws-batch-operator-test"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
SPOT, MANAGED, ON_EKS = (
    ObjectKey("ComputeEnvironment", NAMESPACE, name) for name in ("spot", "managed", "eks")
)
OTHER = ObjectKey("SchedulingPolicy", NAMESPACE, "other")
EVERYTHING = (POLICY, OTHER, SPOT, MANAGED, ON_EKS, ENVIRONMENT, QUEUE, DEFINITION)
LONG, WAITING = (ObjectKey("BatchJob", NAMESPACE, name) for name in ("long-1", "waiting-1"))


def _on(action: str, condition: str, *types: str) -> set[Right]:
    """An action (`ec2:CreateTags`) on all things of some types, under a condition."""
    service = action.partition(":")[0]
    return {(action, _pattern(service, each), condition) for each in types}


def _pattern(service: str, kind: str) -> str:
    account = "" if kind == "snapshot" else "*"
    return f"arn:aws:{service}:*:{account}:{kind}" + ("*" if kind.endswith("-") else "/*")


OURS, TO_BE_OURS, FREE, PASSED = (
    "aws:ResourceTag", "aws:RequestTag", "", "iam:PassedToService"
)  # fmt: skip

# Why the policies give a right that no call of this life takes.
BESIDES: dict[str, set[Right]] = {
    "consumable resources are not simulated": {
        *_on("batch:RegisterJobDefinition", FREE, "consumable-resource"),
        *_on("batch:SubmitJob", FREE, "consumable-resource"),
    },
    "EC2 asks for them for a fleet as for RunInstances, as aws/karpenter-provider-aws has met; "
    "AWS's reference does not list them": {
        *_on("ec2:CreateFleet", TO_BE_OURS, "network-interface", "spot-instances-request"),
        *_on("ec2:CreateFleet", FREE, "capacity-reservation", "key-pair"),
        *_on("ec2:CreateFleet", FREE, "security-group", "snapshot"),
    },
    "only a launch template of the user's has a key pair, a placement group or a snapshot": {
        *_on("ec2:CreateFleet", FREE, "placement-group"),
        *_on("ec2:RunInstances", FREE, "key-pair", "placement-group", "snapshot"),
    },
    "the pass over what has no owner: tests/component/lifecycle/test_orphans.py": {
        ("ec2:DescribeVolumes", "*", FREE),
        *_on("ec2:DeleteVolume", OURS, "volume"),
    },
    "the other form of name that Batch has given to clusters": {
        *_on("ecs:DeregisterContainerInstance", FREE, "cluster/AWSBatch-"),
        ("ecs:DescribeClusters", "arn:aws:ecs:*:*:cluster/AWSBatch-*", FREE),
        *_on("ecs:UpdateContainerInstancesState", FREE, "container-instance/AWSBatch-*"),
    },
    "a role has one path: here the service role is in the path service-role": {
        ("iam:PassRole", "arn:aws:iam::*:role/AWSBatchServiceRole", PASSED),
    },
}


def furnish_iam(there: Fleet) -> None:
    """The roles that AWS's guides make, and none that Batch has made for itself."""
    iam = there.aws("iam")
    for name, service in (
        ("aws-ec2-spot-fleet-role", "spotfleet"),
        ("batch-ecs", "ecs"),
    ):
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.delete_role(RoleName="AWSServiceRoleForBatch")


def definition(*command: str, **changes: Any) -> dict[str, Any]:
    made = manifests.definition(*command, **changes)
    made["containerProperties"] |= {
        "jobRoleArn": f"{ROLES}/batch-job",
        "executionRoleArn": f"{ROLES}/ecsTaskExecutionRole",
    }
    return made


def managed_instances() -> dict[str, Any]:
    network = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
    template = {"ec2InstanceProfileArn": PROFILE, "networkConfiguration": network}
    resources = {
        "type": "ECS_MANAGED_INSTANCES",
        "maxvCpus": 8,
        "capacityTags": {"team": "a"},
        "managedInstancesProvider": {
            "infrastructureRoleArn": f"{ROLES}/batch-ecs",
            "instanceLaunchTemplate": template,
        },
    }
    return {"type": "MANAGED", "computeResources": resources}


def on_eks() -> dict[str, Any]:
    cluster = f"arn:aws:eks:eu-central-1:{ACCOUNT}:cluster/research"
    within = {"eksClusterArn": cluster, "kubernetesNamespace": "batch"}
    return manifests.environment() | {"eksConfiguration": within}


def with_fleet_role(**changes: Any) -> dict[str, Any]:
    """An environment of Spot Instances as it was made before there were other strategies."""
    role = f"{ROLES}/aws-ec2-spot-fleet-role"
    usual = {"type": "SPOT", "allocationStrategy": "BEST_FIT", "spotIamFleetRole": role}
    return manifests.environment(**usual | {"managedPlacementGroup": True} | changes)


def block() -> dict[str, Any]:
    made = {"durationSeconds": 7200, "instanceCount": 1, "start": "Immediately", "request": 1}
    return pool(name="block", market="SpotBlock", instanceTypes=["m7i.large"], spotBlock=made)


async def furnish(there: Fleet) -> None:
    """One of everything, and one job that has run to its end."""
    for key, spec in {
        RESEARCH: research(),
        POLICY: manifests.policy(),
        OTHER: manifests.policy("2"),
        SPOT: with_fleet_role(),
        MANAGED: managed_instances(),
        ON_EKS: on_eks(),
        ENVIRONMENT: launching(
            pool(market="Spot", registrationTimeoutSeconds=120), maxHourlyCost="50.00", maxvCpus=64
        ),
        QUEUE: manifests.queue(schedulingPolicyRef={"name": "fair"}),
        DEFINITION: definition(),
        job_key(): manifests.job(shareIdentifier="team"),
    }.items():
        there.apply(key, spec)
    await there.until_ready(RESEARCH, *EVERYTHING)
    await there.run_until(lambda: there.succeeded(1), within=900)


async def change(there: Fleet) -> None:
    """Each kind is edited, and its tags come and go."""
    for tags in ({"team": "a"}, {}):
        there.apply(SPOT, with_fleet_role(maxvCpus=32) | {"tags": tags})
        there.apply(POLICY, manifests.policy("3", tags=tags))
        order = manifests.queue("pool", "spot", schedulingPolicyRef={"name": "other"})
        there.apply(QUEUE, order | {"priority": 3, "tags": tags})
        there.apply(DEFINITION, definition(tags=tags))
        await there.run_until(lambda: there.ready(*EVERYTHING), within=900)
        await there.clock.advance(30)
    before = there.status(SPOT)["arn"]
    there.apply(SPOT, with_fleet_role(instanceTypes=["c7i.large"]))  # by another environment
    await there.run_until(
        lambda: there.ready(*EVERYTHING) and there.status(SPOT)["arn"] != before, within=900
    )


async def live_with_instances(there: Fleet) -> None:
    """One is interrupted, a block is reserved and stopped by somebody, a job is ended."""
    there.settle(jobScripts=[{"durationSeconds": 7200}])
    there.apply(LONG, manifests.job(shareIdentifier="team"))
    await there.run_until(lambda: there.status(LONG).get("awsStatus") == "RUNNING")
    order = incidents.Order(incident="interrupt")
    incidents.carry_out(there.simulator.world.regions(), order)
    await there.clock.advance(300)
    there.apply(ENVIRONMENT, launching(block(), maxHourlyCost="50.00", maxvCpus=64))
    await there.run_until(lambda: there.row("block").get("joined") == 1)
    there.apply(WAITING, manifests.job(shareIdentifier="team"))
    await there.run_until(lambda: "jobId" in there.status(WAITING))
    there.aws("ec2").stop_instances(InstanceIds=there.ids())
    await there.clock.advance(120)
    there.remove(WAITING)
    await there.until_gone(WAITING)


async def test_a_life_of_everything_takes_each_right_of_the_policies_and_no_other():
    there = Fleet(None, interruption_queue=NOTICES)
    there.aws("sqs").create_queue(QueueName=NOTICES.rpartition(":")[2])
    there.settle(notices={"queue": NOTICES.rpartition(":")[2]})
    furnish_iam(there)
    there.fault(effect="world", name="agent_never_joins", times=1)
    async with there.running():
        await furnish(there)
        await change(there)
        await live_with_instances(there)
        for key in (LONG, job_key(), *EVERYTHING):
            there.remove(key)
        await there.until_gone(*EVERYTHING, within=2000)
    assert rights.denied(there.simulator) == []
    listed = {right for rights_of in BESIDES.values() for right in rights_of}
    unused = rights.unused(there.simulator, CLUSTER, "operator", "capacity")
    assert unused - listed == set(), "the policies give more than is needed"
    assert listed - unused == set(), "they are used; do not list them"
