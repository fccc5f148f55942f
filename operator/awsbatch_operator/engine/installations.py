"""Objects that another installation of the operator serves: seen, and never touched.

Two installations may see the same object: one for the cluster and one for a namespace of it. The
first one that writes into an object notes in it that it serves it, by the very write that it makes
anyway, and the other one keeps its hands off. Both notes are guarded by the version of the object,
so of two that begin at the same moment one is refused, looks again, and finds the other's note.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace

import structlog

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.cache import Change

TOLD = 1000  # namespaces with other installations that are remembered, so that each is told once

_log = structlog.get_logger(__name__)


class Others:
    """Which objects are another installation's. Listens to the cache.

    Counts them, and says once in which namespaces there are any. `own` is who we are.
    """

    def __init__(self, own: str) -> None:
        self.own = own
        self._keys: dict[str, set[ObjectKey]] = {}  # theirs, by kind
        self._theirs: Counter[str] = Counter()  # how many there are in each namespace
        self._ours: dict[str, set[ObjectKey]] = {}  # what is ours, by namespace
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def serve(self, resource: Resource) -> bool:
        """Whether the object is not ours to touch.

        Where nobody serves it yet, it goes to the others if they alone serve what is around it. A
        job would else be served by chance by an installation that may not use its queue.
        """
        if resource.served_by:
            return resource.is_served_elsewhere(self.own)
        place = resource.key.namespace
        return self._theirs[place] > 0 and place not in self._ours

    def heard(self, change: Change) -> None:
        """Take in a change of the cache."""
        key, resource = change.key, change.resource
        theirs = self._keys.setdefault(key.kind, set())
        server = "" if resource is None else resource.served_by
        self._note(key, ours=resource is not None and server == self.own)
        if server not in {"", self.own}:
            self._theirs[key.namespace] += key not in theirs
            theirs.add(key)
            self._tell(key, server)
        elif key in theirs:
            theirs.discard(key)
            self._theirs[key.namespace] -= 1

    def _note(self, key: ObjectKey, *, ours: bool) -> None:
        """Also that it no longer is: whoever has handed over all would else take new ones."""
        if ours:
            self._ours.setdefault(key.namespace, set()).add(key)
        elif key in self._ours.get(key.namespace, ()):
            self._ours[key.namespace].discard(key)
            if not self._ours[key.namespace]:
                del self._ours[key.namespace]

    def counts(self) -> list[tuple[tuple[str], int]]:
        """How many there are of each kind."""
        return [((kind,), len(keys)) for kind, keys in self._keys.items() if keys]

    def _tell(self, key: ObjectKey, other: str) -> None:
        about = (key.namespace, other)
        if about in self._told:
            return
        self._told[about] = None
        if len(self._told) > TOLD:
            self._told.popitem(last=False)
        _log.warning(
            "left to another installation",
            namespace=key.namespace,
            installation=other,
            own=self.own,
            first=str(key),
            remedy="if it is gone for good, hand its objects over: docs/installations.md",
        )


def but_others(installation: str, *listeners: Callable[[Change], None]) -> Callable[[Change], None]:
    """A listener of the cache for others to which objects of other installations do not exist."""

    def hears(change: Change) -> None:
        resource = change.resource
        if resource is not None and resource.is_served_elsewhere(installation):
            change = replace(change, resource=None)
        for listener in listeners:
            listener(change)

    return hears
