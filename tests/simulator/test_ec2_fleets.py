"""CreateFleet of the type instant: which offers it takes, and what it says of the others.

Sources: CreateFleet in the EC2 API reference; "Allocation strategies for EC2 Fleet or Spot Fleet"
in the EC2 User Guide.
"""

from typing import Any

import pytest
from tests.simulator.instances import (
    Zoned,
    bought,
    fleet,
    fleet_request,
    instance,
    lacking,
    override,
    refused,
    run,
    template,
)

from awsbatch_simulator.faults import Effect, FaultSpec

M5, C5, R5 = override("m5.large"), override("c5.large"), override("r5.large")
CHEAP_FIRST = {"spotPrices": {"c5.large:*": 0.02, "m5.large:*": 0.03, "r5.large:*": 0.04}}
NONE_LEFT = "InsufficientInstanceCapacity"


def spot(**options: Any) -> dict[str, Any]:
    return {"SpotOptions": options}


def on_demand(**options: Any) -> dict[str, Any]:
    return {"market": "on-demand", "OnDemandOptions": options}


def test_a_fleet_launches_at_once_and_says_of_what():
    cloud = Zoned()
    answer = fleet(cloud, M5, units=3)
    [group] = answer["Instances"]
    assert bought(answer) == {("m5.large", "subnet-1"): 3}
    assert (group["Lifecycle"], group["AvailabilityZone"]) == ("spot", "eu-central-1a")
    used = group["LaunchTemplateAndOverrides"]
    assert used["Overrides"] == M5
    assert used["LaunchTemplateSpecification"]["Version"] == "1"
    assert answer["Errors"] == []
    shown = instance(cloud, group["InstanceIds"][0])
    assert shown["InstanceLifecycle"] == "spot"
    tags = {each["Key"]: each["Value"] for each in shown["Tags"]}
    assert tags["aws:ec2:fleet-id"] == answer["FleetId"]
    assert tags["aws:ec2launchtemplate:version"] == "1"


def test_what_one_offer_lacks_another_gives_and_each_lack_is_told():
    cloud = Zoned(capacity={"spot:c5.large:*": 2, "spot:m5.large:*": 0}, **CHEAP_FIRST)
    answer = fleet(cloud, R5, M5, C5, units=5)
    assert bought(answer) == {("c5.large", "subnet-1"): 2, ("r5.large", "subnet-1"): 3}
    assert lacking(answer) == [("c5.large", NONE_LEFT), ("m5.large", NONE_LEFT)]
    assert {each["Lifecycle"] for each in answer["Errors"]} == {"spot"}


def test_strategies_that_look_at_capacity_say_that_they_cannot_fulfil():
    cloud = Zoned(capacity={"*:*:*": 1})
    answer = fleet(cloud, M5, units=2, **spot(AllocationStrategy="price-capacity-optimized"))
    assert (sum(bought(answer).values()), lacking(answer)) == (
        1,
        [("m5.large", "UnfulfillableCapacity")],
    )
    plenty = fleet(cloud, M5, units=2, **on_demand())
    assert lacking(plenty) == [("m5.large", NONE_LEFT)]


def test_a_fleet_that_gets_less_than_its_target_keeps_what_it_got():
    cloud = Zoned(capacity={"*:*:*": 1})
    answer = fleet(cloud, M5, override("m5.large", "subnet-2"), units=5)
    assert sum(bought(answer).values()) == 2
    assert [code for _, code in lacking(answer)] == [NONE_LEFT, NONE_LEFT]
    [shown] = cloud("DescribeFleets", FleetIds=[answer["FleetId"]])["Fleets"]
    assert (shown["FulfilledCapacity"], shown["FulfilledOnDemandCapacity"]) == (2.0, 0.0)


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (spot(AllocationStrategy="lowest-price"), "c5.large"),
        (spot(AllocationStrategy="price-capacity-optimized"), "m5.large"),
        (spot(AllocationStrategy="capacity-optimized"), "r5.large"),
        (spot(AllocationStrategy="capacity-optimized-prioritized"), "m5.large"),
        (on_demand(AllocationStrategy="prioritized"), "c5.large"),
        (on_demand(), "c5.large"),
    ],
)
def test_the_strategy_decides_which_offer_comes_first(options, first):
    cloud = Zoned(capacity={"spot:c5.large:*": 1}, **CHEAP_FIRST)
    offers = (R5 | {"Priority": 9.0}, M5 | {"Priority": 5.0}, C5 | {"Priority": 0.0})
    answer = fleet(cloud, *offers, units=2, **options)
    assert answer["Instances"][0]["InstanceType"] == first


def test_an_offer_without_a_price_comes_last():
    cloud = Zoned(spotPrices={"c5.*:*": 0})
    assert bought(fleet(cloud, C5, M5)) == {("m5.large", "subnet-1"): 1}


def test_diversified_spreads_evenly_and_so_does_a_count_of_pools():
    cloud = Zoned(**CHEAP_FIRST)
    even = fleet(cloud, M5, C5, R5, units=6, **spot(AllocationStrategy="diversified"))
    assert sorted(bought(even).values()) == [2, 2, 2]
    two = fleet(cloud, M5, C5, R5, units=6, **spot(InstancePoolsToUseCount=2))
    assert bought(two) == {("c5.large", "subnet-1"): 3, ("m5.large", "subnet-1"): 3}


def test_weights_are_units_of_the_target():
    answer = fleet(Zoned(), override("m5.xlarge", WeightedCapacity=4.0), units=10)
    assert bought(answer) == {("m5.xlarge", "subnet-1"): 3}


def test_all_or_nothing_in_one_zone():
    cloud = Zoned(capacity={"*:*:eu-central-1a": 2, "*:*:eu-central-1b": 4})
    offers = [
        override(name, f"subnet-{zone}") for zone in (1, 2) for name in ("m5.large", "c5.large")
    ]
    gang = spot(SingleAvailabilityZone=True, MinTargetCapacity=8)
    answer = fleet(cloud, *offers, units=8, **gang)
    assert bought(answer) == {("m5.large", "subnet-2"): 4, ("c5.large", "subnet-2"): 4}
    nothing = fleet(
        cloud, *offers, units=9, **spot(SingleAvailabilityZone=True, MinTargetCapacity=9)
    )
    assert nothing["Instances"] == []
    assert {code for _, code in lacking(nothing)} == {NONE_LEFT}
    assert len(cloud.region.ec2.instances) == 8


def test_one_type_only():
    cloud = Zoned(capacity={"*:m5.large:*": 1})
    offers = [
        override(name, f"subnet-{zone}") for name in ("m5.large", "c5.large") for zone in (1, 2)
    ]
    answer = fleet(cloud, *offers, units=4, **spot(SingleInstanceType=True))
    assert {each["InstanceType"] for each in answer["Instances"]} == {"c5.large"}


def test_the_total_price_is_not_exceeded():
    cloud = Zoned(spotPrices={"*:*": 0.03})
    answer = fleet(cloud, M5, units=9, **spot(MaxTotalPrice="0.1"))
    assert bought(answer) == {("m5.large", "subnet-1"): 3}
    assert lacking(answer) == [("m5.large", "UnfulfillableCapacity")]


def test_a_maximum_price_below_the_spot_price_is_an_error_of_that_offer():
    cloud = Zoned(spotPrices={"*:*": 0.03})
    answer = fleet(cloud, M5 | {"MaxPrice": "0.02"}, C5 | {"MaxPrice": "0.04"}, units=2)
    assert bought(answer) == {("c5.large", "subnet-1"): 2}
    assert lacking(answer) == [("m5.large", "SpotMaxPriceTooLow")]


def test_quotas_and_addresses_are_errors_of_the_offers_that_they_stop():
    cloud = Zoned(quotas={"L-1216C47A": 4})
    cloud.known.networks["subnet-1"] = "10.1.2.0/28"
    few = fleet(cloud, M5, C5, units=9, **on_demand())
    assert sum(bought(few).values()) == 2
    assert {code for _, code in lacking(few)} == {"VcpuLimitExceeded"}
    cloud.market(quotas={"L-34B43A08": 6})
    assert {code for _, code in lacking(fleet(cloud, M5, C5, units=9))} == {
        "MaxSpotInstanceCountExceeded"
    }
    cloud.market(quotas={"L-34B43A08": 999})
    crowded = fleet(cloud, M5, C5, units=99)
    assert sum(bought(crowded).values()) == 6
    assert {code for _, code in lacking(crowded)} == {"InsufficientFreeAddressesInSubnet"}


def test_what_is_wrong_with_a_launch_is_in_the_list_of_errors_not_an_error_of_the_request():
    cloud = Zoned()
    cloud.known.missing |= {"subnet-0", "ami-2"}
    answer = fleet(cloud, override("m5.large", "subnet-0"), override("m99.large"), C5, units=2)
    assert bought(answer) == {("c5.large", "subnet-1"): 2}
    assert lacking(answer) == [
        ("m5.large", "InvalidSubnetID.NotFound"),
        ("m99.large", "InvalidParameterValue"),
    ]
    gone = fleet(cloud, C5 | {"ImageId": "ami-2"})
    assert lacking(gone) == [("c5.large", "InvalidAMIID.NotFound")]
    block = fleet_request(cloud, C5)
    options = {"MarketType": "spot", "SpotOptions": {"BlockDurationMinutes": 60}}
    specification = {"LaunchTemplateId": template(cloud, InstanceMarketOptions=options)}
    block["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"] = specification
    [error] = cloud("CreateFleet", **block)["Errors"]
    assert error["ErrorCode"] == "InvalidParameterValue"
    assert error["ErrorMessage"] == "BlockDurationMinutes is not a valid parameter"


def test_both_markets_in_one_fleet():
    cloud = Zoned()
    target = {
        "TotalTargetCapacity": 5,
        "OnDemandTargetCapacity": 2,
        "DefaultTargetCapacityType": "spot",
    }
    answer = fleet(cloud, M5, TargetCapacitySpecification=target)
    counts = {each["Lifecycle"]: len(each["InstanceIds"]) for each in answer["Instances"]}
    assert counts == {"on-demand": 2, "spot": 3}
    [shown] = cloud("DescribeFleets", FleetIds=[answer["FleetId"]])["Fleets"]
    assert (shown["FulfilledCapacity"], shown["FulfilledOnDemandCapacity"]) == (5.0, 2.0)


def test_types_can_be_chosen_by_their_attributes():
    cloud = Zoned()
    wanted = {
        "VCpuCount": {"Min": 4, "Max": 4},
        "MemoryMiB": {"Min": 16_384, "Max": 16_384},
        "AllowedInstanceTypes": ["m5*", "m7g*", "t3*", "c5*"],
    }
    answer = fleet(cloud, {"InstanceRequirements": wanted, "SubnetId": "subnet-1"})
    assert answer["Instances"][0]["InstanceType"] in {"m5.xlarge", "m5a.xlarge", "m7g.xlarge"}
    wanted["VCpuCount"] = {"Min": 4, "Max": 3}
    refusal = cloud.refused("CreateFleet", **fleet_request(cloud, {"InstanceRequirements": wanted}))
    assert refusal.startswith("InvalidParameterValue: ")


def test_an_offer_can_be_refused_for_any_reason():
    cloud = Zoned()
    spec = FaultSpec(
        effect=Effect.WORLD,
        name="offer_refused",
        match={"instanceType": "m5.*", "market": "spot"},
        code="SpotSLRCreationFailed",
        message="The service-linked role is missing.",
        status=400,
    )
    cloud.world.faults.add(spec)
    answer = fleet(cloud, M5, C5, units=2)
    assert bought(answer) == {("c5.large", "subnet-1"): 2}
    assert lacking(answer) == [("m5.large", "SpotSLRCreationFailed")]
    assert refused(cloud, InstanceMarketOptions={"MarketType": "spot"}).startswith(
        "SpotSLRCreationFailed: The service-linked"
    )
    assert len(run(cloud)) == 1
