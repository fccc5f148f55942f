"""What holds of every plan, whatever it comes across."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.situations import BY_NAME, Situation, queues_of, situations
from tests.unit.capacity.values import NOW, PRICES, itype, offers, pool

from awsbatch_operator.capacity.fitting import fit, holds
from awsbatch_operator.capacity.instances import HAS_JOINED, LIVING, ON_ITS_WAY, rooms
from awsbatch_operator.capacity.model import Limits, Market, Wish
from awsbatch_operator.capacity.offers import is_paused
from awsbatch_operator.capacity.planner import plan_capacity

LAUNCH = "CreateFleet"


def calls(plan, operation):
    return [step.action for step in plan.steps if step.action.operation == operation]


def dearest(intents):
    """Instances, vCPUs and US dollars of all of them, each by its largest and dearest offer."""
    total = [0, 0, Decimal(0)]
    for each in intents:
        types = [BY_NAME[offer.instance_type] for offer in each.offers]
        prices = [each.max_price or offer.price for offer in each.offers]
        total[0] += each.count
        total[1] += each.count * max(about.vcpus for about in types)
        total[2] += each.count * max(prices)
    return total


def living(situation, name=None):
    return [
        life
        for life in situation.observed().lives
        if life.stage in LIVING and name in {None, life.pool}
    ]


@given(situations())
def test_no_plan_launches_beyond_a_limit(situation):
    plan = situation.plan()
    launched = [call.intent for call in calls(plan, LAUNCH) if call.intent is not None]
    if not launched:
        return
    limits, there = situation.wish.limits, living(situation)
    intents = [*situation.record.open_intents(), *launched]
    count, vcpus, cost = dearest(intents)
    count += len(there)
    vcpus += sum(
        BY_NAME[life.instance.instance_type].vcpus
        for life in there
        if life.instance.instance_type in situation.observed().types.get(life.pool, {})
    )
    cost += sum((PRICES[life.instance.instance_type] for life in there), Decimal(0))
    assert limits.max_instances is None or count <= limits.max_instances
    assert limits.max_vcpus is None or vcpus <= limits.max_vcpus
    assert limits.max_hourly_cost is None or cost <= limits.max_hourly_cost
    for each in situation.wish.pools:
        mine = [intent for intent in intents if intent.pool == each.name]
        if each.max_instances is not None and any(i in launched for i in mine):
            sure = len(living(situation, each.name)) + sum(intent.count for intent in mine)
            assert sure <= each.max_instances


@given(situations())
def test_a_plan_launches_only_what_may_be_bought_now_and_once_a_pool(situation):
    launched = [call.intent for call in calls(situation.plan(), LAUNCH)]
    names = [intent.pool for intent in launched]
    assert len(names) == len(set(names))
    assert not {intent.pool for intent in situation.record.open_intents()} & set(names)
    for intent in launched:
        mine = next(each for each in situation.wish.pools if each.name == intent.pool)
        for offer in intent.offers:
            assert offer.instance_type in mine.instance_types
            assert offer.market is mine.market
            assert not is_paused(situation.pauses, offer, NOW)


@given(situations())
def test_no_plan_ends_an_instance_that_has_a_task(situation):
    by_id = {life.id: life for life in situation.observed().lives}
    for call in calls(situation.plan(), "TerminateInstances"):
        for name in call.request["InstanceIds"]:
            assert by_id[name].tasks == 0, by_id[name]


def servable(situation, need):
    """Whether one instance more for the need is within all limits and can be bought now."""
    limits, there = situation.wish.limits, living(situation)
    count, vcpus, cost = dearest(situation.record.open_intents())
    count += len(there)
    vcpus += sum(BY_NAME[life.instance.instance_type].vcpus for life in there)
    cost += sum((PRICES[life.instance.instance_type] for life in there), Decimal(0))
    for offer in situation.observed().offers:
        about = BY_NAME[offer.instance_type]
        mine = next(each for each in situation.wish.pools if each.name == offer.pool)
        record = situation.record.of(mine.name)
        own = len(living(situation, mine.name))
        outdated = any(life.instance.content == "old" for life in living(situation, mine.name))
        if (
            mine.market is not Market.SPOT_BLOCK
            and record.intent is None
            and not outdated
            and holds(about.registered_cpu, about.registered_mib, about.gpus, need)
            and not is_paused(situation.pauses, offer, NOW)
            and (mine.max_instances is None or own < mine.max_instances)
            and (limits.max_instances is None or count < limits.max_instances)
            and (limits.max_vcpus is None or vcpus + about.vcpus <= limits.max_vcpus)
            and (
                limits.max_hourly_cost is None
                or cost + (mine.max_price_per_hour or offer.price) <= limits.max_hourly_cost
            )
        ):
            return True
    return False


@given(situations())
def test_a_plan_launches_or_waits_for_a_launch_when_a_job_without_room_can_be_served(situation):
    seen, plan = situation.observed(), situation.plan()
    going = {
        name for call in calls(plan, "TerminateInstances") for name in call.request["InstanceIds"]
    }
    there = rooms(
        [life for life in seen.lives if life.id not in going], seen.members, seen.types, NOW
    )
    open_now = situation.record.open_intents()
    promised = [room for intent in open_now for room in intent.rooms(seen.types[intent.pool])]
    left = fit(seen.needs, [*there, *promised])
    if any(servable(situation, need) for need in left) and not open_now:
        assert calls(plan, LAUNCH) or calls(plan, "CreateCapacityReservation")


def shown(plan):
    return plan.steps, plan.findings, plan.record, plan.announce, plan.look_again_seconds


@given(situations(), st.data())
def test_the_order_in_which_anything_is_seen_does_not_matter(situation, data):
    def shuffled(things):
        return tuple(data.draw(st.permutations(list(things))))

    other = replace(
        situation,
        instances=shuffled(situation.instances),
        members=shuffled(situation.members),
        queues=tuple(
            replace(each, jobs=shuffled(each.jobs)) for each in shuffled(situation.queues)
        ),
        pauses=dict(shuffled(situation.pauses.items())),
        memory=dict(shuffled(situation.memory.items())),
    )
    assert shown(other.plan()) == shown(situation.plan())
    one, two = situation.observed(), other.observed()  # what a plan seldom tells apart
    assert (two.lives, two.needs) == (one.lives, one.needs)
    there = rooms(one.lives, one.members, one.types, NOW)
    assert rooms(two.lives, two.members, two.types, NOW) == there


@given(situations(), st.data())
def test_the_order_of_offers_types_and_prices_does_not_matter_either(situation, data):
    seen = situation.observed()
    if data.draw(st.booleans()):  # what costs the same has an order of its own
        seen = replace(seen, offers=[replace(each, price=Decimal("0.1")) for each in seen.offers])

    def mixed(mapping):
        return dict(data.draw(st.permutations(list(mapping.items()))))

    other = replace(
        seen,
        offers=tuple(data.draw(st.permutations(list(seen.offers)))),
        types={name: mixed(types) for name, types in mixed(seen.types).items()},
        prices=mixed(seen.prices),
        machines=mixed(seen.machines),
    )
    one = plan_capacity(situation.wish, seen, situation.record, NOW)
    assert shown(plan_capacity(situation.wish, other, situation.record, NOW)) == shown(one)


@given(situations())
def test_what_has_not_joined_in_time_and_no_other_is_ended_before_it_was_drained(situation):
    by_id = {life.id: life for life in situation.observed().lives}
    for call in calls(situation.plan(), "TerminateInstances"):
        for name in call.request["InstanceIds"]:
            life = by_id[name]
            assert life.stage not in HAS_JOINED
            assert (
                life.stage not in ON_ITS_WAY
                or life.pool == "left"
                or (NOW.since(life.instance.launched) > 600)
            )


def test_what_stands_in_for_two_pools_keeps_the_limits_together():
    one, other = itype("a.large", 2, 16), itype("b.xlarge", 4, 16)
    pools = pool("p0", one, other, max_instances=2), pool("p1", one, other, max_instances=2)
    situation = Situation(
        wish=Wish(limits=Limits(max_vcpus=12), pools=pools),
        queues=queues_of([(2.0, 14000, 0, 4, 0, "first")]),
    )
    prices = {"a.large": Decimal("0.10"), "b.xlarge": Decimal("0.14")}
    seen = replace(
        situation.observed(),
        types={each.name: {"a.large": one, "b.xlarge": other} for each in pools},
        offers=offers(*pools, prices=prices),
    )
    plan = plan_capacity(situation.wish, seen, situation.record, NOW)
    intents = [call.intent for call in calls(plan, LAUNCH)]
    assert len(intents) == 2
    most = sum(
        intent.count * (4 if "b.xlarge" in {each.instance_type for each in intent.offers} else 2)
        for intent in intents
    )
    assert most <= 12
