"""What to do next for an environment's capacity: the steps, their record, and what to tell.

Every pool has a lane in which it buys: template, reservation and launch follow one another, and a
lane ends at its first error. What ends instances has a lane beside it (`<pool>/leaving`), so that
nothing that is bought in vain keeps an instance alive.

Every launch step carries the whole record with all intents of the plan, because lanes are sent side
by side and the annotation that is written last must not take an intent back. So an intent may stand
open whose call was never sent: whoever sends them knows, and says so by `Refused`; after a crash it
is looked for like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_planning import (
    BlockPlan,
    abandoned,
    advance_blocks,
    all_used,
)
from awsbatch_operator.capacity.choice import CALL_AT_MOST, Choice, Pick
from awsbatch_operator.capacity.demand import shortest_timeout
from awsbatch_operator.capacity.fitting import fit, instances, place
from awsbatch_operator.capacity.holdings import promised
from awsbatch_operator.capacity.instances import rooms
from awsbatch_operator.capacity.joining import launch_bound, to_be_tried
from awsbatch_operator.capacity.launch_codec import annotation, written
from awsbatch_operator.capacity.launches import Intent, Launches, Refused, Throttled
from awsbatch_operator.capacity.leaving import (
    Drain,
    Leaving,
    Situation,
    Terminate,
    leave,
)
from awsbatch_operator.capacity.leaving_steps import leaving_steps
from awsbatch_operator.capacity.losses import losses
from awsbatch_operator.capacity.machines import Template
from awsbatch_operator.capacity.model import InstanceType, Limits, Market, Need, Room, Used, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import buyable
from awsbatch_operator.capacity.pacing import look_again
from awsbatch_operator.capacity.packing import choose
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.settling import settled
from awsbatch_operator.capacity.status import capacity_status
from awsbatch_operator.capacity.telling import findings, protected
from awsbatch_operator.capacity.templates import Templates, unused

_SEND_AGAIN = 5.0


@dataclass(slots=True)
class Drafts:
    """The plan as it grows: the record with its intents, and the calls of each lane."""

    wish: Wish
    seen: Observed
    now: Instant
    record: Launches
    templates: Templates
    launches: dict[str, tuple[Intent, str]] = field(default_factory=dict)  # with the content
    before: dict[str, list[Call]] = field(default_factory=dict)  # of a lane, before its launch

    def used(self) -> Used:
        """All that counts against the limits, what is about to be launched too."""
        return all_used(self.seen, self.record, self.wish).total()

    def open(self, draft: Intent, about: InstanceType) -> bool:
        """Open an intent for the pool; whether that may be done now."""
        pool = next(each for each in self.wish.pools if each.name == draft.pool)
        made = self.templates.of(pool, about, draft.end, draft.market)
        if not self.record.may_launch(draft.pool, self.now) or not isinstance(made, Template):
            return False
        if made.name not in self.seen.templates:
            calls = self.before.setdefault(draft.pool, [])
            calls.append(requests.make_template(draft.pool, made))
        intent = self.record.next_intent(replace(draft, template=made.name))
        self.record = self.record.opened(intent)
        self.launches[draft.pool] = (intent, made.content)
        return True


def plan_capacity(wish: Wish, seen: Observed, record: Launches, now: Instant) -> Plan[Call]:
    """The next steps. `record` is what stands in the object's annotation, or launches.lost()."""
    known = settled(record, wish, seen, now)
    lost = losses(seen.lives, seen.notices, wish.pools)
    seen = replace(seen, needs=(*lost.values(), *seen.needs)) if lost else seen
    templates = Templates(seen)
    drafts = Drafts(wish, seen, now, known, templates)
    free = tuple(room for room in _rooms(drafts) if room.instance not in lost)
    situation = _situation(drafts, free, lost)
    leaving = leave(wish.pools, seen.lives, situation)
    going = _going(leaving)
    free = tuple(room for room in free if room.instance not in going)
    released = abandoned(drafts)
    blocks = advance_blocks(drafts, free)
    choice = _choice(drafts, (*free, *blocks.rooms))
    for pick in choice.picks:
        _launch(drafts, pick)
    _again(drafts)
    steps = (*leaving_steps(leaving, seen, now), *_buying_steps(drafts, blocks))
    steps += tuple(Step(call, lane=f"{call.pool}/reservation") for call in released)
    stale = unused(drafts.templates, wish, drafts.record, now)
    steps += tuple(Step(requests.delete_template(each), lane="templates") for each in stale)
    body = capacity_status(
        wish, seen, drafts.record, choice, before=record, blocks=blocks.steps, now=now
    )
    told = findings(wish, seen, drafts.record, choice, refused=templates.refused, now=now)
    return Plan(
        steps=steps,
        findings=(*protected(seen), *told),
        record=written(known if drafts.launches else drafts.record, record),
        announce={"capacity": body},
        look_again_seconds=look_again(
            wish, seen, drafts.record, choice=choice, steps=steps, situation=situation
        ),
    )


def _rooms(drafts: Drafts) -> tuple[Room, ...]:
    seen, intents = drafts.seen, drafts.record.open_intents()
    types = seen.all_types
    there = rooms(seen.lives, seen.members, types, drafts.now)
    return (*there, *promised(intents, seen.lives, types))


def _situation(drafts: Drafts, free: Sequence[Room], lost: Mapping[str, Need]) -> Situation:
    seen = drafts.seen
    joined = {member.instance for member in seen.members}
    there = [room for room in free if room.instance in joined]
    return Situation(
        now=drafts.now,
        needed=place(seen.needs, free).used,
        contents=drafts.templates.contents(drafts.wish),
        types={pool.name: pool.instance_types for pool in drafts.wish.pools if pool.instance_types},
        prices=_by_type(seen),
        notices=seen.notices,
        homeless={each for each, need in lost.items() if fit([need], there)},
        shortest_timeout=_shortest(drafts),
    )


def _shortest(drafts: Drafts) -> float | None:
    """The shortest timeout of the waiting jobs that a block would take; None: not known."""
    longest = max(
        (each.spot_block.duration_seconds for each in drafts.wish.pools if each.spot_block),
        default=0,
    )
    needs = drafts.seen.needs
    return shortest_timeout(
        each for each in needs if each.timeout_seconds is None or each.timeout_seconds <= longest
    )


def _by_type(seen: Observed) -> Mapping[str, Decimal]:
    """On-demand prices, which rank types alike on both markets; of several zones the highest."""
    found: dict[str, Decimal] = {}
    for (market, name, _), price in seen.prices.items():
        if market is Market.ON_DEMAND:
            found[name] = max(price, found.get(name, price))
    return found


def _going(leaving: Leaving) -> frozenset[str]:
    return frozenset(
        each
        for action in leaving.actions
        if isinstance(action, Drain | Terminate)
        for each in action.instances
    )


def _choice(drafts: Drafts, free: Sequence[Room]) -> Choice:
    wish, seen, now = drafts.wish, drafts.seen, drafts.now
    return choose(
        seen.needs,
        wish.pools,
        {pool: tuple(types.values()) for pool, types in seen.types.items()},
        buyable(seen.pauses, seen.offers, now),
        used=all_used(seen, drafts.record, wish),
        limits=wish.limits,
        rooms=free,
        at_most=_bounds(drafts),
        tried=to_be_tried(seen.lives, wish.pools, drafts.templates.contents(wish)),
    )


def _bounds(drafts: Drafts) -> Mapping[str, int]:
    """How many each pool may launch at most, of those that may not launch any number."""
    found: dict[str, int] = {}
    contents = drafts.templates.contents(drafts.wish)
    for pool in drafts.wish.pools:
        held = drafts.seen.held.get(pool.name)
        refused = pool.name not in contents or (held is not None and drafts.now < held.until)
        if refused or not drafts.seen.serves or drafts.record.of(pool.name).stopped:
            found[pool.name] = 0
            continue
        bound = launch_bound(drafts.seen.lives, pool.name, contents[pool.name])
        if bound is not None:
            found[pool.name] = 0 if drafts.record.of(pool.name).intent is not None else bound
    return found


def _launch(drafts: Drafts, pick: Pick) -> None:
    """Open an intent for the pick; a further one of its pool waits for the next plan."""
    pool = next(each for each in drafts.wish.pools if each.name == pick.pool)
    offers = pick.offers
    if pool.threads_per_core is not None:  # a template fills in the number of cores
        offers = tuple(each for each in offers if each.instance_type == pick.instance_type.name)
    spot = pool.market is Market.SPOT
    draft = Intent(
        pool=pool.name,
        token="",
        round=0,
        template="",
        version=requests.VERSION,
        count=min(pick.count, CALL_AT_MOST),
        minimum=1,
        market=pool.market,
        offers=offers,
        time=drafts.now,
        max_price=pool.max_price_per_hour if spot else None,
    )
    before = drafts.used()
    more = draft.used(drafts.seen.all_types.get(pool.name, {}))
    if not _within(drafts.wish.limits, before + more):
        # What stands in for the picked type was checked for each pick by itself.
        own = tuple(each for each in offers if each.instance_type == pick.instance_type.name)
        draft = replace(draft, offers=own)
    drafts.open(draft, pick.instance_type)


def _within(limits: Limits, used: Used) -> bool:
    cost = used.hourly_cost
    return (
        (limits.max_vcpus is None or used.vcpus <= limits.max_vcpus)
        and (limits.max_instances is None or used.instances <= limits.max_instances)
        and (limits.max_hourly_cost is None or (cost or Decimal(0)) <= limits.max_hourly_cost)
    )


def _again(drafts: Drafts) -> None:
    """The byte-identical request of what EC2 had too many requests for, after a while.

    Where it cannot be made again, since the pool is another by now, the intent is closed: nothing
    was launched by it.
    """
    for intent in drafts.record.open_intents():
        answer = drafts.seen.answers.get(intent.token)
        if answer is None or not isinstance(answer.outcome, Throttled):
            continue
        if drafts.now.since(answer.at) < _SEND_AGAIN:
            continue
        pool = next((each for each in drafts.wish.pools if each.name == intent.pool), None)
        about = drafts.seen.all_types.get(intent.pool, {}).get(intent.offers[0].instance_type)
        made = None
        if pool is not None and about is not None:
            made = drafts.templates.of(pool, about, intent.end, intent.market)
        if made is not None and made.name == intent.template:
            drafts.launches[intent.pool] = (intent, made.content)
        else:
            drafts.record = drafts.record.after(intent.pool, Refused(), drafts.now)


def _buying_steps(drafts: Drafts, blocks: BlockPlan) -> tuple[Step[Call], ...]:
    """Templates, then reservations and their release, then launches, each pool's in its lane."""
    steps: list[Step[Call]] = []
    whole = annotation(drafts.record)
    for pool, calls in sorted(blocks.calls.items()):
        steps += [Step(call, record=whole, lane=pool, note=_reserved(call)) for call in calls]
    for pool, (intent, content) in sorted(drafts.launches.items()):
        steps += [Step(call, lane=pool) for call in drafts.before.get(pool, ())]
        words = f"A launch of {instances(intent.count)} for pool {pool}."
        note = Finding(capacity_reasons.INSTANCES_LAUNCHED, words)
        call = requests.launch(drafts.seen.owner, intent, content, drafts.seen.cluster_name)
        steps.append(Step(call, record=whole, lane=pool, note=note))
    return tuple(steps)


def _reserved(call: Call) -> Finding | None:
    if not call.token:
        return None
    asked = call.request
    words = f"Reserved {asked['InstanceCount']} x {asked['InstanceType']} for pool {call.pool} "
    words += f"until {asked['EndDate']}."
    return Finding(capacity_reasons.CAPACITY_RESERVED, words)
