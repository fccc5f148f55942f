"""API servers that show the past, or for a while nothing: what a list and a watch may really do.

Writes and GETs go to etcd, whatever server they reach, and there a stale write is a conflict. A
list and a watch are answered from the server's own cache: after a restart of the operator, or when
a connection fails over to another server, that cache may be behind. Then resourceVersions go back,
a finalizer is not there yet, an object that is gone is still listed; later the server catches up.

And a watch that breaks off and is begun anew tells only what is there now. What came and went in
between, nobody sees: edited there and back, deleted and made anew under the same name.
"""

import copy
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any, cast

from tests.support.memory_kube import MemoryKube
from tests.support.memory_objects import Body, Objects, Subscriber, copied, key_of

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kube.port import KubePort

OLDEST = 300.0  # seconds; no server is further behind

# How a watch begins, as the engine hears it: the objects that are listed, without a type.
LISTED = cast("str", None)


class History:
    """All changes of a Kubernetes, in order."""

    def __init__(self, kube: MemoryKube, clock: Clock) -> None:
        self.kube = kube
        self._clock = clock
        self._log: list[tuple[str, Body]] = []
        self._moments: list[float] = []  # of the changes, by the monotonic clock
        self._listeners: list[Callable[[], None]] = []
        kube.subscribe(self._record)

    def __len__(self) -> int:
        return len(self._log)

    def since(self, number: int) -> list[tuple[str, Body]]:
        """The changes after the first so many."""
        return self._log[number:]

    def recent(self, seconds: float) -> int:
        """How many changes there were in the last so many seconds."""
        return len(self._log) - bisect_left(self._moments, self._clock.monotonic() - seconds)

    def state(self, number: int) -> dict[ObjectKey, Body]:
        """The objects as they were after so many changes."""
        found: dict[ObjectKey, Body] = {}
        for kind, body in self._log[:number]:
            if kind == "DELETED":
                found.pop(key_of(body), None)
            else:
                found[key_of(body)] = body
        return found

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call it after each change; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _record(self, kind: str, body: Body) -> None:
        self._log.append((kind, body))
        self._moments.append(self._clock.monotonic())
        for listener in tuple(self._listeners):
            listener()


class ApiServer:
    """The server that one life of the operator lists and watches at. Up to date at first."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._told = len(history)  # of the changes, how many the watch has told
        self._listed: int | None = None  # how many a list shows; None: all
        self._silent = False
        self._subscriber: Subscriber | None = None

    @property
    def kube(self) -> KubePort:
        """Kubernetes as it is through this server."""
        through = copy.copy(self._history.kube)
        through.objects = cast("Objects", _Seen(self._history.kube.objects, self._past))
        return through

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Watch; a server that is behind begins with what it has."""
        self._subscriber = subscriber
        if self._listed is not None:
            self._tell_all(self._past() or {})
        unlisten = self._history.listen(self._on_change)

        def unsubscribe() -> None:
            self._subscriber = None
            unlisten()

        return unsubscribe

    def fall_back(self, changes: int) -> None:
        """Be behind by so many changes, until `catch_up`: the watch begins anew from there.

        By fewer, if some of them were made minutes ago.
        """
        behind = min(changes, self._history.recent(OLDEST))
        self._listed = self._told = len(self._history) - behind
        self._silent = True
        self._tell_all(self._past() or {})

    def catch_up(self) -> None:
        """Tell one after another all that was not told yet, and be up to date from then on."""
        missed = self._history.since(self._told)
        self._silent, self._listed, self._told = False, None, len(self._history)
        for kind, body in missed:
            self._tell(kind, body)

    def fall_silent(self) -> None:
        """The watch tells nothing any more, until `begin_anew`."""
        self._silent = True

    def begin_anew(self) -> None:
        """The watch begins again with what is there now; what came and went is never told."""
        self._silent, self._listed, self._told = False, None, len(self._history)
        self._tell_all(self._history.state(self._told))

    def _past(self) -> dict[ObjectKey, Body] | None:
        return None if self._listed is None else self._history.state(self._listed)

    def _on_change(self) -> None:
        if self._silent:
            return
        for kind, body in self._history.since(self._told):
            self._told += 1
            self._tell(kind, body)

    def _tell_all(self, state: dict[ObjectKey, Body]) -> None:
        for body in state.values():
            self._tell(LISTED, body)

    def _tell(self, kind: str, body: Body) -> None:
        if self._subscriber is not None:
            self._subscriber(kind, copied(body))


class _Seen:
    """The objects of a Kubernetes; whoever goes through a kind of them sees a server's past."""

    def __init__(self, objects: Objects, past: Callable[[], dict[ObjectKey, Body] | None]) -> None:
        self._objects = objects
        self._past = past

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def of_kind(self, kind: str) -> Iterator[Body]:
        past = self._past()
        if past is None:
            yield from self._objects.of_kind(kind)
        else:
            yield from [past[key] for key in sorted(past) if key.kind == kind]
