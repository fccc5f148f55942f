"""What exists in Batch, as plain objects; the times are epoch milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from awsbatch_simulator.clock import Timer

if TYPE_CHECKING:
    from awsbatch_simulator.ecs.model import Task
    from awsbatch_simulator.runners.base import Run

MINUTE = 60_000
# Platform capabilities; EKS is none, and stands for the platform of definitions with pods.
EC2, FARGATE, MANAGED_INSTANCES, EKS = "EC2", "FARGATE", "MANAGED_INSTANCES", "EKS"
FARGATE_SPOT, MANAGED_TYPE = "FARGATE_SPOT", "ECS_MANAGED_INSTANCES"  # types of resources
FARGATE_TYPES = frozenset({"FARGATE", FARGATE_SPOT})


class State(StrEnum):
    """What the user wants of an environment or a queue."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class Status(StrEnum):
    """Where AWS is with an environment or a queue."""

    CREATING = "CREATING"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    DELETED = "DELETED"
    VALID = "VALID"
    INVALID = "INVALID"


BUSY = frozenset({Status.CREATING, Status.UPDATING, Status.DELETING})  # refuses to be modified


class JobStatus(StrEnum):
    """The states of a job, in the order in which it passes them."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def finished(self) -> bool:
        """Whether nothing follows."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED}


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """A version of a launch template, as Batch has read it."""

    template_id: str
    version: int
    data: dict[str, Any]  # RequestLaunchTemplateData; not to be changed
    types: frozenset[str] = frozenset()  # those that it is for, of an override; empty: all others

    @property
    def image(self) -> str:
        """The image that it names, if any."""
        return str(self.data.get("ImageId") or "")


@dataclass(slots=True)
class Launching:
    """What Batch has read when an environment was created or had its last infrastructure update."""

    templates: tuple[ReadTemplate, ...] = ()
    template_image: str = ""  # the launch template's, if instances are launched with that
    images: dict[str, str] = field(default_factory=dict)  # Batch's own, by image type
    used: set[str] = field(default_factory=set)  # image types that instances were launched with
    chosen: bool = False  # whether the images have been chosen for the first time
    newest: bool = False  # the newest images are asked for, and have not been read yet
    trouble: str = ""  # what EC2 has said of a template that could not be read


@dataclass(slots=True, eq=False)
class Environment:
    """A compute environment."""

    name: str
    arn: str
    uuid: str
    type: str  # MANAGED or UNMANAGED
    state: State
    service_role: str
    cluster_arn: str  # of ECS; empty: on EKS
    resources: dict[str, Any] | None  # computeResources, desiredvCpus included
    tags: dict[str, str]
    status: Status = Status.CREATING
    status_reason: str = ""
    unmanaged_vcpus: int | None = None
    update_policy: dict[str, Any] | None = None
    extras: dict[str, Any] = field(default_factory=dict)  # echoed: ecsSettings, context
    timer: Timer | None = None
    fargate_vcpus: float = 0.0  # taken by tasks that have no instance
    lacking_type: str = ""  # the type that EC2 did not have when it was asked last
    asks_again_at: float = 0.0  # epoch seconds: until then Batch does not ask EC2 again
    nobody_joined: bool = False  # INVALID because no instance has joined, until it is updated
    failed_update: str = ""  # what Batch has said of the last update, if that failed
    launching: Launching = field(default_factory=Launching)
    kubernetes: dict[str, Any] | None = None  # eksConfiguration

    @property
    def kind(self) -> str:
        """The type of its compute resources, if it has any."""
        return str((self.resources or {}).get("type", ""))

    @property
    def on_cluster(self) -> str:
        """The EKS cluster that it is on, if any."""
        return str((self.kubernetes or {}).get("eksClusterArn", ""))

    @property
    def managed(self) -> bool:
        """Whether Batch brings the instances."""
        return self.type == "MANAGED"

    @property
    def fargate(self) -> bool:
        """Whether its tasks need no instance."""
        return self.kind in FARGATE_TYPES

    @property
    def takes_nodes(self) -> bool:
        """Whether nodes of multi-node parallel jobs run here: not UNMANAGED, and not on Spot.

        Source: the user guide's "Compute environment considerations" for such jobs.
        """
        return self.kind == "EC2" and self.launches

    @property
    def launches(self) -> bool:
        """Whether Batch launches instances of EC2 for it, which join a cluster of ECS."""
        return self.kind in {"EC2", "SPOT"} and self.kubernetes is None

    @property
    def platform(self) -> str:
        """The platform that a definition needs for its jobs to run here."""
        if self.kubernetes is not None:
            return EKS
        if self.kind == MANAGED_TYPE:
            return MANAGED_INSTANCES
        return FARGATE if self.fargate else EC2

    @property
    def usable(self) -> bool:
        """Whether Batch places jobs in it."""
        return self.state is State.ENABLED and self.status in {Status.VALID, Status.UPDATING}


@dataclass(slots=True, eq=False)
class Queue:
    """A job queue."""

    name: str
    arn: str
    state: State
    priority: int
    environments: list[str]  # ARNs, in the order in which they are tried
    order: list[dict[str, Any]]  # computeEnvironmentOrder as it is described
    tags: dict[str, str]
    platform: str = EC2  # of its environments
    policy_arn: str | None = None
    time_limits: list[dict[str, Any]] = field(default_factory=list)
    status: Status = Status.CREATING
    status_reason: str = ""
    timer: Timer | None = None


@dataclass(slots=True, eq=False)
class Definition:
    """One revision of a job definition."""

    name: str
    arn: str
    revision: int
    content: dict[str, Any]  # as described, without status
    tags: dict[str, str]
    active: bool = True

    @property
    def platforms(self) -> Sequence[str]:
        """The platforms that it can run on: EC2 where it names none."""
        if "eksProperties" in self.content:
            return (EKS,)
        return self.content.get("platformCapabilities") or (EC2,)


@dataclass(slots=True, eq=False)
class Policy:
    """A scheduling policy."""

    name: str
    arn: str
    content: dict[str, Any]
    tags: dict[str, str]


@dataclass(slots=True, eq=False)
class Job:
    """A job: a single one, an array's parent or child, a parallel one of nodes, or such a node."""

    id: str
    arn: str
    name: str
    queue: Queue
    definition: Definition
    created_at: int
    order: tuple[int, int]  # place in the line: age, then index in the array
    container: dict[str, Any]  # what was asked for, definition and overrides merged
    vcpus: float
    memory: int  # MiB
    static: dict[str, Any]  # members of JobDetail that never change
    tags: dict[str, str]
    gpus: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)  # containerOverrides as they were sent
    attempts_allowed: int = 1
    retry_rules: list[dict[str, Any]] = field(default_factory=list)
    timeout_seconds: int | None = None
    status: JobStatus = JobStatus.SUBMITTED
    status_reason: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)  # exitCode, reason, taskArn, … of now
    started_at: int | None = None
    stopped_at: int | None = None
    cancelled: bool = False
    terminated: bool = False
    end_reason: str = ""  # the reason given with CancelJob or TerminateJob
    timed_out: bool = False
    waits_for: set[str] = field(default_factory=set)  # ids; a child waits for its parent's release
    dependency_failed: bool = False
    dependents: list["Job"] = field(default_factory=list)
    environment: Environment | None = None
    task: "Task | None" = None
    run: "Run | None" = None
    timers: list[Timer] = field(default_factory=list)
    moved_at: int = 0  # when the status changed last
    head_since: int | None = None  # when it came to the head of its line
    parent: "Job | None" = None
    index: int | None = None  # of an array's child
    array_size: int = 0  # of a parent; 0: no array
    released: bool = False  # an array's parent that has let its children go
    nodes: dict[str, Any] | None = None  # nodeProperties of a multi-node parallel job
    node: int | None = None  # the index of a node of one
    instance_type: str = ""  # the only one that a node runs on; empty: any
    several: dict[str, Any] | None = None  # the task of a job of several containers
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)  # of these, by name
    children: list["Job"] = field(default_factory=list)  # of an array, or all nodes
    summary: dict[str, int] = field(default_factory=dict)  # of an array's parent: by status
    summary_at: int = 0
    fragment: bytes | None = None  # the JobDetail as JSON, until something changes

    @property
    def attempt(self) -> int:
        """The number of the attempt that runs or comes next, from 1: a node's is its job's."""
        return len(self.whole.attempts) + 1

    @property
    def whole(self) -> "Job":
        """The job that is placed, cancelled and tried again as one: a node's is its parent."""
        return self if self.parent is None or self.node is None else self.parent

    @property
    def parts(self) -> Sequence["Job"]:
        """What takes room on instances: the job itself, or each node of a parallel one."""
        return self.children if self.nodes else (self,)

    @property
    def leading(self) -> "Job":
        """What decides how an attempt ends: the job itself, or the main node of a parallel one."""
        return self.children[self.nodes["mainNode"]] if self.nodes else self

    @property
    def leads(self) -> bool:
        """Whether the end of this job's task is that of the attempt: all but other nodes."""
        return self.whole.leading is self or self.node is None

    @property
    def number(self) -> int | None:
        """Which child of its parent it is."""
        return self.index if self.node is None else self.node
