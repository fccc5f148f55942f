"""AWS's request limits, kept on our side, so that nobody else's calls are throttled by ours.

Buckets belong to an account and a region, as AWS's own do, whatever role we act as there.
"""

import asyncio
import heapq
import itertools
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import NoTokenError, Permit
from awsbatch_operator.aws.bucket import Bucket, Rate
from awsbatch_operator.aws.calls import Call, Priority


@dataclass(frozen=True, slots=True)
class Limit:
    """A published limit. `operations` are globs; all that match share one bucket."""

    service: str
    operations: tuple[str, ...]
    rate: Rate


# The burst stays below AWS's own (a second's worth), so that calls which bunch up on their way do
# not run into it. Sources: "AWS Batch service quotas" (50 SubmitJob a second) and AWS's knowledge
# centre (about 50 a second for Batch's other calls together); "CloudWatch Logs service quotas"
# (GetLogEvents: 10 a second in the regions with the lowest quota). STS allows far more than we use.
PUBLISHED: tuple[Limit, ...] = (
    Limit("batch", ("SubmitJob",), Rate(50, 40)),
    Limit("batch", ("*",), Rate(50, 40)),
    Limit("logs", ("*",), Rate(10, 10)),
    Limit("sts", ("*",), Rate(20, 20)),
)
_UNPUBLISHED = Limit("*", ("*",), Rate(5, 5))


@dataclass(frozen=True, slots=True)
class Reserved:
    """A token that a bucket keeps back. Implements Permit."""

    bucket: Bucket

    def give_back(self) -> None:
        self.bucket.cancel()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a limit applies."""

    account_id: str
    region: str


@dataclass(slots=True, order=True)
class _Ticket:
    """A place in the line; `turn` is set when the ticket has come to its head."""

    priority: Priority
    order: int
    turn: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Lane:
    """The line before one bucket: by priority, then by arrival. For one event loop."""

    def __init__(self, rate: Rate, clock: Clock, order: Iterator[int]) -> None:
        self.bucket = Bucket(rate, clock.monotonic())
        self._clock = clock
        self._order = order
        self._line: list[_Ticket] = []

    async def take(self, priority: Priority) -> None:
        """Wait for a token and spend it."""
        await self._at_head(priority, reserve=False)

    async def reserve(self, priority: Priority) -> None:
        """Wait for a token and have it kept back."""
        await self._at_head(priority, reserve=True)

    async def _at_head(self, priority: Priority, *, reserve: bool) -> None:
        ticket = _Ticket(priority, next(self._order))
        heapq.heappush(self._line, ticket)
        try:
            await self._wait(ticket)
            spend = self.bucket.reserve if reserve else self.bucket.take
            spend(self._clock.monotonic())
        finally:
            self._line.remove(ticket)
            heapq.heapify(self._line)
            if self._line:
                self._line[0].turn.set()

    async def _wait(self, ticket: _Ticket) -> None:
        """Return when the ticket is first in line and there is a token.

        Only the head sleeps. A more urgent one that arrives meanwhile becomes the head; whoever
        slept finds out when it wakes, and waits for its turn again.
        """
        while True:
            if self._line[0] is not ticket:
                ticket.turn.clear()
                await ticket.turn.wait()
                continue
            delay = self.bucket.wait(self._clock.monotonic())
            if not delay:
                return
            await self._clock.sleep(delay)


class Limits:
    """All lanes. Polling has a lane of its own before the common one, with a share of its rate."""

    def __init__(
        self,
        clock: Clock,
        *,
        poll_share: float = 0.3,
        published: Sequence[Limit] = PUBLISHED,
    ) -> None:
        self._clock = clock
        self._poll_share = poll_share
        self._published = published
        self._order = itertools.count()
        self._lanes: dict[tuple[Place, Limit, bool], Lane] = {}

    async def take(self, place: Place, call: Call, priority: Priority) -> None:
        """Wait for a token of the call and spend it; the one that a permit kept back, if any."""
        lane = self._lane(place, call, polling=False)
        if priority is Priority.POLLING:
            await self._lane(place, call, polling=True).take(priority)
        elif call.mutating and lane.bucket.claim(self._clock.monotonic()):
            return
        await lane.take(priority)

    def permit(self, place: Place, call: Call, holder: Hashable) -> Permit:
        """A token of the call, kept back for a while. Raises NoTokenError."""
        del holder
        bucket, now = self._lane(place, call, polling=False).bucket, self._clock.monotonic()
        seconds = bucket.wait(now)
        if seconds:
            raise NoTokenError(seconds)
        bucket.reserve(now)
        return Reserved(bucket)

    def throttled(self, place: Place, call: Call) -> float | None:
        """AWS refused the call because of the rate.

        The share of the rate that is used from now on; None if it was lowered a moment ago.
        """
        now = self._clock.monotonic()
        self._lane(place, call, polling=True).bucket.throttled(now)
        bucket = self._lane(place, call, polling=False).bucket
        return bucket.factor if bucket.throttled(now) else None

    def _lane(self, place: Place, call: Call, *, polling: bool) -> Lane:
        limit = self._limit(call)
        key = (place, limit, polling)
        lane = self._lanes.get(key)
        if lane is None:
            rate = limit.rate.times(self._poll_share) if polling else limit.rate
            lane = self._lanes[key] = Lane(rate, self._clock, self._order)
        return lane

    def _limit(self, call: Call) -> Limit:
        for limit in self._published:
            if limit.service == call.service and any(
                fnmatchcase(call.operation, glob) for glob in limit.operations
            ):
                return limit
        return _UNPUBLISHED
