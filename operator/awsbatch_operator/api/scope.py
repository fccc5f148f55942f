"""Where in AWS something happens, as whom, and whether we may still act."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from awsbatch_operator.api.instant import Instant


@dataclass(frozen=True, slots=True)
class Scope:
    """An account and a region, and the identity that acts there.

    `role_arn` None means the operator's own identity. Clients, sessions and rate limits are keyed
    by the scope, so two accounts never share one.
    """

    account_id: str
    region: str
    role_arn: str | None = None
    external_id: str | None = None


class Origin(Enum):
    """How an object came by what it has in AWS: deletion depends on it."""

    CREATED = "Created"
    ADOPTED = "Adopted"


@dataclass(frozen=True, slots=True)
class ScopeRecord:
    """What an object was resolved to first, from its annotation `awsbatch.dev/resolved`.

    Account and region never change afterwards: deletion, look-ups and repeats use them, whatever
    the spec, the accounts or the defaults say today. The AWS name may be succeeded while a
    replacement runs: `aws_name` is what the spec resolved to, `current` the name that serves now
    ("" while that is the first one), `successor` one that is being made to follow it, and
    `predecessors` those that AWS has not confirmed to be gone yet. No name is let go before that.
    """

    account: (
        str | None
    )  # the AWSAccount; "": the operator's own identity; None: known by number only
    account_id: str
    region: str
    aws_name: str
    origin: Origin = Origin.CREATED
    current: str = ""
    successor: str = ""
    predecessors: tuple[str, ...] = ()

    @property
    def serving(self) -> str:
        """The AWS name under which the object is looked for now."""
        return self.current or self.aws_name

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which AWS may hold something of the object."""
        successor = (self.successor,) if self.successor else ()
        return (self.serving, *successor, *self.predecessors)

    def succeeded_by(self, name: str) -> "ScopeRecord":
        """The same, while something of that name is being made to take over."""
        if self.successor:
            raise ValueError(f"{self.successor} is being made already")
        return replace(self, successor=name)

    def promoted(self) -> "ScopeRecord":
        """The successor serves now; the name before it is still to be removed."""
        if not self.successor:
            raise ValueError("there is no successor to promote")
        before = (*self.predecessors, self.serving)
        return replace(self, current=self.successor, successor="", predecessors=before)

    def without(self, name: str) -> "ScopeRecord":
        """AWS has confirmed that nothing of that name exists any more."""
        if name == self.serving:
            raise ValueError(f"{name} serves now and cannot be let go")
        rest = tuple(kept for kept in self.predecessors if kept != name)
        successor = "" if name == self.successor else self.successor
        return replace(self, successor=successor, predecessors=rest)

    def finding(self, name: str) -> "ScopeRecord":
        """AWS has something of the object under a name that was not recorded: it is to go, too."""
        return replace(self, predecessors=(*self.predecessors, name))

    def serving_as(self, name: str) -> "ScopeRecord":
        """What AWS has under that name serves, and nothing of the name before it is known."""
        return replace(self, current="" if name == self.aws_name else name)

    def named_as(self, other: "ScopeRecord") -> "ScopeRecord":
        """The same, with the names of another record."""
        return replace(
            self,
            current=other.current,
            successor=other.successor,
            predecessors=other.predecessors,
        )


class LeaseLostError(Exception):
    """The rest of the lease is too short for the call: nothing was sent."""


class NoTokenError(Exception):
    """There is no rate token for the call yet: nothing was sent. Come again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no rate token for another {seconds:.2f} s")
        self.seconds = seconds


class Permit(Protocol):
    """A rate token that is kept back for one call, for a few seconds."""

    def give_back(self) -> None:
        """The call is not made after all: somebody else may have the token now."""


class Fence(Protocol):
    """Asked by the sending thread just before a mutating call goes out."""

    def check(self, seconds: float) -> None:
        """Return if leadership lasts longer than `seconds` from now; else raise LeaseLostError."""


class LeadershipStart:
    """When this process won the lease; set once by app, before any work starts.

    Whoever led before makes no call any more from then on.
    """

    def __init__(self) -> None:
        self.at: Instant | None = None
