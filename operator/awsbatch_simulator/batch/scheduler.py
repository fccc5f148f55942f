"""Placing RUNNABLE jobs where there is room, and having MANAGED environments grow or shrink.

Queues with a higher priority come first. In each queue the jobs come in the order of
`fair_share.dispatch`, and where one finds no room the line behind it waits: AWS calls that a
blocked queue. Environments are tried in the queue's order. Sources: JobQueueDetail.priority and
computeEnvironmentOrder; the user guide's page "Jobs stuck in RUNNABLE status".
"""

import math
from dataclasses import dataclass, field

from awsbatch_simulator import scaling
from awsbatch_simulator.batch import attempts, blocked
from awsbatch_simulator.batch.fair_share import dispatch
from awsbatch_simulator.batch.model import Environment, Job, Queue, Status
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.demand import takes_jobs
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.ecs.model import CPU_UNITS, ContainerInstance
from awsbatch_simulator.region import Region

AGAIN_SECONDS = 15.0  # a blocked line is looked at again, for faults and settings may have changed


@dataclass(slots=True)
class Pass:
    """One look at all lines: for each cluster and size, how far instances were found full."""

    region: Region
    environments: dict[str, Environment]  # those that take jobs, by ARN
    placements: float = math.inf  # how many tasks ECS still takes
    searched: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    instances: dict[str, list[ContainerInstance]] = field(default_factory=dict)

    def room(self, environment: Environment, job: Job) -> ContainerInstance | None:
        """An instance of the environment with room for the job; within a pass room only shrinks."""
        cpu, memory, gpus = int(job.vcpus * CPU_UNITS), job.memory, job.gpus
        instances = self._instances(environment)
        key = (environment.cluster_arn, cpu, memory, gpus)
        for position in range(self.searched.get(key, 0), len(instances)):
            if instances[position].has_room(cpu, memory, gpus):
                self.searched[key] = position
                return instances[position]
        self.searched[key] = len(instances)
        return None

    def nodes(self, environment: Environment, job: Job) -> list[ContainerInstance] | None:
        """An instance for each node that nothing else runs on; None: not for all of them.

        Large nodes choose first, and each takes the smallest instance with room for it.
        """
        free = [each for each in self._instances(environment) if not each.tasks]
        free.sort(key=lambda each: (each.cpu, each.memory))
        found: dict[int, ContainerInstance] = {}
        for node in sorted(job.children, key=lambda each: (each.vcpus, each.memory), reverse=True):
            cpu = int(node.vcpus * CPU_UNITS)
            fitting = (
                each
                for each in free
                if each.has_room(cpu, node.memory, node.gpus)
                and node.instance_type in ("", self._type(each))
            )
            instance = next(fitting, None)
            if instance is None:
                return None
            free.remove(instance)
            found[node.node or 0] = instance
        return [found[index] for index in range(len(job.children))]

    def _type(self, instance: ContainerInstance) -> str:
        host = self.region.ec2.instances.get(instance.ec2_instance_id)
        return "" if host is None else host.type

    def _instances(self, environment: Environment) -> list[ContainerInstance]:
        arn = environment.cluster_arn
        if arn not in self.instances:
            cluster = self.region.ecs.cluster(arn)
            found = [
                each
                for each in (cluster.instances.values() if cluster is not None else ())
                if ecs_life.connected(self.region, each)
            ]
            # The fullest first: jobs are packed, so that idle instances can go.
            self.instances[arn] = sorted(found, key=lambda each: each.cpu_left)
        return self.instances[arn]


def look(region: Region) -> None:
    """Place what can be placed, then let environments follow the demand that is left."""
    store = region.batch
    open_ones = [each for each in store.environments.values() if takes_jobs(region, each)]
    this = Pass(region, {each.arn: each for each in open_ones}, _placements(region))
    queues = [each for each in store.queues.values() if each.status is not Status.DELETED]
    for queue in sorted(queues, key=lambda each: (-each.priority, each.name)):
        _place_line(this, queue)
        blocked.watch(region, queue)
    store.placements_left = this.placements
    scaling.follow_demand(region)
    if any(store.queue_jobs(queue).line for queue in queues):
        rate, pause = region.world.settings.placement_rate, region.world.settings.delays.scheduler
        again = 1 / rate if rate and this.placements < 1 else AGAIN_SECONDS
        look_soon(region, seconds=max(again, pause))


def _placements(region: Region) -> float:
    """How many tasks ECS takes now: no more is saved up than what comes between two looks."""
    store, now, settings = region.batch, region.world.clock.now(), region.world.settings
    since, store.placements_at = now - store.placements_at, now
    if (rate := settings.placement_rate) is None:
        return math.inf
    most = rate * max(settings.delays.scheduler, 1.0) + 1  # and a part of a task
    return min(most, store.placements_left + since * rate)


def _place_line(this: Pass, queue: Queue) -> None:
    for job in dispatch(this.region, queue):
        if this.placements < 1 or not _place(this, queue, job):
            return
        this.placements -= len(job.parts)


def _place(this: Pass, queue: Queue, job: Job) -> bool:
    """Start the job in the first environment that has room; whether there was one."""
    for arn in queue.environments:
        environment = this.environments.get(arn)
        if environment is None or environment.platform not in job.definition.platforms:
            continue
        if job.nodes:
            hosts = this.nodes(environment, job) if environment.takes_nodes else None
            if hosts is not None:
                attempts.place(this.region, job, environment, hosts)
                return True
        elif environment.fargate:
            limit = (environment.resources or {})["maxvCpus"]
            if environment.fargate_vcpus + job.vcpus <= limit:
                attempts.place(this.region, job, environment, [None])
                return True
        elif (instance := this.room(environment, job)) is not None:
            attempts.place(this.region, job, environment, [instance])
            return True
    return False
