"""MANAGED environments on EC2 and Spot: instances come for waiting jobs and go when idle.

Batch owns `desiredvCpus`: it follows the instances there are, between `minvCpus` and `maxvCpus`.
Sources: the fields of ComputeResource in the Batch API reference.
"""

from typing import Any

from awsbatch_simulator.batch import launching, queue_life
from awsbatch_simulator.batch.model import Environment, Status
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.demand import (
    Room,
    Want,
    has_rights,
    instances,
    size_of,
    unused,
    vcpus,
    wants,
)
from awsbatch_simulator.ec2 import life as ec2_life
from awsbatch_simulator.ec2 import requests
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import InstanceType, expand
from awsbatch_simulator.ecs.model import InstanceStatus
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

ASKS_AGAIN_SECONDS = 60.0  # after EC2 had none of the types
EXECUTION_TIMEOUT_MINUTES = 30  # UpdatePolicy's default
NOBODY_JOINED = (
    "CLIENT_ERROR - Your compute environment has been INVALIDATED and scaled down because none of "
    "the instances joined the underlying ECS Cluster. Common issues preventing instances joining "
    "are the following: VPC/Subnet configuration preventing communication to ECS, incorrect "
    "Instance Profile policy preventing authorization to ECS, or customized AMI or LaunchTemplate "
    "configurations affecting ECS agent."
)
_SCALED = {Status.VALID, Status.UPDATING}


def follow_demand(region: Region) -> None:
    """Let every MANAGED environment with instances grow for what waits, and shrink."""
    for want in wants(region).values():
        environment = want.environment
        if environment.status in _SCALED:
            _give_up_strangers(region, environment)
        if environment.status in _SCALED:
            _grow(region, want)
            _shrink(region, environment)
            resources = environment.resources or {}
            resources["desiredvCpus"] = max(vcpus(region, environment), resources["minvCpus"])


def _grow(region: Region, want: Want) -> None:
    """Launch for `minvCpus`, for a `desiredvCpus` that a user has raised, and for waiting jobs."""
    environment, resources = want.environment, want.environment.resources or {}
    if not has_rights(region, environment):
        return
    have, most = vcpus(region, environment), resources["maxvCpus"]
    floor = resources["minvCpus"]
    if environment.usable:
        floor = max(floor, resources["desiredvCpus"])
    have += _launch_for(region, want, most - have)
    while have < floor and region.world.clock.now() >= environment.asks_again_at:
        types = sorted(expand(resources["instanceTypes"]))
        fitting = [each for each in types if each.vcpus <= most - have]
        size = _launch_one(region, environment, _preferred(fitting, floor - have))
        if size is None:
            return
        have += size.vcpus


def _launch_for(region: Region, want: Want, limit: int) -> int:
    """Launch until the jobs fit or the limit is reached; how many vCPUs came."""
    room, came, left = Room(), 0, sum(job.vcpus for job in want.jobs)
    for job in want.jobs:
        if not room.take(job):
            wanted = left if job.node is None else job.vcpus  # a node has an instance of its own
            fitting = [each for each in want.candidates(region, job) if each.vcpus <= limit - came]
            size = _launch_one(region, want.environment, _preferred(fitting, wanted))
            if size is None:
                break
            came += size.vcpus
            room.add(unused(region, size))
            room.take(job)
        left -= job.vcpus
    return came


def _preferred(types: list[InstanceType], wanted: float) -> list[InstanceType]:
    """Types by preference: the largest of those not above what is wanted, then the smallest."""
    below = [each for each in types if each.vcpus <= wanted]
    above = [each for each in types if each.vcpus > wanted]
    return sorted(below, key=lambda each: (-each.vcpus, each.memory, each.name)) + sorted(
        above, key=lambda each: (each.vcpus, each.memory, each.name)
    )


def _launch_one(
    region: Region, environment: Environment, types: list[InstanceType]
) -> InstanceType | None:
    """Launch the first type that EC2 has in one of the subnets; None if it has none of them."""
    resources = environment.resources or {}
    spot = resources["type"] == "SPOT"
    if resources.get("allocationStrategy", "BEST_FIT") == "BEST_FIT":
        types = types[:1]
    for size in types:
        for subnet in resources["subnets"]:
            zone = region.world.lookup.subnet_zone(region.place, subnet) or ""
            try:
                ec2_life.check_capacity(
                    region, type_name=size.name, zone=zone, spot=spot, subnet=subnet
                )
            except AwsFailure:
                continue
            _launch(region, environment, size, subnet=subnet, zone=zone)
            environment.lacking_type = ""
            return size
    if types:
        environment.lacking_type = types[0].name
        environment.asks_again_at = region.world.clock.now() + ASKS_AGAIN_SECONDS
    return None


def _launch(
    region: Region, environment: Environment, size: InstanceType, *, subnet: str, zone: str
) -> None:
    resources = environment.resources or {}
    data, image = launching.launched(region, environment, size)
    request: dict[str, Any] = data | {
        "ImageId": image,
        "InstanceType": size.name,
        "SubnetId": subnet,
        "IamInstanceProfile": {"Arn": resources["instanceRole"]},
    }
    if resources.get("securityGroupIds"):
        request["SecurityGroupIds"] = resources["securityGroupIds"]
    if resources.get("ec2KeyPair"):
        request["KeyName"] = resources["ec2KeyPair"]
    if resources.get("placementGroup"):
        request["Placement"] = {"GroupName": resources["placementGroup"]}
    if resources["type"] == "SPOT":
        request["InstanceMarketOptions"] = {"MarketType": "spot"}
    own_tags = requests.tags_for(data, "instance", among=requests.TAGGED_BY_TEMPLATES)
    ec2_life.launch(
        region,
        type_name=size.name,
        subnet=subnet,
        zone=zone,
        request=request,
        tags={"AWSBatchServiceTag": "batch", **own_tags, **resources.get("tags", {})},
        reservation=f"r-{region.world.hex_id(17)}",
        cluster_arn=environment.cluster_arn,
    )
    look_soon(region, seconds=region.world.settings.delays.agent_patience)


def _give_up_strangers(region: Region, environment: Environment) -> None:
    """An environment of which no instance joins for long is INVALID until it is updated."""
    patience = region.world.settings.delays.agent_patience
    now = region.world.clock.now()
    waiting = [each for each in instances(region, environment) if not _joined(region, each)]
    late = [each for each in waiting if now - each.launched_at >= patience]
    if late and len(waiting) == len(instances(region, environment)):
        environment.status, environment.status_reason = Status.INVALID, NOBODY_JOINED
        environment.nobody_joined = True
        queue_life.environment_judged(region, environment)
    for instance in late:
        ec2_life.terminate(region, instance)


def _joined(region: Region, instance: Instance) -> bool:
    return bool(region.ecs.of_host(instance.id))


def _shrink(region: Region, environment: Environment) -> None:
    """Terminate what has been idle long enough, but never below `minvCpus`.

    The policy's delay begins with an instance's last job: one without any does not wait for it.
    """
    resources = environment.resources or {}
    minutes = resources.get("scalingPolicy", {}).get("minScaleDownDelayMinutes", 0)
    usual = region.world.settings.delays.scale_down
    have, now = vcpus(region, environment), region.world.clock.now()
    for instance in instances(region, environment):
        joined = region.ecs.joined(instance.id)
        if joined is None or joined.tasks:
            continue
        patience = max(usual, minutes * 60) if joined.has_worked else usual
        size, left = size_of(instance).vcpus, joined.idle_since + patience - now
        if instance.retired or (left <= 0 and have - size >= resources["minvCpus"]):
            have -= size
            ec2_life.terminate(region, instance)
        elif left > 0:
            look_soon(region, seconds=left)


def retire_all(region: Region, environment: Environment) -> None:
    """An infrastructure update: no new jobs on the instances there are; they go when idle.

    Jobs have `jobExecutionTimeoutMinutes` to end, or no time at all with `terminateJobsOnUpdate`.
    """
    policy = environment.update_policy or {}
    minutes = policy.get("jobExecutionTimeoutMinutes", EXECUTION_TIMEOUT_MINUTES)
    if policy.get("terminateJobsOnUpdate"):
        minutes = 0
    for instance in instances(region, environment):
        instance.retired = True
        joined = region.ecs.joined(instance.id)
        if joined is None:
            ec2_life.terminate(region, instance)
        else:
            joined.status = InstanceStatus.DRAINING
            region.world.clock.call_after(minutes * 60, ec2_life.terminate, region, instance)


def has_retired(region: Region, environment: Environment) -> bool:
    """Whether an infrastructure update still waits for old instances."""
    return any(each.retired for each in instances(region, environment))


def terminate_all(region: Region, environment: Environment) -> None:
    """The environment is deleted, and its instances with it."""
    for instance in instances(region, environment):
        ec2_life.terminate(region, instance)
