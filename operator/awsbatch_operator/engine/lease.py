"""Who leads: the decision, from what was seen of the lease. Pure.

The clocks of other machines are not trusted. A lease counts as run out when this process has seen
it unchanged for as long as it lasts, by its own monotonic clock. Whoever holds it counts from
before it sent its last renewal, that is from earlier, so it gives up before another takes over,
however long requests and answers were on their way.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Which lease, as whom, and for how long; times in seconds.

    `identity` must be new for every process: whoever comes back under its old name would take the
    lease of its former self for its own. `call_seconds` is the longest time that a mutating call to
    AWS may take, its connect and its read timeout together.

    ValueError if the lease is too short for such calls.
    """

    namespace: str
    name: str
    identity: str
    duration_seconds: int = 30  # the Lease object holds whole seconds
    call_seconds: float = 13.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        least = math.ceil(2 * self.call_seconds)
        if self.duration_seconds < max(least, 1):
            raise ValueError(
                f"A lease of {self.duration_seconds} s is too short: a call to AWS may take "
                f"{self.call_seconds:g} s (connect and read timeout together) and is only sent "
                f"while the lease lasts longer than that. Set the lease to {least} s or more, "
                "or lower the timeouts."
            )

    @property
    def renew_seconds(self) -> float:
        """How often the holder renews it."""
        return self.duration_seconds / 3


@dataclass(frozen=True, slots=True)
class LeaseView:
    """The lease as it stands, and since when this process has seen it so.

    `version` is the resourceVersion: it changes with every renewal, whatever times the holder's
    clock shows. `present` is False when the object has been deleted since; its holder may not know
    yet, so it counts on until it has run out.
    """

    holder: str
    duration: float
    version: str
    since: float  # by the local monotonic clock
    transitions: int
    acquired: str | None
    present: bool = True


class Standing(Enum):
    """Whose the lease is."""

    FREE = "Free"  # nobody's: never made, released, or run out
    OURS = "Ours"
    THEIRS = "Theirs"


def viewed(
    previous: LeaseView | None, lease: Shape | None, *, now: float, duration: float
) -> LeaseView | None:
    """What is known after a read whose answer came at `now`.

    `duration` counts for a lease that states none of its own.
    """
    if lease is None:
        return None if previous is None else replace(previous, present=False)
    version = lease["metadata"]["resourceVersion"]
    if previous is not None and previous.version == version:
        return previous
    spec = lease.get("spec", {})
    return LeaseView(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or duration),
        version=version,
        since=now,
        transitions=spec.get("leaseTransitions") or 0,
        acquired=spec.get("acquireTime"),
    )


def evaluate(view: LeaseView | None, me: str, now: float) -> tuple[Standing, float]:
    """Whose the lease is, and in how many seconds that may change if nothing is heard."""
    if view is None or not view.holder:
        return Standing.FREE, 0.0
    if view.holder == me:
        return Standing.OURS, 0.0
    left = view.since + view.duration - now
    return (Standing.THEIRS, left) if left > 0 else (Standing.FREE, 0.0)


def claim(view: LeaseView | None, settings: LeaseSettings, now: Instant) -> dict[str, object]:
    """The spec with which this process takes or renews the lease."""
    renewal = view is not None and view.holder == settings.identity
    moment = now.rfc3339_micro()
    transitions = 0 if view is None else view.transitions
    return {
        "holderIdentity": settings.identity,
        "leaseDurationSeconds": settings.duration_seconds,
        "acquireTime": view.acquired if renewal and view is not None else moment,
        "renewTime": moment,
        "leaseTransitions": transitions if renewal or view is None else transitions + 1,
    }


def released(lease: Shape, now: Instant) -> dict[str, object]:
    """The spec that lets anybody take the lease at once."""
    return {**lease["spec"], "holderIdentity": "", "renewTime": now.rfc3339_micro()}
