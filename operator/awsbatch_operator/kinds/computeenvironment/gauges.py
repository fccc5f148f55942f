"""What `status.capacity` of all environments says, as numbers for a scrape.

Kept as the objects change: at rest it costs nothing, and a scrape looks at environments alone, of
which an account has some dozens.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.kinds.computeenvironment.capacity_spec import POOLS
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE

STAGES = ("wanted", "launched", "joined", "serving", "idle", "draining")
INSTANCE_LABELS = ("namespace", "environment", "pool", "stage")
COST_LABELS = ("namespace", "environment", "pool")


class CapacityGauges:
    """Listens to the cache. Whoever may write a status can make it say no more than it is made for.

    Labels name environments and pools: the former are as many as AWS allows, the latter 16 each.
    """

    def __init__(self) -> None:
        self._pools: dict[ObjectKey, Sequence[Shape]] = {}

    def absorb(self, change: Change) -> None:
        """Take in a change of the cache."""
        if change.key.kind != RESOURCE.kind:
            return
        rows = () if change.resource is None else _rows(change.resource)
        if rows:
            self._pools[change.key] = rows
        else:
            self._pools.pop(change.key, None)

    def instances(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """How many instances of a pool are in each stage."""
        for labels, row in self._each():
            for stage in STAGES:
                count = _number(row.get(stage))
                if count is not None:
                    yield (*labels, stage), count

    def costs(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """US dollars an hour of a pool's instances, where their prices are known."""
        for labels, row in self._each():
            cost = _number(row.get("hourlyCost"))
            if cost is not None:
                yield labels, cost

    def _each(self) -> Iterator[tuple[tuple[str, str, str], Shape]]:
        for key, rows in self._pools.items():
            for row in rows:
                yield (key.namespace, key.name, str(row["name"])), row


def _rows(resource: Resource) -> Sequence[Shape]:
    """The rows of the pools that the spec has; others, of pools that were, have no instances."""
    capacity = resource.spec.get("capacity")
    shown = resource.status.get("capacity")
    if not isinstance(capacity, Mapping) or not isinstance(shown, Mapping):
        return ()
    return tuple(row for row in (shown.get("pools") or ())[:POOLS] if row.get("name"))


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None
