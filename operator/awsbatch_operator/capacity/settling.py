"""The record of launches, brought up to date by what is known by now."""

from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity.block_record import (
    Block,
    Phase,
    block_body,
    block_of,
    reservation_token,
)
from awsbatch_operator.capacity.blocks import failed
from awsbatch_operator.capacity.faults import reservation_gone
from awsbatch_operator.capacity.joining import joining
from awsbatch_operator.capacity.launches import (
    LOOK_SECONDS,
    Answered,
    Intent,
    Launches,
    Looked,
    Outcome,
    round_of,
    rounds_from_tags,
)
from awsbatch_operator.capacity.model import Market, Rung, Wish
from awsbatch_operator.capacity.observed import Observed


def outcome_of(intent: Intent, seen: Observed) -> Outcome:
    """The answer, or else a look at what EC2 shows with the intent's tag."""
    answer = seen.answers.get(intent.token)
    if answer is not None and answer.outcome is not None:
        return answer.outcome
    found = tuple(life.id for life in seen.lives if life.instance.intent == intent.token)
    since = seen.since if answer is None else max(seen.since, answer.at)
    return Looked(found, since)


def settled(record: Launches, wish: Wish, seen: Observed, now: Instant) -> Launches:
    """The record with what is known by now: intents closed, and who has joined or never did.

    EC2's answer names instances that EC2 lists only later. If the process ended in between, nobody
    would know of them, and the jobs would get others. So the intent stays open until all are
    listed; it counts as many as there are, and what is missing is asked for elsewhere at once.
    """
    record = _behind_tags(record, wish, seen)
    for intent in record.open_intents():
        outcome = outcome_of(intent, seen)
        if isinstance(outcome, Answered) and not seen.unlisted.isdisjoint(outcome.instances):
            kept = replace(intent, count=len(outcome.instances))
            record = record.put(intent.pool, replace(record.of(intent.pool), intent=kept))
            continue
        closed = record.after(intent.pool, outcome, now)
        if closed is not record and intent.request:
            closed = _block_after(closed, intent, seen)
        record = closed
    for pool in wish.pools:
        before = record.of(pool.name)
        after = joining(before, seen.lives, pool, seen.mark, now, since=seen.since)
        if after != before:
            record = record.put(pool.name, after)
        block = _unreserved(after.block, pool.name, seen, record.uid)
        if block is not None:
            record = put_block(record, pool.name, block)
    return record


def _behind_tags(record: Launches, wish: Wish, seen: Observed) -> Launches:
    """The record with rounds that are not behind those which instances carry.

    Somebody may have put an older record back, from a backup or from a manifest of their own. Its
    next round would bring a token that EC2 knows, and its block would be bought again.
    """
    specs = {pool.name: pool.spot_block for pool in wish.pools}
    tagged = [(life.pool, life.instance.intent) for life in seen.lives if life.pool]
    for pool, number in sorted(rounds_from_tags(tagged).items()):
        if number > record.of(pool).round:
            record = record.put(pool, replace(record.of(pool), round=number))
            spec = specs.get(pool)
            if spec is not None:
                record = _overtaken(record, pool, number, spec.request, seen)
    return record


def _overtaken(record: Launches, pool: str, number: int, request: int, seen: Observed) -> Launches:
    """The record with the block that the newest round was launched for; it counts as held.

    No tag says for which request that was, so it is taken for the one that the spec asks for:
    buying nothing is mended by another number, buying twice is not.
    """
    mine = [life.instance for life in seen.lives if life.pool == pool]
    newest = [view for view in mine if view.end and round_of(view.intent) == number]
    before = block_of(record.of(pool).block)
    if not newest or (before is not None and _same_second(before.end, newest[0].end)):
        return record
    block = Block(
        request=request if before is None else max(request, before.request),
        phase=Phase.HELD,
        rung=Rung.SPOT if newest[0].market is Market.SPOT else Rung.UNTIL_DEADLINE,
        instance_type=newest[0].instance_type,
        zone=newest[0].zone,
        end=newest[0].end,
    )
    return put_block(record, pool, block)


def _same_second(one: Instant | None, other: Instant | None) -> bool:
    """Tags give the end in whole seconds."""
    return one is not None and other is not None and int(one.epoch) == int(other.epoch)


def _block_after(record: Launches, intent: Intent, seen: Observed) -> Launches:
    """A block whose launch brought less than was asked for goes on to its next way."""
    answer = seen.answers.get(intent.token)
    block = block_of(record.of(intent.pool).block)
    if answer is None or not answer.faults or block is None:
        return record
    return put_block(record, intent.pool, failed(block, answer.faults[0][1]))


def _unreserved(body: Shape, pool: str, seen: Observed, uid: str) -> Block | None:
    """The block after EC2 refused its reservation, or it has come to its end; else None."""
    block = block_of(body)
    if block is None or block.phase is not Phase.SECURING:
        return None
    token = reservation_token(block, pool, uid)
    answer = seen.answers.get(token)
    gone = next((each.gone for each in seen.reservations if each.token == token), "")
    if gone:
        return failed(block, reservation_gone(gone))
    return failed(block, answer.faults[0][1]) if answer is not None and answer.faults else None


def reserving(record: Launches, seen: Observed, now: Instant) -> bool:
    """Whether a reservation may have been made that EC2 does not show yet."""
    for pool, each in record.pools.items():
        block = block_of(each.block)
        if block is None or block.phase is not Phase.SECURING:
            continue
        answer = seen.answers.get(reservation_token(block, pool, record.uid))
        since = seen.since if answer is None else max(seen.since, answer.at)
        if now < since.plus(LOOK_SECONDS):
            return True
    return False


def put_block(record: Launches, pool: str, block: Block) -> Launches:
    """The record with this block of the pool."""
    before = record.of(pool)
    return record.put(pool, replace(before, block=block_body(block)))
