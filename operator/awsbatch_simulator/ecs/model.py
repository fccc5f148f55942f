"""What exists in ECS, as plain objects."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awsbatch_simulator.batch.model import Job

CPU_UNITS = 1024  # of one vCPU
AGENT_VERSION = "1.100.0"  # of every agent; it speaks for none in particular


class InstanceStatus(StrEnum):
    """Whether ECS puts tasks on a container instance."""

    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"
    INACTIVE = "INACTIVE"  # deregistered


class TaskStatus(StrEnum):
    """Where a task is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(slots=True, eq=False)
class ContainerInstance:
    """An EC2 instance whose agent has registered with a cluster."""

    arn: str
    ec2_instance_id: str
    cpu: int  # registered, in CPU units
    memory: int  # registered, in MiB
    registered_at: float  # epoch seconds
    gpus: int = 0  # registered
    attributes: list[dict[str, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    status: InstanceStatus = InstanceStatus.ACTIVE
    agent_connected: bool = True
    version: int = 1
    cpu_left: int = 0
    memory_left: int = 0
    gpus_left: int = 0
    tasks: dict[str, "Task"] = field(default_factory=dict)  # by ARN
    idle_since: float = 0.0
    has_worked: bool = False  # a task was placed on it
    single_tenant: bool = False  # a node of a parallel job runs on it, and nothing else does

    def has_room(self, cpu: int, memory: int, gpus: int = 0) -> bool:
        """Whether ECS would put a task of that size on it."""
        return (
            self.status is InstanceStatus.ACTIVE
            and self.agent_connected
            and not self.single_tenant
            and self.cpu_left >= cpu
            and self.memory_left >= memory
            and self.gpus_left >= gpus
        )


@dataclass(slots=True, eq=False)
class Cluster:
    """An ECS cluster."""

    name: str
    arn: str
    tags: dict[str, str] = field(default_factory=dict)
    active: bool = True
    instances: dict[str, ContainerInstance] = field(default_factory=dict)  # by ARN
    tasks: dict[str, "Task"] = field(default_factory=dict)  # by ARN
    # By ARN: INACTIVE, still described for an hour.
    deregistered: dict[str, ContainerInstance] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Task:
    """One attempt of a job, as ECS sees it."""

    arn: str
    id: str
    cluster: Cluster
    job: "Job"
    cpu: int
    memory: int
    created_at: float
    gpus: int = 0
    instance: ContainerInstance | None = None  # None on Fargate
    status: TaskStatus = TaskStatus.PENDING
    started_at: float | None = None
    stopped_reason: str = ""

    @property
    def group(self) -> str:
        """The group that a task has for which none was chosen. Source: RunTask, `group`."""
        return f"family:{self.job.definition.name}"
