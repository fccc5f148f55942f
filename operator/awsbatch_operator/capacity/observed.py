"""All that a plan of capacity looks at, as one value; and what an open launch intent has become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.capacity.block_record import (
    Block,
    Phase,
    Reservation,
    block_body,
    block_of,
    reservation_token,
)
from awsbatch_operator.capacity.blocks import failed
from awsbatch_operator.capacity.faults import NOTHING_LAUNCHED, Extent, Fault, classify
from awsbatch_operator.capacity.holdings import Prices, TypesByPool
from awsbatch_operator.capacity.instances import Life
from awsbatch_operator.capacity.joining import joining
from awsbatch_operator.capacity.launches import (
    LOOK_SECONDS,
    Answered,
    Intent,
    Launches,
    Looked,
    Outcome,
    Refused,
    Throttled,
    TokenUsed,
    round_of,
    rounds_from_tags,
)
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.machines import Machine
from awsbatch_operator.capacity.model import Market, Need, Offer, Rung, Wish
from awsbatch_operator.capacity.offers import Pauses, after_fault, after_success
from awsbatch_operator.capacity.views import MemberView

_HELD_SECONDS = 300.0  # a person must mend it, and may do so where we do not see it: IAM, a quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What this process knows of a call, by the token of its intent or reservation.

    `outcome` is None if the answer was lost, or said that EC2 may have done it: a look tells.
    """

    at: Instant
    outcome: Outcome | None = None
    faults: tuple[tuple[Offer | None, Fault], ...] = ()  # with the offer that each speaks of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """EC2 refused the launches of a pool for a reason that a person must mend."""

    fault: Fault
    until: Instant  # when it is tried again all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What EC2, ECS and Batch show, and what this process remembers. Types are by pool and name.

    `offers` are all that the pools may buy, the paused ones too; of a block's pool on demand, and
    Spot where its ladder lists it.
    """

    owner: Owner
    cluster: str  # ARN of the ECS cluster
    since: Instant  # when this process began to lead
    mark: str  # of the spec and of the annotation that asks for a reconcile; never ""
    serves: bool = True  # Batch would start jobs there now; else nothing is launched
    lives: Sequence[Life] = ()
    members: Sequence[MemberView] = ()
    unlisted: frozenset[str] = frozenset()  # ids that answers named and EC2 does not list yet
    needs: Sequence[Need] = ()
    queues: int = 1  # that have the environment in their order; only their jobs wake us
    types: TypesByPool = field(default_factory=dict)
    offers: Sequence[Offer] = ()
    prices: Prices = field(default_factory=dict)
    machines: Mapping[str, Machine] = field(default_factory=dict)  # of the pools that may launch
    templates: Mapping[str, Instant] = field(default_factory=dict)  # ours: when each was made
    reservations: Sequence[Reservation] = ()
    pauses: Pauses = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    protected: Mapping[str, Instant] = field(default_factory=dict)  # ids: EC2 refused their end
    diagnoses: Mapping[str, str] = field(default_factory=dict)  # what was seen of who never joined
    other_types: TypesByPool = field(default_factory=dict)  # of instances; not to be bought (now)
    pace: float = 1.0  # of looks, times their usual intervals: less for AWS in fast motion
    blocks: Mapping[str, Shape] = field(default_factory=dict)  # as the status shows them, by pool
    checks: Sequence[Finding] = ()  # what the pools name and EC2 does not have so

    @property
    def all_types(self) -> TypesByPool:
        """The types of all instances that are there or may be bought."""
        if not self.other_types:
            return self.types
        names = {*self.types, *self.other_types}
        return {
            pool: {**self.other_types.get(pool, {}), **self.types.get(pool, {})} for pool in names
        }

    @property
    def cluster_name(self) -> str:
        """The ECS cluster's name."""
        return self.cluster.rpartition("/")[2]


def fleet_answer(intent: Intent, body: Shape, at: Instant) -> Answer:
    """Read the answer of CreateFleet or RunInstances to an intent."""
    ids = [str(each["InstanceId"]) for each in body.get("Instances") or () if "InstanceId" in each]
    ids += [str(one) for each in body.get("Instances") or () for one in each.get("InstanceIds", ())]
    faults = []
    for each in body.get("Errors") or ():
        fault = classify(str(each.get("ErrorCode", "")), str(each.get("ErrorMessage", "")))
        faults.append((_offer_of(intent, each), fault))
    if not ids and not faults:  # or it would be asked again at once
        faults.append((None, NOTHING_LAUNCHED))
    return Answer(at=at, outcome=Answered(tuple(ids)), faults=tuple(faults))


def refused_answer(intent: Intent, code: str, message: str, at: Instant) -> Answer:
    """What an error of the whole call means. No code: the answer was lost."""
    fault = classify(code, message)
    offer = intent.offers[0] if len(intent.offers) == 1 or intent.reservation else None
    outcome: Outcome | None = Refused()
    if fault.extent is Extent.UNKNOWN:
        outcome = None
    elif fault.extent is Extent.THROTTLED:
        outcome = Throttled()
    elif fault.extent is Extent.TOKEN:
        outcome = TokenUsed()
    return Answer(at=at, outcome=outcome, faults=((offer, fault),))


def _offer_of(intent: Intent, error: Shape) -> Offer | None:
    overrides = error.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
    name, subnet = overrides.get("InstanceType"), overrides.get("SubnetId")
    return next(
        (o for o in intent.offers if (o.instance_type, o.subnet) == (name, subnet)),
        None,
    )


def pauses_after(pauses: Pauses, intent: Intent, answer: Answer) -> Pauses:
    """The pauses after an answer: what was launched ends its offer's, errors begin others.

    An error that names no offer is one of all that were asked for.
    """
    short = {offer for offer, _ in answer.faults}
    if isinstance(answer.outcome, Answered) and answer.outcome.instances and not short:
        pauses = after_success(pauses, intent.offers[0])
    for offer, fault in answer.faults:
        for each in intent.offers if offer is None else (offer,):
            pauses = after_fault(pauses, each, fault, answer.at)
    return pauses


def held_after(held: Mapping[str, Held], intent: Intent, answer: Answer) -> Mapping[str, Held]:
    """The pools that are held back after an answer: for five minutes, or until one succeeds.

    The caller forgets it when the spec changes.
    """
    others = {pool: each for pool, each in held.items() if pool != intent.pool}
    if isinstance(answer.outcome, Answered) and answer.outcome.instances:
        return others
    faults = [fault for _, fault in answer.faults if fault.extent is Extent.POOL]
    if not faults:
        return held
    return {**others, intent.pool: Held(fault=faults[0], until=answer.at.plus(_HELD_SECONDS))}


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
    """The block after EC2 refused its reservation; None if it did not."""
    block = block_of(body)
    if block is None or block.phase is not Phase.SECURING:
        return None
    answer = seen.answers.get(reservation_token(block, pool, uid))
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
