"""EC2 launches nothing: why stands in the status, EC2 is not hammered, and it goes on by itself."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.support.instances import CALLS_A_MINUTE, Fleet, pool
from tests.support.manifests import ENVIRONMENT

from awsbatch_operator.api.metadata import RECONCILE_AT

LAUNCHES = ("ec2:CreateFleet", "ec2:RunInstances")


async def test_offers_that_are_short_are_left_alone_for_1_2_4_minutes_until_one_succeeds():
    there = Fleet()
    there.fault(effect="world", name="insufficient_capacity")
    async with there.running():
        there.furnish(pool(instanceTypes=["m7i.large"]), jobs=1)
        text = await there.until(ENVIRONMENT, "Reconciling", "CapacityShort")
        assert "1 waiting job waits for an offer. EC2 has none of m7i.large for us now" in text
        assert "We currently do not have sufficient m7i.large capacity" in text
        (paused,) = there.row()["paused"]
        assert f"EC2 is asked again at {paused['until']}" in text
        await there.clock.advance(60 + 120 + 240 + 30)
        asked = [at for at, call in there.moments if call in LAUNCHES]
        gaps = [round(later - at, -1) for at, later in pairwise(asked)]
        assert gaps == [60, 120, 240]
        assert there.row()["paused"][0]["failures"] == 4
        there.mend()
        await there.run_until(lambda: there.succeeded(1), within=600)
        assert "paused" not in there.row()
        assert there.busiest_minute() <= CALLS_A_MINUTE


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "the subnet has no free addresses": (
        {
            "effect": "world",
            "name": "offer_refused",
            "code": "InsufficientFreeAddressesInSubnet",
            "message": "There are not enough free addresses in subnet 'subnet-1'.",
            "status": 400,
        },
        (
            "[name=main].subnets: There are not enough free addresses in subnet 'subnet-1'. Name a"
            " subnet that exists and has free addresses, or free some in it."
        ),
    ),
    "the image was deregistered": (
        {
            "effect": "error",
            "operation": "CreateFleet",
            "code": "InvalidAMIID.Unavailable",
            "message": "The image ID 'ami-1' is no longer available",
            "status": 400,
        },
        (
            "[name=main].image: The image ID 'ami-1' is no longer available. Name an image that "
            "is available to the account in this region."
        ),
    ),
    "the operator may not pass the role": (
        {
            "effect": "error",
            "operation": "CreateFleet",
            "code": "UnauthorizedOperation",
            "message": "User: op is not authorized to perform: iam:PassRole on resource: the role",
            "status": 403,
        },
        (
            "[name=main].instanceProfile: User: op is not authorized to perform: iam:PassRole on "
            "resource: the role. Allow the operator iam:PassRole on it."
        ),
    ),
}


def told(there: Fleet, words: str) -> Callable[[], bool]:
    return lambda: words in there.condition(ENVIRONMENT, "Stalled").get("message", "")


async def test_a_pool_that_ec2_refuses_names_its_field_and_what_mends_it():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        for refused, (fault, words) in REFUSED.items():
            there.mend()
            there.fault(**fault)
            there.kube.annotate(ENVIRONMENT, **{RECONCILE_AT: refused})
            await there.run_until(told(there, words))
            await there.clock.advance(5)
            assert told(there, words)()
        assert there.launches() <= 2 * len(REFUSED)
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_a_refused_pool_is_tried_again_every_five_minutes_and_at_once_after_an_edit():
    there = Fleet()
    there.fault(**REFUSED["the operator may not pass the role"][0])
    async with there.running():
        there.furnish(jobs=1)
        await there.until(ENVIRONMENT, "Stalled", "PoolRefused")
        await there.clock.advance(400)
        assert there.launches() == 2
        assert len(there.told("PoolRefused")) == 1
        there.mend()
        there.furnish(pool(idleSeconds=61))
        await there.run_until(lambda: there.succeeded(1), within=100)
        assert there.launches() == 3
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_a_vcpu_quota_is_told_with_its_limit_and_what_is_used_of_it():
    there = Fleet()
    there.settle(market={"quotas": {"L-1216C47A": 3}})
    async with there.running():
        there.furnish(pool(instanceTypes=["m7i.large"]), jobs=4)
        text = await there.until(ENVIRONMENT, "Reconciling", "CapacityQuotaReached")
        assert "quota of 3 vCPUs for OnDemand Standard instances" in text
        assert "this environment uses 2 vCPUs of it" in text
        await there.run_until(lambda: there.succeeded(1, 2, 3, 4), within=900)
        assert there.launches() <= 4
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_nothing_is_bought_whose_price_is_unknown_under_a_limit_of_cost():
    there = Fleet()
    there.settle(market={"prices": {"m7i.*": 0}})
    async with there.running():
        there.furnish(jobs=1, maxHourlyCost="1.00")
        text = await there.until(ENVIRONMENT, "Reconciling", "PriceUnknown")
        assert "No price is known of m7i.large, m7i.xlarge" in text
        await there.clock.advance(300)
        assert there.launches() == 0
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_nothing_is_bought_above_the_price_limit_of_its_pool_until_that_is_raised():
    there = Fleet()
    async with there.running():
        there.furnish(pool(market="Spot", maxPricePerHour="0.001"), jobs=1)
        text = await there.until(ENVIRONMENT, "Reconciling", "PriceAboveLimit")
        assert "1 waiting job is above maxPricePerHour. The cheapest of m7i.large" in text
        assert there.launches() == 0
        there.furnish(pool(market="Spot", maxPricePerHour="1.00"))
        await there.run_until(lambda: there.succeeded(1))
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_a_throttled_launch_is_sent_again_in_the_same_bytes():
    there = Fleet()
    there.fault(effect="throttle", service="ec2", operation="CreateFleet", times=3)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        bodies = there.bodies("CreateFleet")
        assert len(bodies) == 4
        assert len(set(bodies)) == 1
        assert len(there.alive()) == 1
        assert there.busiest_minute(*LAUNCHES) <= 12
        assert there.busiest_minute() <= CALLS_A_MINUTE
