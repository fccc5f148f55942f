"""The line of those who want a token of one bucket and do not wait for it here.

Nobody sleeps in this line: who finds no token is told when to come again, and keeps its place.

    asks ──► token there, nobody ahead ──► granted
      │
      └────► told a time, WAITING ──► comes again ──► granted, or told a new time in its old place
                    │
                    │ LATE_SECONDS after that time, not seen
                    ▼
                  LATE: holds nobody up any more, but is first again if it comes
                    │
                    │ LOST_SECONDS after that time, not seen
                    ▼
                 forgotten: the next time it asks, it stands at the end

Whoever gives a token back is first again as well, as one who is LATE.
"""

import heapq
import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from awsbatch_operator.api.bucket import Bucket, Rate
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.calls import Priority

LATE_SECONDS = 1.0
LOST_SECONDS = 120.0  # long: an engine with thousands of turns to do may be far behind
MARGIN_SECONDS = 0.005  # told on top, so that a timer which is a little early finds its token
# Those whose tokens come within one such span are told its end, and come together. Each told its
# own moment, a fiftieth of a second apart, they would come a little out of order, and whoever is
# ahead of another by that would be sent away again: a turn for nothing.
TOGETHER_SECONDS = 0.1
_FRONT = 0  # the place of who was served already, and gave the token back
_SPARSE = 64  # places of an order that may be empty before it is numbered anew


class Order:
    """Places in the order in which they were taken, and how many tokens those before one want.

    A binary indexed tree: each operation takes O(log n).
    """

    def __init__(self) -> None:
        self._tree = [0]
        self.wanted = 0

    def __len__(self) -> int:
        """How many places there are, left or not."""
        return len(self._tree) - 1

    def append(self, tokens: int = 1) -> int:
        """Take the place behind all others."""
        place = len(self._tree)
        count, step = tokens, 1
        while step < place & -place:
            count += self._tree[place - step]
            step <<= 1
        self._tree.append(count)
        self.wanted += tokens
        return place

    def add(self, place: int, tokens: int) -> None:
        """So many more tokens, or fewer, are wanted at this place."""
        self.wanted += tokens
        while place < len(self._tree):
            self._tree[place] += tokens
            place += place & -place

    def before(self, place: int) -> int:
        """How many tokens are wanted at the places before this one."""
        place -= 1
        count = 0
        while place > 0:
            count += self._tree[place]
            place -= place & -place
        return count


@dataclass(slots=True, eq=False)
class _Ticket:
    """A holder's place. `told_for` is the moment for which it was told to come."""

    holder: Hashable
    row: "_Row"
    place: int
    tokens: int = 1
    told_for: float = 0.0
    late: bool = False
    told: int = 0  # how often; entries of the timetable for an earlier time are void


@dataclass(slots=True)
class _Row:
    """All who wait with one priority, in the order in which they first asked."""

    order: Order = field(default_factory=Order)
    tickets: OrderedDict[Hashable, _Ticket] = field(default_factory=OrderedDict)

    def renumber(self) -> None:
        """Close the gaps that those leave who were served."""
        self.order = Order()
        for ticket in self.tickets.values():
            if ticket.place == _FRONT:
                continue
            ticket.place = self.order.append(0 if ticket.late else ticket.tokens)


class Line:
    """Tokens of one bucket: by priority, then to whoever asked first. For one event loop."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self.bucket = Bucket(rate, clock.monotonic())
        self._clock = clock
        self._rows = {priority: _Row() for priority in sorted(Priority)}
        self._timetable: list[tuple[float, int, _Ticket, int]] = []
        self._entries = 0

    def __len__(self) -> int:
        """How many have a place."""
        return sum(len(row.tickets) for row in self._rows.values())

    def take(self, priority: Priority, holder: Hashable, tokens: int = 1) -> None:
        """Spend so many tokens, all at once. Raises NoTokenError."""
        self.bucket.take(self._served(priority, holder, tokens), tokens)

    def reserve(self, priority: Priority, holder: Hashable) -> float:
        """Have a token kept back; until when. Raises NoTokenError."""
        return self.bucket.reserve(self._served(priority, holder))

    def give_back(self, priority: Priority, holder: Hashable, expires: float) -> None:
        """The token that was kept back until then is not needed now.

        The holder is first when it asks again: whoever failed to write something down, and tries
        again at once, would otherwise go through the whole line for the token just given back.
        """
        now = self._clock.monotonic()
        self.bucket.give_back(expires, now)
        row = self._rows[priority]
        if holder not in row.tickets:
            ticket = row.tickets[holder] = _Ticket(holder, row, _FRONT, late=True)
            self._tell(ticket, now)

    def _served(self, priority: Priority, holder: Hashable, tokens: int = 1) -> float:
        """The time now, at which there are tokens for the holder. Raises NoTokenError."""
        now = self._clock.monotonic()
        self._notice_absence(now)
        row = self._rows[priority]
        ticket = row.tickets.get(holder)
        seconds = self.bucket.wait(now, ahead=self._ahead(priority, ticket, now) + tokens - 1)
        if seconds:
            moment = _together(now, seconds) + MARGIN_SECONDS
            self._tell(ticket or self._stand(row, holder, tokens), moment)
            raise NoTokenError(moment - now)
        if ticket is not None:
            self._leave(ticket)
        return now

    def _ahead(self, priority: Priority, ticket: _Ticket | None, now: float) -> int:
        """How many of the next tokens are for others.

        Whoever comes when it was told to is behind nobody of its row: those before it were told an
        earlier time, and a busy engine that has them a little late would else send it away from a
        token which is there. What it takes, the next token makes up for.
        """
        more_urgent = sum(row.order.wanted for other, row in self._rows.items() if other < priority)
        order = self._rows[priority].order
        if ticket is None:
            return more_urgent + order.wanted
        return more_urgent + (0 if ticket.told_for <= now else order.before(ticket.place))

    def _stand(self, row: _Row, holder: Hashable, tokens: int) -> _Ticket:
        if len(row.order) > _SPARSE + 2 * len(row.tickets):
            row.renumber()
        ticket = _Ticket(holder, row, row.order.append(tokens), tokens)
        row.tickets[holder] = ticket
        return ticket

    def _tell(self, ticket: _Ticket, moment: float) -> None:
        ticket.told += 1
        ticket.told_for = moment
        if ticket.place == _FRONT:
            self._enter(moment + LOST_SECONDS, ticket)
            return
        if ticket.late:
            ticket.late = False
            ticket.row.order.add(ticket.place, ticket.tokens)
        self._enter(moment + LATE_SECONDS, ticket)

    def _leave(self, ticket: _Ticket) -> None:
        del ticket.row.tickets[ticket.holder]
        ticket.told = 0
        if not ticket.late:
            ticket.row.order.add(ticket.place, -ticket.tokens)

    def _enter(self, moment: float, ticket: _Ticket) -> None:
        self._entries += 1
        heapq.heappush(self._timetable, (moment, self._entries, ticket, ticket.told))

    def _notice_absence(self, now: float) -> None:
        """Whoever has not come when told holds nobody up, and in the end loses its place."""
        while self._timetable and self._timetable[0][0] <= now:
            _, _, ticket, told = heapq.heappop(self._timetable)
            if ticket.told != told:
                continue  # it was served, or told another time
            if ticket.late:
                self._leave(ticket)
                continue
            ticket.late = True
            ticket.row.order.add(ticket.place, -ticket.tokens)
            self._enter(ticket.told_for + LOST_SECONDS, ticket)


def _together(now: float, seconds: float) -> float:
    """When to come for a token that there is in so many seconds; a short wait is not rounded."""
    if seconds <= TOGETHER_SECONDS:
        return now + seconds
    return math.ceil((now + seconds) / TOGETHER_SECONDS) * TOGETHER_SECONDS
