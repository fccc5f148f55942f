"""Where in AWS something happens, as whom, and whether we may still act."""

from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an object was resolved to first, from its annotation `awsbatch.dev/resolved`.

    It never changes afterwards: deletion, look-ups and repeats use it, whatever the spec, the
    accounts or the defaults say today.
    """

    account: str  # name of the AWSAccount, "" for the operator's own identity
    account_id: str
    region: str
    aws_name: str


class LeaseLostError(Exception):
    """The rest of the lease is too short for the call: nothing was sent."""


class NoTokenError(Exception):
    """No rate token yet: nothing was sent. Come again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no rate token for {seconds:.3f} s")
        self.seconds = seconds


class Fence(Protocol):
    """Asked by the sending thread just before a mutating call goes out."""

    def check(self, seconds: float) -> None:
        """Return if leadership lasts longer than `seconds` from now; else raise LeaseLostError."""
