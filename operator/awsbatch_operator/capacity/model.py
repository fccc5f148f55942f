"""What the capacity of an UNMANAGED environment is made of: types, offers, needs, room, the wish.

Money is `Decimal`, in US dollars an hour. CPU is counted in ECS's units (1,024 a vCPU), so that
halves of a vCPU add up exactly; memory in MiB, as ECS registers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from awsbatch_operator.api.metadata import Shape

CPU_UNITS = 1024
RESERVED_MIB = 32
"""What our agents keep back: ECS_RESERVED_MEMORY, as Batch sets it on its own instances."""

# What ECS was seen to register, by type, before ECS_RESERVED_MEMORY. Source: AWS Batch user guide,
# "Compute resource memory management" (8373026816 bytes).
_MEASURED_MIB: Mapping[str, int] = {"m4.large": 7985}
# The estimate for others: kernel and firmware take a fixed part and a share. It is low on purpose,
# for too high a one launches what the job never fits, again and again. Seen of users: 31,431 MiB of
# 32 GiB (aws/containers-roadmap#2231), 7,820 MiB or more of 8 GiB (an m6i.large).
_FIXED_MIB = 64
_SHARE_PERCENT = Decimal("4.5")


class Market(StrEnum):
    """How capacity is bought."""

    ON_DEMAND = "OnDemand"
    SPOT = "Spot"
    SPOT_BLOCK = "SpotBlock"


class OnRebalance(StrEnum):
    """What a rebalance recommendation of EC2 does."""

    IGNORE = "Ignore"
    DRAIN = "Drain"
    REPLACE = "Replace"


class ReplacePolicy(StrEnum):
    """What becomes of instances whose image, user data or type is no longer the wanted one."""

    WHEN_IDLE = "WhenIdle"
    NEVER = "Never"


class BlockStart(StrEnum):
    """When a block begins: when a job first waits for it, or as soon as it is asked for."""

    ON_DEMAND = "OnDemand"
    IMMEDIATELY = "Immediately"


class Renew(StrEnum):
    """Whether another block follows."""

    NEVER = "Never"
    WHILE_DEMAND = "WhileDemand"


class Rung(StrEnum):
    """A way to capacity for a time; a block tries those that are listed, in their order."""

    OWN_RESERVATION = "OwnReservation"
    NEW_RESERVATION = "NewReservation"
    UNTIL_DEADLINE = "OnDemandUntilDeadline"
    SPOT = "Spot"


DEFAULT_LADDER = (Rung.OWN_RESERVATION, Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)


def registered_mib(name: str, nominal: int, *, reserved: int = RESERVED_MIB) -> int:
    """MiB that ECS registers for a type of that nominal size; an estimate unless it was measured.

    `reserved` is ECS_RESERVED_MEMORY of the instance.
    """
    share = int(nominal * _SHARE_PERCENT / 100)
    seen = _MEASURED_MIB.get(name, nominal - _FIXED_MIB - share)
    return max(0, seen - reserved)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """What EC2 says of a type (DescribeInstanceTypes), and what ECS registers of an instance."""

    name: str
    vcpus: int  # nominal: what limits and quotas count
    memory_mib: int  # nominal
    registered_mib: int  # less than nominal
    registered_cpu: int  # ECS CPU units, after cpuOptions
    gpus: int = 0
    architecture: str = "x86_64"
    default_cores: int = 0
    threads_per_core: int = 2

    @staticmethod
    def described(
        body: Shape,
        *,
        threads_per_core: int | None = None,
        max_cpus: int | None = None,
        reserved: int = RESERVED_MIB,
        seen_mib: int | None = None,
    ) -> "InstanceType":
        """Read an entry of DescribeInstanceTypes; KeyError if it is none.

        `threads_per_core` is the pool's cpuOptions, or its image's, and `max_cpus` what the kernel
        of the image uses at most. `seen_mib`, which ECS has registered, goes before every estimate.
        """
        name, cpu = str(body["InstanceType"]), body["VCpuInfo"]
        vcpus, memory = int(cpu["DefaultVCpus"]), int(body["MemoryInfo"]["SizeInMiB"])
        default_threads = int(cpu.get("DefaultThreadsPerCore", 1))
        cores = int(cpu.get("DefaultCores", vcpus // default_threads))
        threads = min(threads_per_core or default_threads, default_threads)
        gpus = body.get("GpuInfo", {}).get("Gpus", ())
        supported = body.get("ProcessorInfo", {}).get("SupportedArchitectures", ("x86_64",))
        cpus = min(cores * threads, max_cpus or cores * threads)
        estimate = registered_mib(name, memory, reserved=reserved)
        return InstanceType(
            name=name,
            vcpus=vcpus,
            memory_mib=memory,
            registered_mib=estimate if seen_mib is None else seen_mib,
            registered_cpu=cpus * CPU_UNITS,
            gpus=sum(int(each["Count"]) for each in gpus),
            architecture="arm64" if "arm64" in supported else "x86_64",
            default_cores=cores,
            threads_per_core=threads,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that can be bought: a type in a zone, by way of a subnet."""

    pool: str
    market: Market
    instance_type: str
    zone: str
    subnet: str
    price: Decimal | None  # US dollars an hour; None: unknown
    vcpus: int = 0  # of the type, nominal; 0: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Jobs that wait and are alike: each wants this much of one instance."""

    vcpus: float
    memory_mib: int
    gpus: int = 0
    count: int
    jobs: tuple[str, ...] = ()  # the ids of the first few, for messages
    waited_seconds: float = 0.0  # the longest
    timeout_seconds: int | None = None  # of an attempt; None: it may run for ever

    @property
    def cpu(self) -> int:
        """ECS CPU units of one job."""
        return round(self.vcpus * CPU_UNITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Free room on a container instance, or all of one on its way."""

    instance: str
    pool: str  # "" if the instance is none of ours
    vcpus: float
    memory_mib: int
    gpus: int = 0
    seconds_left: float | None = None  # until it ends; None: it has no end
    count: int = 1  # so many that are alike

    @property
    def cpu(self) -> int:
        """ECS CPU units."""
        return round(self.vcpus * CPU_UNITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """`instanceRequirements`: types by what they have, instead of by name. None: no bound."""

    vcpus: tuple[int | None, int | None] = (None, None)
    memory_mib: tuple[int | None, int | None] = (None, None)
    architecture: str = ""
    gpus: int | None = None  # acceleratorCount: at least so many
    families: tuple[str, ...] = ()

    def accept(self, about: InstanceType) -> bool:
        """Whether the type is one of them. Types with GPUs only where GPUs are asked for."""
        return (
            _within(about.vcpus, self.vcpus)
            and _within(about.memory_mib, self.memory_mib)
            and self.architecture in {"", about.architecture}
            and (about.gpus >= self.gpus if self.gpus else about.gpus == 0)
            and (not self.families or about.name.partition(".")[0] in self.families)
        )


def _within(value: int, bounds: tuple[int | None, int | None]) -> bool:
    low, high = bounds
    return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotBlock:
    """So many instances, for at least so long."""

    duration_seconds: int
    instance_count: int
    start: BlockStart = BlockStart.ON_DEMAND
    request: int = 1
    renew: Renew = Renew.NEVER
    release_when_idle: bool = False
    fallback: tuple[Rung, ...] = DEFAULT_LADDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Instances that are bought, launched and kept by the same rules."""

    name: str
    market: Market
    priority: int = 1  # lower first
    instance_types: tuple[str, ...] = ()
    requirements: Requirements | None = None
    max_price_per_hour: Decimal | None = None
    min_instances: int = 0
    max_instances: int | None = None  # None: only the limits of all pools
    idle_seconds: int = 300
    registration_timeout_seconds: int = 600
    drain_timeout_seconds: int = 120
    on_rebalance: OnRebalance = OnRebalance.IGNORE
    replace_policy: ReplacePolicy = ReplacePolicy.WHEN_IDLE
    threads_per_core: int | None = None
    spot_block: SpotBlock | None = None

    def accepts(self, about: InstanceType) -> bool:
        """Whether the type is one of the pool's."""
        if self.instance_types:
            return about.name in self.instance_types
        return self.requirements is not None and self.requirements.accept(about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all pools together never exceed; None: no such limit."""

    max_vcpus: int | None = None
    max_instances: int | None = None
    max_hourly_cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`spec.capacity` of an environment."""

    limits: Limits
    overflow_seconds: int = 120
    pools: tuple[Pool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a pool, or all of them, have by now. Open launch intents count in full."""

    instances: int = 0
    vcpus: int = 0
    hourly_cost: Decimal | None = Decimal(0)  # None: the price of some of it is unknown

    def __add__(self, other: "Used") -> "Used":
        known = self.hourly_cost is not None and other.hourly_cost is not None
        total = (self.hourly_cost or Decimal(0)) + (other.hourly_cost or Decimal(0))
        return Used(
            instances=self.instances + other.instances,
            vcpus=self.vcpus + other.vcpus,
            hourly_cost=total if known else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What each pool has; pools that have nothing may be left out."""

    pools: Mapping[str, Used] = field(default_factory=dict)

    def of(self, pool: str) -> Used:
        """One pool's."""
        return self.pools.get(pool, Used())

    def total(self) -> Used:
        """All pools'."""
        return sum(self.pools.values(), Used())
