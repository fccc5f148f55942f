"""How many objects stand how, counted as they change: what an alert on conditions is made of.

A scrape reads what is counted already. A scan of 100,000 objects would hold the event loop, and
with it the lease, for seconds at every scrape.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Change

OTHER = "Other"
_STATUSES = frozenset({"True", "False", "Unknown"})


class Shown(NamedTuple):
    """One condition of an object, without what differs from object to object."""

    condition: str
    status: str
    reason: str


NOT_JUDGED = (Shown("", "", ""),)
"""How an object stands whose status has no condition yet."""


class Tally:
    """Counts the objects of a cache, finished ones included, by kind and condition.

    Listens to the cache. One change costs the same however many objects there are. `conditions`
    and `reasons` are the known words: whoever may write a status could else invent labels without
    end, so any other word is counted as OTHER.
    """

    def __init__(self, *, conditions: Collection[str], reasons: Collection[str]) -> None:
        self._conditions = frozenset(conditions)
        self._reasons = frozenset(reasons)
        self._same: dict[tuple[Shown, ...], tuple[Shown, ...]] = {}  # alike ones share one tuple
        self._standing: dict[ObjectKey, tuple[Shown, ...]] = {}
        self._objects: Counter[tuple[str, tuple[Shown, ...]]] = Counter()

    def absorb(self, change: Change) -> None:
        """Take in a change of the cache."""
        key = change.key
        before = self._standing.get(key)
        if change.resource is None:
            self._standing.pop(key, None)
            self._leave(key.kind, before)
            return
        now = self._shown(change.resource)
        if now is before:
            return
        self._standing[key] = now
        self._objects[key.kind, now] += 1
        self._leave(key.kind, before)

    def counts(self) -> Iterator[tuple[tuple[str, str, str, str], int]]:
        """Each (kind, condition, status, reason) that an object has, and how many have it.

        Costs as much as there are different ways to stand: some dozens.
        """
        found: Counter[tuple[str, str, str, str]] = Counter()
        for (kind, standing), number in self._objects.items():
            for shown in standing:
                found[kind, *shown] += number
        yield from found.items()

    def _leave(self, kind: str, standing: tuple[Shown, ...] | None) -> None:
        if standing is None:
            return
        self._objects[kind, standing] -= 1
        if not self._objects[kind, standing]:
            del self._objects[kind, standing]

    def _shown(self, resource: Resource) -> tuple[Shown, ...]:
        listed = resource.status.get("conditions") or ()
        made = tuple([self._bounded(each) for each in listed]) or NOT_JUDGED
        return self._same.setdefault(made, made)

    def _bounded(self, condition: Shape) -> Shown:
        words = (
            (str(condition.get("type")), self._conditions),
            (str(condition.get("status")), _STATUSES),
            (str(condition.get("reason")), self._reasons),
        )
        return Shown(*(word if word in known else OTHER for word, known in words))
