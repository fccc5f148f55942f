"""What the life cycles of all kinds share."""

from collections.abc import Callable
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.installations import Others
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.proofs import Proofs
from awsbatch_operator.kinds.sent import Sent


class Claims:
    """Objects that wait for an AWS name which another object of this cluster holds.

    In memory only: a claimant also looks again by itself after a while.
    """

    def __init__(self, wake: Callable[[ObjectKey], None]) -> None:
        self._wake = wake
        self._claimants: dict[ObjectKey, set[ObjectKey]] = {}

    def wait(self, holder: ObjectKey, claimant: ObjectKey) -> None:
        """Wake the claimant when the holder has let go."""
        self._claimants.setdefault(holder, set()).add(claimant)

    def freed(self, holder: ObjectKey) -> None:
        """The holder has nothing in AWS any more."""
        for claimant in sorted(self._claimants.pop(holder, ())):
            self._wake(claimant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Injected once, by whoever puts the operator together."""

    cache: Cache
    index: ReferenceIndex
    store: Store
    clock: Clock
    narrator: Narrator
    cluster_id: str
    others: Others
    claims: Claims
    proofs: Proofs
    sent: Sent
