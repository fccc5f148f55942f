"""AWS's request limits, kept on our side, so that nobody else's calls are throttled by ours.

Buckets belong to an account and a region, as AWS's own do, whatever role we act as there. Nobody
waits here for a token but the feeds, which have tasks of their own: a worker that waited would be
missing to all other accounts.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from awsbatch_operator.api.bucket import Rate
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import NoTokenError, Permit
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Call, Priority
from awsbatch_operator.aws.line import Line

WaitObserver = Callable[[str, str, float], None]
"""(service, operation, seconds): somebody was sent away without a token, to come again then."""
TELL_SECONDS = 60.0  # throttling that goes on is told that often


@dataclass(frozen=True, slots=True)
class Limit:
    """A published limit. `operations` are globs; all that match share one bucket."""

    service: str
    operations: tuple[str, ...]
    rate: Rate

    def covers(self, call: Call) -> bool:
        """Whether the call's tokens come from its bucket."""
        return self.service == call.service and any(
            fnmatchcase(call.operation, glob) for glob in self.operations
        )


_EC2_READS = tuple(call.operation for call in CALLS if call.service == "ec2" and not call.mutating)
_EC2_CHANGES = tuple(call.operation for call in CALLS if call.service == "ec2" and call.mutating)

# The burst stays below AWS's own (a second's worth), so that calls which bunch up on their way do
# not run into it. Sources: "AWS Batch service quotas" (50 SubmitJob a second) and AWS's knowledge
# centre (about 50 a second for Batch's other calls together); "CloudWatch Logs service quotas"
# (GetLogEvents: 10 a second in the regions with the lowest quota). STS allows far more than we use.
#
# EC2 and ECS: buckets by operation (EC2) or group of operations (ECS). "Request throttling for the
# Amazon EC2 API": 100 filled with 20 a second for what reads, 50 with 5 for what changes, fewer for
# RunInstances (5 with 2), more for TerminateInstances (100 with 5) and CreateTags (100 with 10);
# CopyImage has 100 with 1. A launch and an end pay for each instance as well, from 1,000 with 2 and
# with 20 a second: nobody reaches that but by launching more than 1,000 at once, and then EC2
# refuses as it does for rates. "Request throttling for the Amazon ECS API": 100 with 20 for what
# reads, with 40 for what changes a cluster's resources, 20 with 1 for clusters themselves. Here
# each has the whole rate and half of the burst: what else runs in the account asks AWS as well, and
# its share of these is no smaller than ours. Systems Manager: GetParameter 40 a second (its
# quotas). Prices: nothing is published; a dozen types a second do. SQS has nearly no limit for
# standard queues ("Amazon SQS message quotas"): one for faults of ours.
PUBLISHED: tuple[Limit, ...] = (
    Limit("batch", ("SubmitJob",), Rate(50, 40)),
    Limit("batch", ("*",), Rate(50, 40)),
    Limit("logs", ("*",), Rate(10, 10)),
    Limit("sts", ("*",), Rate(20, 20)),
    *(Limit("ec2", (operation,), Rate(20, 50)) for operation in _EC2_READS),
    Limit("ec2", ("RunInstances",), Rate(2, 4)),
    Limit("ec2", ("TerminateInstances",), Rate(5, 50)),
    Limit("ec2", ("CreateTags",), Rate(10, 50)),
    Limit("ec2", ("CopyImage",), Rate(1, 50)),
    *(Limit("ec2", (operation,), Rate(5, 25)) for operation in _EC2_CHANGES),
    Limit("ecs", ("Describe*", "List*"), Rate(20, 50)),
    Limit("ecs", ("CreateCluster", "DeleteCluster"), Rate(1, 10)),
    Limit("ecs", ("*",), Rate(40, 50)),
    Limit("ssm", ("*",), Rate(20, 20)),
    Limit("pricing", ("*",), Rate(5, 10)),
    Limit("sqs", ("*",), Rate(1000, 1000)),
)
LINES = 2000  # of all accounts, regions and limits, before any are forgotten: 3 kB each
_UNPUBLISHED = Limit("*", ("*",), Rate(5, 5))


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """Where a limit applies."""

    account_id: str
    region: str


class Reserved:
    """A token that is kept back for a few seconds. Implements Permit."""

    def __init__(self, line: Line, priority: Priority, holder: Hashable) -> None:
        """Raises NoTokenError."""
        self._line = line
        self._priority = priority
        self._holder = holder
        self._expires = line.reserve(priority, holder)
        self._given_back = False

    def give_back(self) -> None:
        if not self._given_back:
            self._given_back = True
            self._line.give_back(self._priority, self._holder, self._expires)


class Prepaid:
    """Tokens spent for a series of calls."""

    def __init__(self, line: Line, clock: Clock, tokens: int) -> None:
        self._line = line
        self._clock = clock
        self._left = tokens

    def use(self) -> bool:
        """Whether there is one left for the next call."""
        self._left -= 1
        return self._left >= 0

    def close(self) -> None:
        """No further call is made: what was not used goes back."""
        if self._left > 0:
            self._line.bucket.refund(self._clock.monotonic(), self._left)
        self._left = 0


class Limits:
    """All lines. Polling has a line of its own before the common one, with a share of its rate."""

    def __init__(
        self,
        clock: Clock,
        on_wait: WaitObserver | None = None,
        *,
        poll_share: float = 0.3,
        published: Sequence[Limit] = PUBLISHED,
    ) -> None:
        self._clock = clock
        self._on_wait = on_wait
        self._poll_share = poll_share
        self._published = published
        self._limits: dict[tuple[str, str], Limit] = {}  # by service and operation
        self._lines: dict[tuple[AccountRegion, Limit, bool], Line] = {}
        self._told_at: dict[Line, float] = {}  # when it was last told that AWS throttles
        self._room = LINES  # lines; when there are more, it is looked which can be forgotten

    def permit(self, where: AccountRegion, call: Call, holder: Hashable) -> Permit:
        """A token, kept back for the call that follows within seconds. Raises NoTokenError.

        Whoever asked first is served first, within a priority. The holder keeps its place if it
        comes again about when it was told to.
        """
        line = self._line(where, call, polling=False)
        with self._telling(call):
            return Reserved(line, call.priority, (call.operation, holder))

    def take(self, where: AccountRegion, call: Call) -> None:
        """Spend a token now: one that a permit kept back, if the call changes something.

        Raises NoTokenError. A call without permit has a place in the line for its operation, which
        all who ask for that operation share: the feed lets them share the answer, too.
        """
        line = self._line(where, call, polling=False)
        if call.mutating and line.bucket.claim(self._clock.monotonic()):
            return
        with self._telling(call):
            line.take(call.priority, call.operation)

    def prepay(self, where: AccountRegion, call: Call, tokens: int) -> Prepaid:
        """Spend the tokens of several calls that make sense only together. Raises NoTokenError.

        Whoever took them one by one, and was told at the second to come again, would spend the
        first for nothing each time.
        """
        line = self._line(where, call, polling=False)
        tokens = min(tokens, self._most_at_once(call))
        with self._telling(call):
            line.take(call.priority, (call.operation, tokens), tokens)
        return Prepaid(line, self._clock, tokens)

    @contextmanager
    def _telling(self, call: Call) -> Iterator[None]:
        try:
            yield
        except NoTokenError as error:
            if self._on_wait is not None:
                self._on_wait(call.service, call.operation, error.seconds)
            raise

    async def wait(self, where: AccountRegion, call: Call) -> None:
        """Wait for a token and spend it, within the share of polling.

        Within its share a poll stands in line with the objects' own looks: it answers many of
        them, and would never come if it went after all of them.
        """
        await self._waited(self._line(where, call, polling=True))
        await self._waited(self._line(where, call, polling=False))

    async def _waited(self, line: Line) -> None:
        holder = object()
        while True:
            try:
                line.take(Priority.READING, holder)
            except NoTokenError as error:
                await self._clock.sleep(error.seconds)
            else:
                return

    def throttled(self, where: AccountRegion, call: Call) -> float | None:
        """AWS refused the call because of the rate.

        The share of the rate that is used from now on; None if that was told a moment ago.
        """
        now = self._clock.monotonic()
        self._line(where, call, polling=True).bucket.throttled(now)
        line = self._line(where, call, polling=False)
        line.bucket.throttled(now)
        if now - self._told_at.get(line, -math.inf) < TELL_SECONDS:
            return None
        self._told_at[line] = now
        return line.bucket.factor

    def _line(self, where: AccountRegion, call: Call, *, polling: bool) -> Line:
        limit = self._limit(call)
        key = (where, limit, polling)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= self._room:
                self._forget()
            rate = limit.rate.times(self._poll_share) if polling else limit.rate
            line = self._lines[key] = Line(rate, self._clock)
        return line

    def _forget(self) -> None:
        """Let go of lines that are as good as new.

        Whoever writes a spec may name a region, and there is no end of names.
        """
        now = self._clock.monotonic()
        self._lines = {
            key: line
            for key, line in self._lines.items()
            if len(line) or not line.bucket.is_as_new(now)
        }
        left = {*self._lines.values()}
        self._told_at = {line: at for line, at in self._told_at.items() if line in left}
        self._room = max(LINES, 2 * len(left))

    def _most_at_once(self, call: Call) -> int:
        return max(1, int(self._limit(call).rate.burst))

    def _limit(self, call: Call) -> Limit:
        key = (call.service, call.operation)
        found = self._limits.get(key)
        if found is None:
            matching = (limit for limit in self._published if limit.covers(call))
            found = self._limits[key] = next(matching, _UNPUBLISHED)
        return found
