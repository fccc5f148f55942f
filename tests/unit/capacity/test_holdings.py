"""What counts as there, so that nothing is bought twice nor above a limit."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.capacity.values import LARGE, NOW, TYPES, life, need, offers, pool

from awsbatch_operator.capacity.block_record import Block, Phase
from awsbatch_operator.capacity.holdings import block_room, promised, usage, waiting_for
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.model import Market, SpotBlock, Used

MAIN = {each.name: each for each in TYPES}
PRICES = {(Market.ON_DEMAND, "r7i.large", "a"): Decimal("0.10")}
INTENT = Intent(
    pool="main",
    token="t",
    round=1,
    template="lt-1",
    version=1,
    count=3,
    minimum=1,
    market=Market.ON_DEMAND,
    offers=offers(pool("main", LARGE)),
    time=NOW,
)


def used(*lives, intents=(), pools=(), name="main"):
    mine = (*pools, pool())
    return usage(mine, lives, intents, {"main": MAIN, "spot": MAIN}, PRICES).of(name)


def test_what_lives_counts_and_what_is_ending_does_not():
    found = used(
        life("i-1"),
        life("i-2", status="DRAINING"),
        life("i-3", joined=False),
        life("i-4", state="shutting-down"),
        life("i-5", state="terminated"),
    )
    assert found == Used(instances=3, vcpus=6, hourly_cost=Decimal("0.30"))


def test_an_unknown_price_makes_the_cost_unknown():
    assert used(life(), life("i-2", zone="b")).hourly_cost is None


def test_a_spot_instance_counts_with_the_highest_price_that_its_pool_allows():
    spot = pool("spot", market=Market.SPOT, max_price_per_hour=Decimal("0.50"))
    mine = life(pool="spot", market=Market.SPOT)
    assert used(mine, pools=[spot], name="spot").hourly_cost == Decimal("0.50")


def test_a_spot_instance_costs_its_price_where_that_is_above_what_its_pool_allows_by_now():
    """It was launched when the pool allowed more."""
    spot = pool("spot", market=Market.SPOT, max_price_per_hour=Decimal("0.05"))
    mine = life(pool="spot", market=Market.SPOT)
    prices = {(Market.SPOT, "r7i.large", "a"): Decimal("0.08")}
    found = usage([spot], [mine], (), {"spot": MAIN}, prices).of("spot")
    assert found.hourly_cost == Decimal("0.08")


def test_an_open_launch_of_types_that_nobody_knows_any_more_counts_with_the_vcpus_of_its_offers():
    assert usage([], [], [INTENT], {}, {}).of("main").vcpus == 6


def test_an_open_intent_counts_in_full_and_its_instances_not_once_more():
    shown, other = life("i-1", intent="t", joined=False), life("i-2", intent="u")
    found = used(shown, other, intents=[INTENT])
    assert found == Used(instances=4, vcpus=8, hourly_cost=Decimal("0.40"))
    assert len(promised([INTENT], [shown, other], {"main": MAIN})) == 2
    assert promised([INTENT], [], {}) == ()


def test_a_block_is_waited_for_by_jobs_that_fit_its_types_and_its_time():
    block = SpotBlock(duration_seconds=600, instance_count=2)
    mine = pool("block", LARGE, market=Market.SPOT_BLOCK, spot_block=block)
    jobs = [need(count=3, timeout_seconds=600), need(timeout_seconds=601), need(vcpus=3)]
    assert waiting_for(mine, jobs, MAIN) == 3
    made = Block(request=1, phase=Phase.LAUNCHING, instance_type="r7i.large", zone="a")
    assert len(block_room(mine, made, 1, MAIN)) == 1
    assert block_room(mine, replace(made, phase=Phase.HELD), 0, MAIN) == ()
