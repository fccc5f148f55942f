"""Things of AWS that many objects follow, read together for all of them.

There is one feed for each kind of thing; what differs between kinds is its Source. A feed polls
each scope that is in use (polling.py), compares what it reads with what it read before, and wakes
those whose things differ: the owners by our tags, before and after, and whoever asked for the name
lately. An object's own look is answered from what was read, or asked of AWS through here, together
with all who ask at about the same time; what is asked that way is compared and kept as well.

What is answered without asking AWS:

    the scope has been read as a whole, by a poll that is not in trouble,
    and we have neither changed the thing since, nor are we about to.
"""

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws.aws_settings import AwsSettings, Cadence
from awsbatch_operator.aws.coalescing import Coalescer
from awsbatch_operator.aws.feed_scope import FeedScope
from awsbatch_operator.aws.last_read import LastRead
from awsbatch_operator.aws.polling import Pollers, Wake
from awsbatch_operator.aws.sight import Sight, item_of, owner_by_tags

_EVERYTHING = "*"
_COMPARED_AT_ONCE = 50  # details that are compared before the event loop gets a turn


Keep = Callable[[Shape], bool]
"""Whether anybody here cares about a thing: an account may be full of those of others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a walk found: the details that are kept, and all names that there are.

    Without names the followed ones were read and no others. `gone` are followed names that stand
    for nothing in AWS any more: they are read again when somebody asks for them.
    """

    details: Sequence[Shape]
    names: Collection[str] | None
    gone: Collection[str] = ()


class Source(Protocol):
    """How one kind of thing is read. Reading raises AwsError, and asking NoTokenError as well."""

    @property
    def what(self) -> str:
        """How logs name the things, e.g. "job queues"."""

    @property
    def asked_at_once(self) -> int:
        """How many names one call of `ask` may carry."""

    @property
    def keeps_all(self) -> bool:
        """Whether details are also kept of things that are neither ours nor asked for."""

    @property
    def moves(self) -> bool:
        """Whether AWS works on such things for a while after a change."""

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        """Seconds between two polls, while AWS works on one of them or not."""

    def moving(self, detail: Shape) -> bool:
        """Whether AWS works on it now."""

    def tags(self, detail: Shape) -> Mapping[str, str]:
        """Its tags, which say whose it is."""

    def name(self, detail: Shape) -> str:
        """The name under which it is looked up; several things may share it (revisions)."""

    def arn(self, detail: Shape) -> str:
        """Its ARN."""

    def rank(self, detail: Shape) -> int:
        """Things of one name are given in the order of this number."""

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        """Read the scope as a whole, or, where that takes fewer calls, the followed names alone."""

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        """The things of those names, read now."""


class Feed:
    """All things of one kind, in all scopes. Implements Polled. For one event loop."""

    def __init__(self, source: Source, clock: Clock, settings: AwsSettings, wake: Wake) -> None:
        self._source = source
        self._clock = clock
        self._cadence = settings.cadence
        self._cluster_id = settings.cluster_id
        self._room = settings.kept_bytes
        self._kept: dict[Scope, int] = {}
        self._moments = itertools.count(1)
        self._scopes: dict[Scope, FeedScope] = {}
        self.last_read = LastRead(self._scopes)
        self._pollers = Pollers(self, clock, settings.cadence, wake)
        self._by_name: Coalescer[Sight] = Coalescer(self._ask, most=source.asked_at_once)
        self._whole: Coalescer[tuple[Shape, ...]] = Coalescer(self._read, most=1)

    @property
    def what(self) -> str:
        return self._source.what

    async def run(self) -> None:
        """Poll for ever. Costs nothing while no scope is in use."""
        await self._pollers.run()

    async def get(
        self, scope: Scope, name: str, *, fresh: bool, wake: ObjectKey | None
    ) -> Sequence[Shape]:
        """The things of that name. `wake` hears of what happens to the name for some time.

        Whoever wants it fresh and is not to be woken looks for himself: no poll reads it for him.
        Raises AwsError, NoTokenError.
        """
        here = self._use(scope)
        if wake is not None or not fresh:
            here.follow(name, wake, self._clock.monotonic() + self._cadence.followed)
        known = None if fresh or self._is_behind(scope) else here.known(name)
        details = None if known is None else known.details
        if details is not None:
            return details
        here.ask(name, wake)
        try:
            sight = await self._by_name.get(scope, name)
        except BaseException:
            here.ask_no_more(name, wake)
            raise
        return (sight.details if sight is not None else None) or ()

    async def all(self, scope: Scope, *, fresh: bool) -> tuple[Shape, ...]:
        """All things of the scope. Raises AwsError, NoTokenError."""
        here = self._use(scope)
        details = None if fresh or self._is_behind(scope) else here.all_details()
        return details if details is not None else await self._whole.get(scope, _EVERYTHING) or ()

    @contextmanager
    def changing(self, scope: Scope, name: str) -> Iterator[None]:
        """We change the thing of that name: until it is read anew, what was read is old."""
        self._use(scope).begin_change(name)
        try:
            yield
        except NoTokenError:
            self._use(scope).end_change(name, None)
            raise
        except BaseException:
            self._changed(scope, name)
            raise
        else:
            self._changed(scope, name)

    def expect(self, scope: Scope, seconds: float) -> None:
        """Something is about to happen there: poll often for that long."""
        here = self._use(scope)
        here.hurry_until = max(here.hurry_until, self._clock.monotonic() + seconds)
        self._poll_soon(scope, here)

    def _changed(self, scope: Scope, name: str) -> None:
        self._use(scope).end_change(name, next(self._moments))
        self.expect(scope, self._cadence.infrastructure)

    def due(self, scope: Scope) -> float | None:
        here = self._scopes.get(scope)
        if here is None:
            return None
        idle = self._clock.monotonic() - here.used_at >= self._cadence.infrastructure_idle
        if idle and not here.in_use:
            del self._scopes[scope]
            self._kept.pop(scope, None)
            return None
        return here.due

    def owners(self, scope: Scope) -> Sequence[ObjectKey]:
        here = self._scopes.get(scope)
        return [] if here is None else here.everybody()

    async def poll(self, scope: Scope) -> None:
        await self._walk(scope, polling=True)

    def _use(self, scope: Scope) -> FeedScope:
        now = self._clock.monotonic()
        here = self._scopes.get(scope)
        if here is None:
            here = self._scopes[scope] = FeedScope(due=now)
            self._pollers.look(scope, now)
        here.used_at = now
        return here

    def _is_behind(self, scope: Scope) -> bool:
        return not self._pollers.running or self._pollers.in_trouble(scope)

    async def _walk(self, scope: Scope, *, polling: bool) -> list[Sight]:
        """Read the scope as a whole, and wake those whose things differ."""
        here = self._scopes[scope]
        began, asked_at = next(self._moments), self._clock.monotonic()
        followed = here.followed(asked_at)
        reading = await self._source.walk(
            scope, followed, partial(self._is_kept, followed), polling=polling
        )
        sights = await self._sights(began, self._by_names(reading.details, followed))
        woken = here.read_all(began, sights, reading.names)
        for name in reading.gone:
            here.follow_no_more(name)
        here.read_at = max(asked_at, here.read_at)
        self._kept[scope] = here.keep_within(self._room_for(scope))
        here.due = self._clock.monotonic() + self._interval(scope, here)
        self._pollers.look(scope, here.due)
        await self._pollers.wake(woken)
        return list(sights.values())

    def _is_kept(self, followed: Collection[str], detail: Shape) -> bool:
        if self._source.keeps_all or self._source.name(detail) in followed:
            return True
        return owner_by_tags(self._cluster_id, self._source.tags(detail)) is not None

    def _by_names(
        self, details: Iterable[Shape], names: Iterable[str]
    ) -> Mapping[str, Collection[Shape]]:
        """Each thing once, whatever pages it was on; names without a thing as well."""
        found: dict[str, dict[str, Shape]] = {name: {} for name in names}
        for detail in details:
            found.setdefault(self._source.name(detail), {})[self._source.arn(detail)] = detail
        return {name: things.values() for name, things in found.items()}

    def _room_for(self, scope: Scope) -> int:
        others = sum(size for other, size in self._kept.items() if other != scope)
        return max(0, self._room - others)

    async def _read(self, scope: Scope, _: Sequence[str]) -> Mapping[str, tuple[Shape, ...]]:
        self._use(scope)
        sights = await self._walk(scope, polling=False)
        return {_EVERYTHING: tuple(item for sight in sights for item in sight.details or ())}

    async def _ask(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Sight]:
        began = next(self._moments)
        found = self._by_names(await self._source.ask(scope, names), names)
        sights = await self._sights(began, {name: found[name] for name in names})
        here = self._use(scope)
        woken = here.asked(sights)
        if any(sight.moving for sight in sights.values()):
            self._poll_soon(scope, here)
        await self._pollers.wake(woken)
        return sights

    async def _sights(self, began: int, found: Mapping[str, Collection[Shape]]) -> dict[str, Sight]:
        """What was found, by name; a name may have thousands of revisions."""
        source = self._source
        sights: dict[str, Sight] = {}
        count = 0
        for name, details in found.items():
            items = []
            for detail in sorted(details, key=source.rank):
                owner = owner_by_tags(self._cluster_id, source.tags(detail))
                moving = source.moving(detail)
                items.append(item_of(detail, arn=source.arn(detail), owner=owner, moving=moving))
                count += 1
                if not count % _COMPARED_AT_ONCE:
                    await asyncio.sleep(0)
            sights[name] = Sight(began, tuple(items))
        return sights

    def _interval(self, scope: Scope, here: FeedScope) -> float:
        fast = here.moving or self._clock.monotonic() < here.hurry_until
        return self._source.interval(self._cadence, scope, moving=fast)

    def _poll_soon(self, scope: Scope, here: FeedScope) -> None:
        """AWS is at work on something, or may be about to show that it is."""
        if self._source.moves:
            soon = self._source.interval(self._cadence, scope, moving=True)
            here.due = min(here.due, self._clock.monotonic() + soon)
            self._pollers.look(scope, here.due)
