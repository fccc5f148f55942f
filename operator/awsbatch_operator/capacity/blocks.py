"""Capacity for a time: what AWS sold as spot blocks until 2022, made of what it sells now.

A block is (object, pool, request): its record stands in the annotation before each step, and one
that is over is never made again; a higher request number makes the next one. The user's ladder
names the ways, which are tried in their order, and never above the highest price. Its end is fixed
before the first call, and every instance and reservation carries it: reservations end at their
EndDate and instances by their own timer even when the operator is gone.

        waiting ──► securing ──────► launching ──► held ──► over
        (for a job  (a reservation   (instances,    (until the end, or until
        or a price) is being made)   at once)        nothing of it is left)
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.block_record import (
    ALLOWANCE_SECONDS,
    Block,
    BlockAction,
    BlockStep,
    BlockView,
    LaunchBlock,
    Phase,
    Release,
    Reservation,
    Reserve,
    reservation_token,
    without_lost_reservation,
)
from awsbatch_operator.capacity.budget import Budget, Candidate
from awsbatch_operator.capacity.faults import Extent, Fault
from awsbatch_operator.capacity.model import (
    BlockStart,
    Market,
    Offer,
    Pool,
    Renew,
    Rung,
    SpotBlock,
)

_RETRY_SECONDS = 60.0
_RETRY_AT_MOST = 3600.0
_OFFERS_TRIED = 10  # of one way
_SAME_AGAIN = frozenset({Extent.THROTTLED, Extent.UNKNOWN, Extent.TOKEN, Extent.TEMPLATE})


@dataclass(frozen=True, slots=True)
class Ground:
    """All that choosing a way looks at; `refused` gathers why offers are no way."""

    pool: Pool
    view: BlockView
    budget: Budget
    now: Instant
    refused: list[str] = field(default_factory=list)

    def able(self, market: Market, missing: int) -> list[Offer]:
        """The offers of a market that keep price and limits for all instances, cheapest first."""
        found = [
            offer
            for offer in self.view.offers
            if offer.market is market and self._priced(offer) and self._within(offer, missing)
        ]
        return sorted(found, key=_price_order)

    def own_reservation(
        self, missing: int, end: Instant | None
    ) -> tuple[Reservation, Offer] | None:
        """A reservation of the user's with room until the end, and what it costs to use it."""
        offers = {
            (each.instance_type, each.zone): each for each in self.able(Market.ON_DEMAND, missing)
        }
        for each in sorted(self.view.reservations, key=lambda found: found.id):
            lasts = each.end is None or (end is not None and each.end >= end)
            offer = offers.get((each.instance_type, each.zone))
            fits = each.active and not each.ours and each.available >= missing
            if fits and lasts and offer is not None:
                return each, offer
        self.refused.append("no reservation of one's own has room until the end")
        return None

    def reason(self) -> str:
        """Why the last way is not open."""
        text = "; ".join(dict.fromkeys(self.refused)) or "nothing is offered now"
        self.refused.clear()
        return text

    def _within(self, offer: Offer, missing: int) -> bool:
        about = self.view.types.get(offer.instance_type)
        if about is None:
            return False
        one = Candidate(
            pool=self.pool.name, type=about, offers=(offer,), price=offer.price, bound=offer.price
        )
        if self.budget.times(one, missing) >= missing:
            return True
        self.refused.append(f"{self.budget.stop(one) or 'a limit'} does not allow all of it")
        return False

    def _priced(self, offer: Offer) -> bool:
        most, name = self.pool.max_price_per_hour, offer.instance_type
        if most is None:
            return True
        if offer.price is None:
            self.refused.append(f"the price of {name} is unknown")
            return False
        if offer.price > most:
            self.refused.append(f"{name} costs {offer.price}, above maxPricePerHour {most}")
        return offer.price <= most


def _price_order(offer: Offer) -> tuple[bool, Decimal, str, str]:
    price = offer.price
    return price is None, price or Decimal(0), offer.instance_type, offer.zone


def advance(
    block: Block | None, pool: Pool, view: BlockView, *, budget: Budget, uid: str, now: Instant
) -> BlockStep:
    """The next step of a pool's block. `budget` is what the limits leave."""
    spec = _spec(pool)
    current = _current(block, spec, view)
    if current.end is None:
        view = replace(view, launched=0)  # what EC2 lists is of the block before
    if current.late(now, begun=bool(view.launched)) and not view.launching:
        return _held(replace(current, phase=Phase.HELD), spec, view)
    current = without_lost_reservation(current, spec, view)
    match current.phase:
        case Phase.WAITING:
            return _begin(current, spec, Ground(pool, view, budget, now), uid)
        case Phase.SECURING:
            return _secured(current, spec, view, uid)
        case Phase.LAUNCHING:
            return _launched(current, spec, view)
        case Phase.HELD:
            return _held(current, spec, view)
        case Phase.OVER:
            return BlockStep(block=current, decision=_over(current))


def _over(block: Block) -> str:
    return f"Request {block.request} is over. Raise spotBlock.request to get another."


def failed(block: Block, fault: Fault) -> Block:
    """The record after EC2 refused to reserve or to launch: the next offer, or the next way.

    The caller pauses an offer that is short, so that the next one is the next cheapest.
    """
    if block.rung is None or fault.extent in _SAME_AGAIN:
        return block
    further = block.rung is not Rung.OWN_RESERVATION and block.attempt < _OFFERS_TRIED
    launched_into = block.phase is Phase.LAUNCHING and bool(block.target)
    if fault.extent is Extent.OFFER and further and not launched_into:
        return replace(block, phase=Phase.WAITING, attempt=block.attempt + 1)
    return block.moved_on(block.rung, fault.message)


def _spec(pool: Pool) -> SpotBlock:
    if pool.spot_block is None:
        raise ValueError(f"pool {pool.name} has no spotBlock")
    return pool.spot_block


def _current(block: Block | None, spec: SpotBlock, view: BlockView) -> Block:
    """The block that the spec asks for now: the recorded one as long as it is not over."""
    if block is None:
        return Block(request=spec.request)
    if block.phase is not Phase.OVER:
        return block
    if spec.request > block.request:
        return Block(request=spec.request)
    if spec.renew is Renew.WHILE_DEMAND and view.waiting and spec.request == block.request:
        return Block(request=block.request, renewal=block.renewal + 1)
    return block


def _begin(block: Block, spec: SpotBlock, ground: Ground, uid: str) -> BlockStep:
    """Take the first way that is open, or say what the block waits for."""
    view, now = ground.view, ground.now
    if block.not_before is not None:
        if now < block.not_before and block.mark == view.mark:
            return BlockStep(block=block, decision=block.closed, again=block.not_before)
        block = replace(block, tried=(), not_before=None)  # the whole ladder again
    begun = bool(block.tried or block.attempt or view.living)
    if spec.start is BlockStart.ON_DEMAND and not view.waiting and not begun:
        return BlockStep(block=block, decision="Begins when a job first waits for it.")
    if block.reservation and not view.living:  # of a way that led nowhere
        named, block = block.reservation, replace(block, reservation="")
        # One of the user's own stays, whatever became of the launch into it.
        if any(each.id == named and each.ours for each in view.reservations):
            return BlockStep(block=block, action=Release(named))
    if block.end is None or not view.launched:  # nothing has begun: the time counts from now
        block = replace(block, end=now.plus(spec.duration_seconds + ALLOWANCE_SECONDS))
    done = {rung for rung, _ in block.tried}
    for rung in spec.fallback:
        if rung not in done:
            step = _way(replace(block, rung=rung), spec, ground, uid)
            if step is not None:
                return step
            block = block.moved_on(rung, ground.reason())
    return _no_way(block, view, spec, now)


def _no_way(block: Block, view: BlockView, spec: SpotBlock, now: Instant) -> BlockStep:
    """Keep what there is, or try the whole ladder again, later and later."""
    if view.living:
        text = f"{view.living} of {spec.instance_count} instances; no more. {block.whys}"
        return BlockStep(block=replace(block, phase=Phase.HELD), decision=text)
    seconds = min(_RETRY_AT_MOST, _RETRY_SECONDS * 2 ** min(block.failures, 10))
    again = now.plus(seconds)
    waiting = replace(block, failures=block.failures + 1, end=None, rung=None)
    waiting = replace(waiting, not_before=again, mark=view.mark)
    return BlockStep(block=waiting, decision=waiting.closed, again=again)


def _way(block: Block, spec: SpotBlock, ground: Ground, uid: str) -> BlockStep | None:
    """The first step of one way; None if it is not open."""
    view, rung = ground.view, block.rung
    missing = spec.instance_count - view.launched
    if rung is Rung.OWN_RESERVATION:
        own = ground.own_reservation(missing, block.end)
        if own is None:
            return None
        found, offer = own
        taken = _chosen(block, offer, Phase.LAUNCHING)
        return _launched(replace(taken, reservation=found.id), spec, view)
    offers = ground.able(Market.SPOT if rung is Rung.SPOT else Market.ON_DEMAND, missing)
    if rung is not Rung.NEW_RESERVATION:
        return _launched(_chosen(block, offers[0], Phase.LAUNCHING), spec, view) if offers else None
    return _secured(_chosen(block, offers[0], Phase.SECURING), spec, view, uid) if offers else None


def _chosen(block: Block, offer: Offer, phase: Phase) -> Block:
    return replace(
        block,
        phase=phase,
        instance_type=offer.instance_type,
        zone=offer.zone,
        price=offer.price,
    )


def _secured(block: Block, spec: SpotBlock, view: BlockView, uid: str) -> BlockStep:
    """Make the reservation, or go on when EC2 shows it. Sent again, the same token makes none."""
    token = reservation_token(block, view.pool, uid)
    for each in view.reservations:
        if each.token == token and each.active:
            held = replace(block, phase=Phase.LAUNCHING, reservation=each.id)
            return _launched(held, spec, view)
    if block.end is None:
        raise ValueError("a block that is being made has an end")
    count = spec.instance_count - view.launched
    action = Reserve(token, block.instance_type, block.zone, count, block.end)
    return _told(block, spec, action)


def _launched(block: Block, spec: SpotBlock, view: BlockView) -> BlockStep:
    """Launch what is missing, not what came and went unseen; then hold what is left."""
    missing = spec.instance_count - view.launched
    if missing <= 0:
        return _told(replace(block, phase=Phase.HELD), spec, None)
    if view.launching or block.end is None:
        return _told(block, spec, None)
    market = Market.SPOT if block.rung is Rung.SPOT else Market.ON_DEMAND
    offers = tuple(
        offer
        for offer in view.offers
        if offer.market is market
        and (offer.instance_type, offer.zone) == (block.instance_type, block.zone)
    )
    action = LaunchBlock(market, offers, missing, block.end, block.target)
    return _told(block, spec, action)


def _held(block: Block, spec: SpotBlock, view: BlockView) -> BlockStep:
    """Until nothing of it is left: at its end, when it was released, or when all was lost.

    A request is fulfilled once: what is lost before the end is not launched again. The reservation
    of a block that is over is given back as all that no block needs.
    """
    if view.living:
        return _told(block, spec, None)
    over = replace(block, phase=Phase.OVER)
    return BlockStep(block=over, decision=_over(over), cost=block.cost(spec))


def _told(block: Block, spec: SpotBlock, action: BlockAction | None) -> BlockStep:
    until = "" if block.end is None else f" until {block.end.rfc3339()}"
    way = f"{spec.instance_count} x {block.instance_type} in {block.zone}{until} by {block.rung}"
    sure = "" if block.guaranteed else ", which EC2 may take back before"
    before = "".join(f" ({rung}: {why})" for rung, why in block.tried)
    return BlockStep(
        block=block, action=action, decision=f"{way}{sure}.{before}", cost=block.cost(spec)
    )
