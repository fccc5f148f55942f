"""The settings of hosts (booting, agents), and of who is told of hosts and jobs."""

from enum import StrEnum

from pydantic import Field

from awsbatch_simulator.model import Model


class UserDataMode(StrEnum):
    """What booting user data means."""

    AUTO = "auto"  # executed where namespaces are to be had, else interpreted
    EXECUTE = "execute"  # it really runs, in a root of its own without network
    INTERPRET = "interpret"  # nothing runs: of what would, the usual forms are understood


class Hosts(Model):
    """Settings of hosts."""

    user_data: UserDataMode = UserDataMode.AUTO
    cache: bool = True  # user data that reads neither clock nor metadata is executed once
    at_once: int = Field(default=4, ge=1, le=64)  # boots that run at the same time
    boot_seconds: float = Field(default=20, gt=0)  # real; a boot is then given up
    process_mib: int = Field(default=1024, ge=64)  # address space of each process of a boot
    root_mib: int = Field(default=64, ge=8)  # size of a boot's root
    registered_memory: dict[str, int] = Field(default_factory=dict)  # MiB by instance type
    agent_images: tuple[str, ...] = ("*",)  # globs of the images that have the ECS agent
    gpu_images: tuple[str, ...] = ("*",)  # globs of the images that have a GPU driver
    # Globs of what no repository and no registry has.
    missing_packages: tuple[str, ...] = ("no-such-*",)
    missing_images: tuple[str, ...] = ("*no-such-*",)


class Notice(StrEnum):
    """Kinds of notices."""

    SPOT_INTERRUPTION = "EC2 Spot Instance Interruption Warning"
    REBALANCE = "EC2 Instance Rebalance Recommendation"
    STATE_CHANGE = "EC2 Instance State-change Notification"
    SCHEDULED_CHANGE = "AWS Health Event"  # the instance is to be retired


class Notices(Model):
    """Where notices about instances go, as an EventBridge rule with an SQS target would have it."""

    queue: str = ""  # name of the SQS queue, in each account and region; empty: no rule
    kinds: tuple[Notice, ...] = tuple(Notice)  # those that have a rule, by their detail-type


class JobEvent(StrEnum):
    """Kinds of events about jobs."""

    STATE_CHANGE = "Batch Job State Change"
    QUEUE_BLOCKED = "Batch Job Queue Blocked"


class JobEvents(Model):
    """Where events about jobs go, as an EventBridge rule with an SQS target would have it."""

    queue: str = ""  # name of the SQS queue, in each account and region; empty: no rule
    kinds: tuple[JobEvent, ...] = tuple(JobEvent)  # those that have a rule, by their detail-type
