"""What the engine calls, and what it wants to know afterwards."""

from dataclasses import dataclass
from typing import Protocol

from awsbatch_operator.api.metadata import ObjectKey


@dataclass(frozen=True, slots=True)
class Again:
    """The answer of one turn: when the object is due again, if nothing changes before.

    `after` is in seconds; None means only when something changes, or when the resync's interval has
    passed. `failed` hands the delay to the engine's own backoff (exponential, full jitter, reset by
    the next turn that has not failed); `after` is then the least delay.
    """

    after: float | None = None
    failed: bool = False


class Reconciler(Protocol):
    """One turn for one object. The engine never runs two turns of one key at once."""

    async def reconcile(self, key: ObjectKey) -> Again:
        """Look at the world and take the next step.

        Also called once when the object has vanished (it is in no cache then), so that what is
        kept in memory for it can be let go.

        ConflictError: the object has changed, the engine reads it afresh and asks again at once.
        LeaseLostError: nothing was sent; the turn is repeated, if leadership lasts. NoTokenError:
        nothing was sent; the turn is repeated after the time that it names, which is no failure.
        Any other Exception is logged and retried with backoff.
        """
