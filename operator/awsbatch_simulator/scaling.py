"""MANAGED environments on EC2 and Spot: instances come for waiting jobs and go when idle.

Batch owns `desiredvCpus`: it follows the instances there are, between `minvCpus` and `maxvCpus`.
Sources: the fields of ComputeResource in the Batch API reference.
"""

from dataclasses import dataclass, field
from typing import Any

from awsbatch_simulator.batch.model import Environment, Job, Status
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ec2 import life as ec2_life
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import InstanceType, expand, instance_type
from awsbatch_simulator.ecs.model import CPU_UNITS, InstanceStatus
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

_SCALED = {Status.VALID, Status.UPDATING}


def follow_demand(region: Region) -> None:
    """Let every MANAGED environment with instances grow for what waits, and shrink."""
    for environment in list(region.batch.environments.values()):
        if environment.managed and not environment.fargate and environment.status in _SCALED:
            _grow(region, environment)
            _shrink(region, environment)
            resources = environment.resources or {}
            resources["desiredvCpus"] = max(vcpus(region, environment), resources["minvCpus"])


def instances(region: Region, environment: Environment) -> list[Instance]:
    """The living instances of an environment."""
    return list(region.ec2.managed.get(environment.cluster_arn, {}).values())


def vcpus(region: Region, environment: Environment) -> int:
    """The vCPUs of an environment's living instances."""
    return sum(_size(each).vcpus for each in instances(region, environment))


def _size(instance: Instance) -> InstanceType:
    size = instance_type(instance.type)
    if size is None:
        raise AwsFailure("InternalError", f"{instance.type} has left the catalogue", 500)
    return size


def candidates(environment: Environment, job: Job) -> list[InstanceType]:
    """The types that the environment may launch and on which the job fits, small ones first."""
    resources = environment.resources or {}
    return sorted(
        each
        for each in expand(resources.get("instanceTypes", ()))
        if each.vcpus >= job.vcpus
        and each.registered_memory >= job.memory
        and each.vcpus <= resources["maxvCpus"]
    )


@dataclass(slots=True)
class _Room:
    """Free room by instance: what joined ones have left, and all of those yet to come."""

    bins: list[list[int]] = field(default_factory=list)  # [CPU units, MiB]
    searched: dict[tuple[int, int], int] = field(default_factory=dict)

    def take(self, job: Job) -> bool:
        """Whether the job finds room; it takes it."""
        cpu, memory = int(job.vcpus * CPU_UNITS), job.memory
        for position in range(self.searched.get((cpu, memory), 0), len(self.bins)):
            left = self.bins[position]
            if left[0] >= cpu and left[1] >= memory:
                left[0] -= cpu
                left[1] -= memory
                self.searched[cpu, memory] = position
                return True
        self.searched[cpu, memory] = len(self.bins)
        return False

    def add(self, size: InstanceType) -> None:
        """An instance that was just launched."""
        self.bins.append([size.vcpus * CPU_UNITS, size.registered_memory])


def _room(region: Region, environment: Environment) -> _Room:
    room = _Room()
    for instance in instances(region, environment):
        joined = region.ecs.by_ec2_id.get(instance.id)
        if instance.retired:
            continue
        if joined is None:
            room.add(_size(instance))
        elif joined[1].status is InstanceStatus.ACTIVE:
            room.bins.append([joined[1].cpu_left, joined[1].memory_left])
    return room


def _grow(region: Region, environment: Environment) -> None:
    """Launch for `minvCpus`, for a `desiredvCpus` that a user has raised, and for waiting jobs."""
    resources = environment.resources or {}
    have = vcpus(region, environment)
    floor = resources["minvCpus"]
    if environment.usable:
        floor = max(floor, resources["desiredvCpus"])
    for job in _unmet(region, environment, resources["maxvCpus"] - have):
        have += _launch_for(region, environment, job, resources["maxvCpus"] - have)
    while have < floor:
        types = expand(resources["instanceTypes"])
        fitting = [each for each in sorted(types) if each.vcpus <= resources["maxvCpus"] - have]
        size = _launch_one(region, environment, _closest(fitting, floor - have))
        if size is None:
            return
        have += size.vcpus


def _unmet(region: Region, environment: Environment, limit: int) -> list["_Demand"]:
    """What waits for this environment and finds no room on its instances, by what fits together."""
    if not environment.usable:
        return []
    room, unmet = _room(region, environment), _Demand()
    for queue in region.batch.queues_of(environment):
        for job in region.batch.queue_jobs(queue).line:
            if unmet.vcpus >= limit:
                break
            if _choice(region, queue.environments, job) is environment and not room.take(job):
                unmet.jobs.append(job)
                unmet.vcpus += job.vcpus
    return [unmet] if unmet.jobs else []


@dataclass(slots=True)
class _Demand:
    """Jobs that need new instances."""

    jobs: list[Job] = field(default_factory=list)
    vcpus: float = 0.0


def _choice(region: Region, order: list[str], job: Job) -> Environment | None:
    """The first environment of a queue that could ever run the job, and has capacity."""
    by_arn = {each.arn: each for each in region.batch.environments.values()}
    able = [
        each
        for arn in order
        if (each := by_arn.get(arn)) is not None
        and each.usable
        and (not each.managed or each.fargate or candidates(each, job))
    ]
    with_capacity = [each for each in able if not each.lacks_capacity]
    return next(iter(with_capacity or able), None)


def _launch_for(region: Region, environment: Environment, demand: "_Demand", limit: int) -> int:
    """Launch until the jobs fit or the limit is reached; how many vCPUs came."""
    room, came, left = _Room(), 0, demand.vcpus
    for job in demand.jobs:
        if not room.take(job):
            fitting = [each for each in candidates(environment, job) if each.vcpus <= limit - came]
            size = _launch_one(region, environment, _closest(fitting, left))
            if size is None:
                break
            came += size.vcpus
            room.add(size)
            room.searched.clear()
            room.take(job)
        left -= job.vcpus
    return came


def _closest(types: list[InstanceType], wanted: float) -> list[InstanceType]:
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
    if resources["allocationStrategy"] == "BEST_FIT":
        types = types[:1]
    for size in types:
        for subnet in resources["subnets"]:
            zone = region.world.lookup.subnet_zone(region.place, subnet) or ""
            try:
                ec2_life.check_capacity(region, type_name=size.name, zone=zone, spot=spot)
            except AwsFailure:
                continue
            _launch(region, environment, size, subnet=subnet, zone=zone)
            environment.lacks_capacity = False
            return size
    environment.lacks_capacity = environment.lacks_capacity or bool(types)
    return None


def _launch(
    region: Region, environment: Environment, size: InstanceType, *, subnet: str, zone: str
) -> None:
    resources = environment.resources or {}
    request: dict[str, Any] = {
        "ImageId": _image(resources),
        "InstanceType": size.name,
        "SubnetId": subnet,
        "SecurityGroupIds": resources.get("securityGroupIds", []),
        "IamInstanceProfile": {"Arn": resources["instanceRole"]},
    }
    if resources["type"] == "SPOT":
        request["InstanceMarketOptions"] = {"MarketType": "spot"}
    ec2_life.launch(
        region,
        type_name=size.name,
        subnet=subnet,
        zone=zone,
        request=request,
        tags={"AWSBatchServiceTag": "batch", **resources.get("tags", {})},
        reservation=f"r-{region.world.hex_id(17)}",
        cluster_arn=environment.cluster_arn,
    )


def _image(resources: dict[str, Any]) -> str:
    for configuration in resources.get("ec2Configuration", ()):
        if configuration.get("imageIdOverride"):
            return str(configuration["imageIdOverride"])
    return str(resources.get("imageId") or "ami-0000000000ecs2023")


def _shrink(region: Region, environment: Environment) -> None:
    """Terminate what has been idle long enough, but never below `minvCpus`."""
    resources = environment.resources or {}
    minutes = resources.get("scalingPolicy", {}).get("minScaleDownDelayMinutes", 0)
    patience = max(region.world.settings.delays.scale_down, minutes * 60)
    have, now = vcpus(region, environment), region.world.clock.now()
    for instance in instances(region, environment):
        joined = region.ecs.by_ec2_id.get(instance.id)
        if joined is None or joined[1].tasks:
            continue
        size, left = _size(instance).vcpus, joined[1].idle_since + patience - now
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
    minutes = 0 if policy.get("terminateJobsOnUpdate") else policy["jobExecutionTimeoutMinutes"]
    for instance in instances(region, environment):
        instance.retired = True
        joined = region.ecs.by_ec2_id.get(instance.id)
        if joined is None:
            ec2_life.terminate(region, instance)
        else:
            joined[1].status = InstanceStatus.DRAINING
            region.world.clock.call_after(minutes * 60, ec2_life.terminate, region, instance)


def has_retired(region: Region, environment: Environment) -> bool:
    """Whether an infrastructure update still waits for old instances."""
    return any(each.retired for each in instances(region, environment))


def terminate_all(region: Region, environment: Environment) -> None:
    """The environment is deleted, and its instances with it."""
    for instance in instances(region, environment):
        ec2_life.terminate(region, instance)
