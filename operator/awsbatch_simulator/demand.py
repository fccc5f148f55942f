"""What waits for MANAGED environments and finds no room on the instances they have.

Jobs go to the first environment of their queue that has room or may still grow; behind the first
job that finds neither, the line waits (as it does when jobs are placed).
"""

from dataclasses import dataclass, field

from awsbatch_simulator.batch.fair_share import dispatch
from awsbatch_simulator.batch.model import Environment, Job, Queue
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import InstanceType, expand, instance_type
from awsbatch_simulator.ecs.model import CPU_UNITS, InstanceStatus
from awsbatch_simulator.errors import server_exception
from awsbatch_simulator.host import sizes
from awsbatch_simulator.region import Region


def instances(region: Region, environment: Environment) -> list[Instance]:
    """The living instances of an environment."""
    return list(region.ec2.managed.get(environment.cluster_arn, {}).values())


def vcpus(region: Region, environment: Environment) -> int:
    """The vCPUs of an environment's living instances."""
    return sum(size_of(each).vcpus for each in instances(region, environment))


def size_of(instance: Instance) -> InstanceType:
    """The size of an instance's type."""
    size = instance_type(instance.type)
    if size is None:
        raise server_exception(f"{instance.type} has left the catalogue")
    return size


def registered(region: Region, size: InstanceType) -> tuple[int, int, int]:
    """CPU units, MiB and GPUs that ECS will register of an instance of that size."""
    memory = sizes.memory(size, region.world.settings.hosts) - sizes.MANAGED_RESERVED
    return size.vcpus * CPU_UNITS, memory, sizes.gpus(size.name)


def unused(region: Region, size: InstanceType) -> "Space":
    """A new instance of that size."""
    return Space(*registered(region, size), size.name)


def candidates(region: Region, environment: Environment, job: Job) -> list[InstanceType]:
    """The types that the environment may launch for such a job, small ones first."""
    resources = environment.resources or {}
    return sorted(
        each
        for each in expand(resources.get("instanceTypes", ()))
        if job.vcpus <= each.vcpus <= resources["maxvCpus"]
        and registered(region, each)[1] >= job.memory
        and sizes.gpus(each.name) >= job.gpus
        and job.instance_type in ("", each.name)
    )


def has_rights(region: Region, environment: Environment) -> bool:
    """Whether Batch's service role may do what it takes to start instances and tasks."""
    fault = region.world.faults.active(
        "role_lacks_permissions",
        role=environment.service_role,
        computeEnvironment=environment.name,
    )
    return fault is None


def takes_jobs(region: Region, environment: Environment) -> bool:
    """Whether Batch places jobs in it."""
    return environment.usable and has_rights(region, environment)


def could_have(region: Region, environment: Environment, job: Job) -> bool:
    """Whether the environment could come to run all nodes of a multi-node parallel job at once."""
    found = [candidates(region, environment, node) for node in job.children]
    most = (environment.resources or {}).get("maxvCpus", 0)
    return environment.takes_nodes and all(found) and sum(each[0].vcpus for each in found) <= most


@dataclass(slots=True)
class Space:
    """What an instance has left."""

    cpu: int  # units
    memory: int  # MiB
    gpus: int
    type: str
    idle: bool = True

    def has(self, job: Job) -> bool:
        """Whether the job, or a node that wants the instance for itself, finds room."""
        return (
            self.cpu >= job.vcpus * CPU_UNITS
            and self.memory >= job.memory
            and self.gpus >= job.gpus
            and (self.idle or job.node is None)
            and job.instance_type in ("", self.type)
        )

    def take(self, job: Job) -> None:
        """The job is placed there."""
        self.cpu -= int(job.vcpus * CPU_UNITS) if job.node is None else self.cpu
        self.memory -= job.memory
        self.gpus -= job.gpus
        self.idle = False


_Size = tuple[float, int, int, str, bool]


def _size(job: Job) -> _Size:
    return (job.vcpus, job.memory, job.gpus, job.instance_type, job.node is None)


@dataclass(slots=True)
class Room:
    """Free room by instance: what joined ones have left, and all of those yet to come."""

    spaces: list[Space] = field(default_factory=list)
    searched: dict[_Size, int] = field(default_factory=dict)

    def take(self, job: Job) -> bool:
        """Whether the job (of a parallel one: a node) finds room; it takes it."""
        size = _size(job)
        for position in range(self.searched.get(size, 0), len(self.spaces)):
            if self.spaces[position].has(job):
                self.spaces[position].take(job)
                self.searched[size] = position
                return True
        self.searched[size] = len(self.spaces)
        return False

    def add(self, space: Space) -> None:
        """One more instance."""
        self.spaces.append(space)
        self.searched.clear()


@dataclass(slots=True)
class Want:
    """One environment: its room, how much it may grow, and the jobs for which it should."""

    environment: Environment
    room: Room
    may_grow: float  # vCPUs
    jobs: list[Job] = field(default_factory=list)  # single ones, and nodes
    types: dict[_Size, list[InstanceType]] = field(default_factory=dict)

    def candidates(self, region: Region, job: Job) -> list[InstanceType]:
        """As the function of that name, remembered by size."""
        size = _size(job)
        if size not in self.types:
            self.types[size] = candidates(region, self.environment, job)
        return self.types[size]

    def accepts(self, region: Region, job: Job) -> bool:
        """Whether the job finds room here or makes the environment grow; it is noted.

        For nodes that find no instance of their own there are to be so many more; those that are
        free are kept for the others.
        """
        if job.nodes and not could_have(region, self.environment, job):
            return False
        left = [part for part in job.parts if not self.room.take(part)]
        if not all(self.candidates(region, part) for part in left):
            return False
        vcpus = sum(self._vcpus(region, part) for part in left)
        if vcpus > self.may_grow:
            return False
        self.may_grow -= vcpus
        self.jobs += left
        return True

    def _vcpus(self, region: Region, job: Job) -> float:
        """By how much it makes the environment grow: a node by a whole instance."""
        return job.vcpus if job.node is None else self.candidates(region, job)[0].vcpus


def wants(region: Region) -> dict[str, Want]:
    """What the MANAGED environments with instances should have, by ARN."""
    now = region.world.clock.now()
    found = {
        each.arn: Want(each, _room(region, each), _may_grow(region, each, now))
        for each in region.batch.environments.values()
        if each.launches
    }
    for queue in sorted(region.batch.queues.values(), key=lambda each: -each.priority):
        _assign(region, queue, [found[arn] for arn in queue.environments if arn in found])
    return found


def _assign(region: Region, queue: Queue, order: list[Want]) -> None:
    able = [want for want in order if takes_jobs(region, want.environment)]
    for job in dispatch(region, queue) if able else ():
        if not any(want.accepts(region, job) for want in able):
            return


def _may_grow(region: Region, environment: Environment, now: float) -> float:
    """Nothing while EC2 has just said that it has none."""
    if now < environment.asks_again_at:
        return 0.0
    return float((environment.resources or {})["maxvCpus"] - vcpus(region, environment))


def _room(region: Region, environment: Environment) -> Room:
    room = Room()
    for instance in instances(region, environment):
        joined = region.ecs.joined(instance.id)
        if instance.retired:
            continue
        if joined is None:
            room.add(unused(region, size_of(instance)))
        elif joined.status is InstanceStatus.ACTIVE and not joined.single_tenant:
            left = (joined.cpu_left, joined.memory_left, joined.gpus_left)
            room.add(Space(*left, instance.type, idle=not joined.tasks))
    return room
