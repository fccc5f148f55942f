"""NoticeBook: what EC2 has announced of instances, heard through the interruption queue.

received ──► about nobody's instance, unreadable, or ten minutes old ──► deleted
   ▲    └──► about one of ours ──► its owner woken ──► handled by it ──────┘
   └──────── not deleted: SQS brings it again after thirty seconds ◄── or not, or we died

So a message is never lost by us: it is deleted only when its owner has acted on it. And nothing
depends on it: all that it says is found by polling as well, only later.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.notice_events import (
    AnnouncedKind,
    Announcement,
    NoticeObserver,
    announcement_of,
)
from awsbatch_operator.aws.polling import Wake
from awsbatch_operator.aws.sqs import Mail, Mailbox

KEPT_SECONDS = 600.0  # a message that is older says nothing that polling has not found
# EC2 lists a new instance, and its tags, up to half a minute late: one that is not among what was
# read so long after the message is not ours.
LISTED_SECONDS = 30.0
STARTING_SECONDS = 120.0  # by then whoever has instances has asked for them once
REMEMBERED = 10_000  # instances, and messages that are not deleted yet

UNREADABLE, FOREIGN = "Unreadable", "Foreign"

_DAY = 86_400.0
# How long each is worth knowing. What has no end of its own is acted upon at once, if at all.
_LASTS: Mapping[AnnouncedKind, float] = {
    AnnouncedKind.INTERRUPTION: KEPT_SECONDS,
    AnnouncedKind.RESERVATION: KEPT_SECONDS,
    AnnouncedKind.MAINTENANCE: _DAY,
    AnnouncedKind.REBALANCE: _DAY,
    AnnouncedKind.STATE_CHANGE: 60.0,
}
_GRAVITY = {kind: number for number, kind in enumerate(AnnouncedKind)}
_Owners = Mapping[str, tuple[Scope, ObjectKey | None]]


@dataclass(slots=True)
class _Told:
    """Something that was announced, at which monotonic second; `handled`: its owner has acted."""

    at: float
    handled: bool = False


@dataclass(slots=True)
class _Held:
    """A message that is not deleted yet, for the sake of these instances."""

    receipt: str
    since: float
    rest: set[str] = field(default_factory=set)


class NoticeBook:
    """Hears of instances, wakes their owners, and remembers for them. For one event loop.

    Without a queue it knows nothing and costs nothing.
    """

    def __init__(
        self,
        box: Mailbox | None,
        feed: Feed,
        *,
        clock: Clock,
        cadence: Cadence,
        wake: Wake,
        observe: NoticeObserver | None = None,
    ) -> None:
        self._box = box
        self._feed = feed  # of instances
        self._clock = clock
        self._cadence = cadence
        self._wake = wake
        self._observe: Callable[[str, float], None] = observe or (lambda _kind, _seconds: None)
        self._began = clock.monotonic()
        self._told: OrderedDict[str, dict[AnnouncedKind, _Told]] = OrderedDict()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._about: dict[str, set[str]] = {}  # ids of the held messages, by instance

    @property
    def failing(self) -> bool:
        """Whether the queue cannot be read, or nothing be deleted from it."""
        return self._box is not None and self._box.failing

    def announced(self, ids: Collection[str]) -> Mapping[str, AnnouncedKind]:
        """What is known of these instances and not over; of several things the gravest."""
        now, found = self._clock.monotonic(), {}
        for each in ids:
            lasting = [
                kind
                for kind, told in self._told.get(each, {}).items()
                if now - told.at < _LASTS[kind]
            ]
            if lasting:
                found[each] = min(lasting, key=_GRAVITY.__getitem__)
        return found

    def handled(self, ids: Collection[str]) -> None:
        """The owner has acted on all that is announced of these: its messages may go.

        It goes on being announced. To be called again whenever it is still so: whoever dies between
        acting and this is told again, and so is who died before the message was deleted.
        """
        for each in ids:
            for told in self._told.get(each, {}).values():
                told.handled = True
            for message_id in self._about.pop(each, ()):
                held = self._held[message_id]
                held.rest.discard(each)
                if not held.rest:
                    del self._held[message_id]
                    self._delete(held.receipt)

    async def run(self) -> None:
        """Receive and delete until cancelled. An error that is none of AWS's is raised."""
        if self._box is None:
            await asyncio.get_running_loop().create_future()
        else:
            self._began = self._clock.monotonic()
            await self._box.run(self._take)

    def _take(self, mails: Sequence[Mail]) -> None:
        read = [(mail, announcement_of(mail.body)) for mail in mails]
        named = {each for _, said in read if said is not None for each in said.instances}
        owners = self._feed.last_read.owners_of(named) if named else {}
        for mail, said in read:
            if said is None:
                self._observe(UNREADABLE, self._age(mail))
                self._drop(mail)
            elif said.kind is AnnouncedKind.STATE_CHANGE:
                self._changed(mail, said, owners)
            else:
                self._announce(mail, said, owners)

    def _changed(self, mail: Mail, said: Announcement, owners: _Owners) -> None:
        """Read the instances soon, which wakes whoever has one that differs from what was known.

        The message has done all that it can: should we die now, whoever is next reads them anyhow.
        """
        age = self._age(mail)
        ours = [each for each in said.instances if each in owners]
        for each in ours:
            self._tell(each, said.kind, age)
            self._feed.expect(owners[each][0], self._cadence.instances_moving)
        self._observe(said.kind if ours else FOREIGN, age)
        self._drop(mail)

    def _announce(self, mail: Mail, said: Announcement, owners: _Owners) -> None:
        """Wake the owners, and keep the message until they have acted."""
        age, rest, news = self._age(mail), set(), False
        foreign = self._is_read_since(said, age)
        for each in said.instances:
            found = owners.get(each)
            if found is None and foreign:
                continue
            told, new = self._tell(each, said.kind, age)
            news = news or new
            if told.handled:
                continue
            rest.add(each)
            if found is not None and found[1] is not None and age < _LASTS[said.kind]:
                self._wake(found[1])
        if news:
            self._observe(said.kind, age)
        if rest and age < KEPT_SECONDS:
            self._hold(mail, rest)
            return
        if not rest and foreign and said.instances.isdisjoint(owners):
            self._observe(FOREIGN, age)
        self._drop(mail)

    def _is_read_since(self, said: Announcement, age: float) -> bool:
        """Whether all instances there were read late enough to show those of the message."""
        now = self._clock.monotonic()
        read_at = self._feed.last_read.at((said.account_id, said.region))
        if read_at is not None:
            return read_at >= now - age + LISTED_SECONDS
        return now - self._began >= STARTING_SECONDS

    def _tell(self, instance: str, kind: AnnouncedKind, age: float) -> tuple[_Told, bool]:
        """Remember it; whether it is news."""
        now = self._clock.monotonic()
        kinds = self._told.setdefault(instance, {})
        self._told.move_to_end(instance)
        told = kinds.get(kind)
        new = told is None or now - told.at >= _LASTS[kind]
        if told is None or new:
            told = kinds[kind] = _Told(now - age)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return told, new

    def _hold(self, mail: Mail, rest: set[str]) -> None:
        """Keep the newest receipt: an older one deletes nothing."""
        before = self._held.get(mail.id)
        since = self._clock.monotonic() if before is None else before.since
        self._release(mail.id)
        self._held[mail.id] = _Held(mail.receipt, since, rest)
        for each in rest:
            self._about.setdefault(each, set()).add(mail.id)
        if len(self._held) > REMEMBERED:
            self._release(next(iter(self._held)))

    def _drop(self, mail: Mail) -> None:
        self._release(mail.id)
        self._delete(mail.receipt)

    def _release(self, message_id: str) -> None:
        held = self._held.pop(message_id, None)
        for each in () if held is None else held.rest:
            about = self._about.get(each, set())
            about.discard(message_id)
            if not about:
                self._about.pop(each, None)

    def _delete(self, receipt: str) -> None:
        if self._box is not None:
            self._box.delete(receipt)

    def _age(self, mail: Mail) -> float:
        """Seconds since it was sent; by its first sight where the clocks do not agree."""
        held = self._held.get(mail.id)
        seen = 0.0 if held is None else self._clock.monotonic() - held.since
        sent = 0.0 if mail.sent is None else self._clock.now().epoch - mail.sent
        return max(seen, sent)
