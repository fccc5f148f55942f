"""The values of this package: what user data is asked for, and what comes of that."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.words import joined, some_of

# EC2 takes 16 KiB, measured before base64 (RunInstances and CreateLaunchTemplate, UserData).
BYTES_LIMIT = 16_384
BYTES_WARNED = BYTES_LIMIT * 9 // 10
# More text than this never fits compressed, and is refused before anything looks through it.
TEXT_LIMIT = 65_536  # characters of one field

DEADLINE_PART = "awsbatch-deadline"
AGENT_PART = "awsbatch-ecs-config"

BOOTHOOK = "text/cloud-boothook"
CLOUD_CONFIG = "text/cloud-config"
SHELL_SCRIPT = "text/x-shellscript"

MARKETS = ("OnDemand", "Spot", "SpotBlock")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave in `userData` of one pool; the empty text stands for what is not given."""

    script: str = ""
    cloud_config: str = ""
    mime: str = ""
    ecs_config: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserData:
    """What the instances of one pool shall boot with.

    Nothing in it differs between two launches of a pool, so that the hash of a launch template that
    carries it does not either. Only `ends_at` does, which belongs to one block.
    """

    cluster: str  # of the compute environment: name or ARN
    cluster_id: str  # the operator's --cluster-id
    environment_uid: str
    pool: str
    market: str  # one of MARKETS; all but OnDemand may be interrupted
    region: str
    image_id: str
    gpu: bool = False
    ecs_endpoint: str = ""  # where the agent calls ECS; empty: AWS's own endpoint
    ends_at: Instant | None = None
    ends_after_seconds: int | None = None  # after the first boot; not together with ends_at
    given: Given = field(default_factory=Given)

    def path(self, *members: str) -> str:
        """Where a member of the pool stands in the spec."""
        return pool_path(self.pool, *members)


def pool_path(pool: str, *members: str) -> str:
    """Where a member of the pool stands in the spec of a ComputeEnvironment."""
    return ".".join((f"spec.capacity.pools[name={pool}]", *members))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, why that matters, and how to mend it."""

    path: str
    what: str
    why: str
    remedy: str

    def message(self) -> str:
        """What and why, for a Finding's message."""
        return joined(f"{self.path}: {self.what}", self.why)

    def text(self) -> str:
        """All of it as sentences."""
        return joined(self.message(), self.remedy)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no user data: one problem or more, in the order of the fields."""

    problems: tuple[Problem, ...]

    def message(self) -> str:
        """The first problem in full, and where the others are; of the same field, what they are."""
        first, *others = self.problems
        told = [each.what if each.path == first.path else each.path for each in others]
        more = f"Also wrong: {some_of(list(dict.fromkeys(told)))}" if others else ""
        return joined(first.message(), more)

    @property
    def remedy(self) -> str:
        """How to mend the first problem."""
        return self.problems[0].remedy


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the MIME message: a script, a cloud-config or the like."""

    content_type: str
    filename: str  # empty: cloud-init numbers it
    text: str  # without carriage returns
    headers: tuple[tuple[str, str], ...] = ()  # those that mean something to cloud-init


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The user data of a pool.

    `content` is what EC2 shall hand to the instance, not base64: boto3 encodes it for RunInstances,
    but not in CreateLaunchTemplate. The hash is of the text before it was compressed, because zlib
    may compress differently in another version.
    """

    content: bytes
    hash: str
    parts: tuple[Part, ...]
    text: str  # the content, not compressed
    compressed: bool
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """What counts against EC2's limit, in bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at something of the user's found."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def all_of(cls, looks: Sequence["Checked"]) -> "Checked":
        """What several looks found, each thing once."""
        return cls(
            tuple(dict.fromkeys(each for look in looks for each in look.problems)),
            tuple(dict.fromkeys(each for look in looks for each in look.warnings)),
        )
