"""The record of launches, and what becomes of an intent that stands in it.

What we are about to launch is written down before EC2 is asked, in the annotation
`awsbatch.dev/launches` (`launch_codec`): an intent, at most one open at a time in a pool. It counts
against the limits in full. Whoever finds one open does not know whether the call was sent: it looks
for instances by the intent's tag, counts them, closes it, and plans anew.

Every intent of a pool has a round of its own, and the token is made of it: a token never stands for
two requests. Its end names the round, so that tags on instances seed the rounds where the record
was lost. Without any instance the seconds since 1970 do: no pool makes a round a second.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.capacity.model import CPU_UNITS, InstanceType, Market, Offer, Room, Used

LOOK_SECONDS = 120.0  # tags and instances come to light late
_SEND_AGAIN = 5.0
_TOKEN = re.compile(r"awsbatch-[0-9a-f]{40}-(\d{1,12})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A launch whose outcome is not written down yet: all that its request is made of."""

    pool: str
    token: str
    round: int
    template: str  # id of the launch template
    version: int  # of the launch template
    count: int
    minimum: int  # fewer than that, and EC2 is to launch none
    market: Market
    offers: tuple[Offer, ...]  # at most 60, in the order in which they are asked for
    time: Instant
    max_price: Decimal | None = None
    reservation: str = ""  # the capacity reservation that is launched into
    request: int = 0  # of a block; 0: none
    end: Instant | None = None  # when its instances are to be gone

    def used(self, types: Mapping[str, InstanceType]) -> Used:
        """What it takes of the limits until its outcome is known: all of it, by the largest offer.

        Of a type that is not known any more the offer says the vCPUs.
        """
        vcpus = (
            types[each.instance_type].vcpus if each.instance_type in types else each.vcpus
            for each in self.offers
        )
        prices = [each.price for each in self.offers if each.price is not None]
        dearest = max(prices, default=None) if len(prices) == len(self.offers) else None
        most = self.max_price if self.max_price is not None else dearest
        return Used(
            instances=self.count,
            vcpus=self.count * max(vcpus, default=0),
            hourly_cost=None if most is None else self.count * most,
        )

    def rooms(self, types: Mapping[str, InstanceType]) -> tuple[Room, ...]:
        """The room that it will make at least, so that other pools do not launch for it, too."""
        known = [types[each.instance_type] for each in self.offers if each.instance_type in types]
        if not known:
            return ()
        return tuple(
            Room(
                instance=f"{self.token}/{number}",
                pool=self.pool,
                vcpus=min(each.registered_cpu for each in known) / CPU_UNITS,
                memory_mib=min(each.registered_mib for each in known),
                gpus=min(each.gpus for each in known),
            )
            for number in range(self.count)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRecord:
    """What a pool must not forget: its rounds, its open intent, its failures to join.

    `unjoined` are instances in a row that never joined, with the moments of their launch. `stopped`
    is the mark (the caller's: of the spec, and of the annotation that asks for a reconcile) under
    which the pool was stopped because of them, never ""; "" if it is not. `block` is the record of
    capacity/blocks.py.
    """

    round: int = 0  # of the newest intent
    intent: Intent | None = None
    unjoined: tuple[tuple[str, Instant], ...] = ()
    stopped: str = ""
    block: Shape = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """The whole record of one object. Until `settled` nothing is launched: a record was lost."""

    uid: str
    pools: Mapping[str, PoolRecord] = field(default_factory=dict)
    settled: Instant | None = None

    def of(self, pool: str) -> PoolRecord:
        """One pool's."""
        return self.pools.get(pool, PoolRecord())

    def may_launch(self, pool: str, now: Instant) -> bool:
        """Whether another intent may be opened for the pool now."""
        record = self.of(pool)
        settled = self.settled is None or now >= self.settled
        return settled and record.intent is None and not record.stopped

    def put(self, pool: str, record: PoolRecord) -> "Launches":
        """The same with another record of a pool."""
        return replace(self, pools={**self.pools, pool: record})

    def open_intents(self) -> tuple[Intent, ...]:
        """All that are open, by pool."""
        return tuple(
            record.intent for _, record in sorted(self.pools.items()) if record.intent is not None
        )

    def opened(self, intent: Intent) -> "Launches":
        """The same with the intent; ValueError if the pool has one open."""
        record = self.of(intent.pool)
        if record.intent is not None:
            raise ValueError(f"pool {intent.pool} has an open launch")
        return self.put(intent.pool, replace(record, intent=intent, round=intent.round))

    def next_intent(self, draft: Intent) -> Intent:
        """The draft with the pool's next round and its token."""
        number = self.of(draft.pool).round + 1
        return replace(draft, round=number, token=token(self.uid, replace(draft, round=number)))

    def after(self, pool: str, outcome: "Outcome", now: Instant) -> "Launches":
        """The record after an outcome of the pool's intent; the same if it stays open."""
        record = self.of(pool)
        if record.intent is None or after(record.intent, outcome, now).intent is not None:
            return self
        return self.put(pool, replace(record, intent=None))


def token(uid: str, intent: Intent) -> str:
    """The client token: other for any other request, at most 64 characters of ASCII."""
    request = canonical(
        [
            intent.pool,
            intent.round,
            intent.market,
            [[o.market, o.instance_type, o.zone, o.subnet] for o in intent.offers],
            intent.template,
            intent.version,
            intent.count,
            intent.minimum,
            str(intent.max_price),
            intent.reservation,
            intent.request,
            None if intent.end is None else intent.end.epoch,
        ]
    )
    return f"awsbatch-{short_hash(uid, request.decode(), digits=40)}-{intent.round}"


def round_of(text: str) -> int | None:
    """The round that a token of ours names; None if it is none."""
    found = _TOKEN.fullmatch(text)
    return None if found is None else int(found[1])


def rounds_from_tags(tagged: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """The newest round of each pool, from (pool, token) of instances, the ended ones too."""
    rounds: dict[str, int] = {}
    for pool, text in tagged:
        number = round_of(text)
        if number is not None:
            rounds[pool] = max(rounds.get(pool, 0), number)
    return rounds


def lost(
    uid: str, pools: Iterable[str], tagged: Iterable[tuple[str, str]], now: Instant
) -> Launches:
    """A new record in the place of a lost one.

    A launch of which nobody knows may still come to light, so nothing is launched for a while.
    """
    seen = rounds_from_tags(tagged)
    names = {*pools, *seen}
    seeds = {name: PoolRecord(round=max(int(now.epoch), seen.get(name, 0))) for name in names}
    return Launches(uid=uid, pools=seeds, settled=now.plus(LOOK_SECONDS))


# --- what becomes of an intent ---


@dataclass(frozen=True, slots=True)
class Answered:
    """EC2 answered the call with these instances: all of them, some, or none."""

    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """EC2 refused the call: nothing was launched."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """EC2 had too many requests: nothing was launched, and the same request may be sent again."""


@dataclass(frozen=True, slots=True)
class TokenUsed:
    """EC2 knows the token (IdempotentParameterMismatch, IdempotentInstanceTerminated)."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at EC2 shows these instances with the intent's tag.

    `since` is the latest of: when the call was on the wire, when its answer was lost, and when
    this process began to lead. What was sent before that has come to light 120 s after it.
    """

    instances: tuple[str, ...]
    since: Instant


Outcome = Answered | Refused | Throttled | TokenUsed | Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of an intent: kept (`intent`) or closed, and what it launched."""

    intent: Intent | None = None
    instances: tuple[str, ...] = ()
    missing: int = 0  # asked for and not launched: asked for elsewhere by the next plan
    send: bool = False  # the byte-identical request may be sent again, at `again`
    again: Instant | None = None


def after(intent: Intent, outcome: Outcome, now: Instant) -> Next:
    """What becomes of an open intent. A closed one is followed by a plan, and a new round."""
    match outcome:
        case Answered(instances):
            return _closed(intent, instances)
        case Refused() | TokenUsed():
            return _closed(intent, ())
        case Throttled():
            return Next(intent=intent, send=True, again=now.plus(_SEND_AGAIN))
        case Looked(instances, since):
            due = Instant(max(since.epoch, intent.time.epoch)).plus(LOOK_SECONDS)
            if len(instances) >= intent.count or now >= due:
                return _closed(intent, instances)
            return Next(intent=intent, instances=instances, again=due)


def _closed(intent: Intent, instances: tuple[str, ...]) -> Next:
    return Next(instances=instances, missing=max(0, intent.count - len(instances)))
