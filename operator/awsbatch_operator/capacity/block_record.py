"""The values of a block: its record, what its next step looks at, and the steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, RecordError, Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.capacity.model import InstanceType, Market, Offer, Rung, SpotBlock

ALLOWANCE_SECONDS = 300.0  # until instances work: the duration is meant to be of use
_HOUR = Decimal(3600)


class Phase(StrEnum):
    """How far a block has come."""

    WAITING = "Waiting"
    SECURING = "Securing"
    LAUNCHING = "Launching"
    HELD = "Held"
    OVER = "Over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The record of one block. `tried` are the ways that failed, each with the reason."""

    request: int
    renewal: int = 0
    phase: Phase = Phase.WAITING
    rung: Rung | None = None
    attempt: int = 0  # which of the rung's offers, the cheapest first
    failures: int = 0  # whole ladders in a row without success
    not_before: Instant | None = None
    mark: str = ""  # of the spec under which no way was open: with another, it is tried at once
    tried: tuple[tuple[Rung, str], ...] = ()
    instance_type: str = ""
    zone: str = ""
    reservation: str = ""  # its id, once it is known
    end: Instant | None = None
    price: Decimal | None = None  # an instance and hour
    count: int = 0  # of the reservation that is being made; 0: not recorded

    @property
    def guaranteed(self) -> bool:
        """Whether EC2 leaves the instances alone until the end."""
        return self.rung is not Rung.SPOT

    @property
    def target(self) -> str:
        """The reservation that is launched into; that of a way before may only hold instances."""
        into = self.rung in {Rung.OWN_RESERVATION, Rung.NEW_RESERVATION}
        return self.reservation if into else ""

    def late(self, now: Instant, *, begun: bool) -> bool:
        """Whether its end has come while it was still being made: nothing more is bought for it.

        The operator was away for so long. What it had bought before may have come and gone unseen.
        `begun`: some of it was launched, so that also one that waits for its next way has its end.
        """
        waits = begun and self.phase is Phase.WAITING
        making = waits or self.phase in {Phase.SECURING, Phase.LAUNCHING}
        return making and self.end is not None and now >= self.end

    def cost(self, spec: SpotBlock) -> Decimal | None:
        """What the whole block costs at most, in US dollars, to the cent; None: unknown."""
        if self.price is None:
            return None
        hours = Decimal(spec.duration_seconds + int(ALLOWANCE_SECONDS)) / _HOUR
        return (self.price * spec.instance_count * hours).quantize(Decimal("0.01"))

    @property
    def whys(self) -> str:
        """Why each way that was tried led nowhere."""
        return "; ".join(f"{rung}: {why}" for rung, why in self.tried)

    @property
    def closed(self) -> str:
        """What to tell while no way is open."""
        again = "" if self.not_before is None else self.not_before.rfc3339()
        return f"No way is open. {self.whys}; tried again at {again}, or when the spec changes."

    def moved_on(self, rung: Rung, why: str) -> "Block":
        """The same, where that way led nowhere."""
        tried = (*self.tried, (rung, why[:200]))
        return replace(self, phase=Phase.WAITING, rung=None, attempt=0, tried=tried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A capacity reservation as EC2 shows it."""

    id: str
    instance_type: str
    zone: str
    available: int
    active: bool
    gone: str = ""  # its state, once it has come to its end
    ours: bool  # made for a block, by its tags
    token: str = ""  # the tag with the token that it was made with
    pool: str = ""  # the tag with the pool that it was made for
    end: Instant | None = None  # None: without an end


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """What a block's next step depends on."""

    pool: str
    waiting: int  # jobs that fit its types and find no room elsewhere
    living: int  # instances of this block that have not ended
    launched: int  # all of it that EC2 lists, those too that have ended
    offers: Sequence[Offer]  # on demand and Spot, not paused
    types: Mapping[str, InstanceType]
    reservations: Sequence[Reservation] = ()
    launching: bool = False  # the pool has an open launch intent
    mark: str = ""  # of the spec, and of the annotation that asks for a reconcile


@dataclass(frozen=True, slots=True)
class Reserve:
    """CreateCapacityReservation, targeted, with EndDate. The same token makes it once."""

    token: str
    instance_type: str
    zone: str
    count: int
    end: Instant


@dataclass(frozen=True, slots=True)
class LaunchBlock:
    """Open a launch intent for it."""

    market: Market  # OnDemand or Spot
    offers: tuple[Offer, ...]
    count: int
    end: Instant
    reservation: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """CancelCapacityReservation."""

    reservation: str


BlockAction = Reserve | LaunchBlock | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStep:
    """The record to write down, what to do then, and what to tell."""

    block: Block
    action: BlockAction | None = None
    decision: str = ""
    cost: Decimal | None = None  # of the whole block
    again: Instant | None = None


def without_lost_reservation(block: Block, spec: SpotBlock, view: BlockView) -> Block:
    """On to the next way where the reservation that is launched into is not shown any more.

    Somebody has cancelled it, or it may not be used: whoever may edit the object could have put
    another team's into the record.
    """
    launching = block.phase is Phase.LAUNCHING and not view.launching
    if block.rung is None or not launching or view.living >= spec.instance_count:
        return block
    if not block.target or any(each.id == block.target for each in view.reservations):
        return block
    why = f"the reservation {block.target} is not there, or may not be used"
    return block.moved_on(block.rung, why)


def reservation_token(block: Block, pool: str, uid: str) -> str:
    """The client token of its reservation: of this request, offer and end alone."""
    end = "" if block.end is None else block.end.rfc3339()
    parts = (uid, pool, str(block.request), str(block.renewal), str(block.failures), end)
    return f"awsbatch-{short_hash(*parts, block.instance_type, block.zone, digits=40)}"


# --- the record as JSON, in PoolRecord.block ---

_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def block_body(block: Block) -> Shape:
    """The record as a JSON object."""
    body: dict[str, Any] = {
        "request": block.request,
        "renewal": block.renewal,
        "phase": block.phase.value,
        "rung": None if block.rung is None else block.rung.value,
        "attempt": block.attempt,
        "failures": block.failures,
        "notBefore": _written(block.not_before),
        "mark": block.mark,
        "tried": [[rung.value, why] for rung, why in block.tried],
        "type": block.instance_type,
        "zone": block.zone,
        "reservation": block.reservation,
        "end": _written(block.end),
        "price": None if block.price is None else str(block.price),
        "count": block.count,
    }
    return {name: value for name, value in body.items() if value not in (None, "", [], 0)}


def block_of(body: Shape) -> Block | None:
    """Read the record; None if there is none. RecordError if we would not have written it."""
    if not body:
        return None
    try:
        rung, price = body.get("rung"), body.get("price")
        return Block(
            request=int(body.get("request", 0)),
            renewal=int(body.get("renewal", 0)),
            phase=Phase(body["phase"]),
            rung=None if rung is None else Rung(rung),
            attempt=int(body.get("attempt", 0)),
            failures=int(body.get("failures", 0)),
            not_before=_read(body.get("notBefore")),
            mark=str(body.get("mark", "")),
            tried=tuple((Rung(each), str(why)) for each, why in body.get("tried", ())),
            instance_type=str(body.get("type", "")),
            zone=str(body.get("zone", "")),
            reservation=str(body.get("reservation", "")),
            end=_read(body.get("end")),
            price=None if price is None else _money(price),
            count=int(body.get("count", 0)),
        )
    except _DAMAGED as error:
        message = f"The annotation {LAUNCHES} has a block that cannot be read: {error}"
        remedy = "Restore it. Without it a block that was bought before would be bought again."
        raise RecordError(message, remedy) from error


def block_shown(status: Shape) -> Block | None:
    """A record in the place of a lost one, from `block` of the pool's status; None if it has none.

    It counts as held: it is over once none of its instances lives, and is never bought again.
    """
    try:
        end = _read(status.get("endTime"))
        shown = int(status["request"]) if end is not None else None
    except _DAMAGED:
        return None
    return None if shown is None else Block(request=shown, phase=Phase.HELD, end=end)


def _money(text: str) -> Decimal:
    price = Decimal(text)
    if not price.is_finite():
        raise ValueError(f"{text!r} is no price")
    return price


def _written(at: Instant | None) -> str | None:
    return None if at is None else at.rfc3339_micro()


def _read(text: str | None) -> Instant | None:
    return None if text is None else Instant.parse(text)
