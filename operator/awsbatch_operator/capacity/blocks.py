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

from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.block_ground import Ground
from awsbatch_operator.capacity.block_record import (
    ALLOWANCE_SECONDS,
    Block,
    BlockAction,
    BlockStep,
    BlockView,
    LaunchBlock,
    Phase,
    Release,
    Reserve,
    reservation_token,
    without_lost_reservation,
)
from awsbatch_operator.capacity.budget import Budget
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
            return BlockStep(block=current, decision=_over(current, spec))


def _over(block: Block, spec: SpotBlock) -> str:
    further = "Raise spotBlock.request to get another."
    if spec.renew is Renew.WHILE_DEMAND and spec.request == block.request:
        further = "It is renewed when a job waits for it."
    return f"Request {block.request} is over. {further}"


def failed(block: Block, fault: Fault) -> Block:
    """The record after EC2 refused to reserve or to launch: the next dearer offer, or the next way.

    Where the way has `attempt`, the offer stays in the record: those up to it were tried.
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
            attempt = block.attempt if rung is block.rung else 0
            step = _way(replace(block, rung=rung, attempt=attempt), spec, ground, uid)
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
    market = Market.SPOT if rung is Rung.SPOT else Market.ON_DEMAND
    offers = ground.untried(block, market, missing)
    if rung is not Rung.NEW_RESERVATION:
        return _launched(_chosen(block, offers[0], Phase.LAUNCHING), spec, view) if offers else None
    return _secured(_chosen(block, offers[0], Phase.SECURING), spec, view, uid) if offers else None


def _chosen(block: Block, offer: Offer, phase: Phase) -> Block:
    """The block on a way. What an earlier one has reserved may hold instances; see `target`."""
    return replace(
        block,
        phase=phase,
        count=0,
        instance_type=offer.instance_type,
        zone=offer.zone,
        price=offer.price,
    )


def _secured(block: Block, spec: SpotBlock, view: BlockView, uid: str) -> BlockStep:
    """Make the reservation, or go on when EC2 shows it. Sent again, the same token makes none.

    Its count is the recorded one, whatever has come of the spec and of instances since: EC2 refuses
    a token that it knows with other parameters.
    """
    if not block.count:
        block = replace(block, count=spec.instance_count - view.launched)
    token = reservation_token(block, view.pool, uid)
    for each in view.reservations:
        if each.token == token and each.active:
            held = replace(block, phase=Phase.LAUNCHING, reservation=each.id)
            return _launched(held, spec, view)
    if block.end is None:
        raise ValueError("a block that is being made has an end")
    action = Reserve(token, block.instance_type, block.zone, block.count, block.end)
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
    return BlockStep(block=over, decision=_over(over, spec), cost=block.cost(spec))


def _told(block: Block, spec: SpotBlock, action: BlockAction | None) -> BlockStep:
    until = "" if block.end is None else f" until {block.end.rfc3339()}"
    way = f"{spec.instance_count} x {block.instance_type} in {block.zone}{until} by {block.rung}"
    sure = "" if block.guaranteed else ", which EC2 may take back before"
    before = "".join(f" ({rung}: {why})" for rung, why in block.tried)
    return BlockStep(
        block=block, action=action, decision=f"{way}{sure}.{before}", cost=block.cost(spec)
    )
