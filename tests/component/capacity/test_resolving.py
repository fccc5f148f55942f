"""What the spec of a pool comes to in AWS, and what is told of it when it cannot be so."""

import pytest
from tests.component.capacity.resolver_rig import PROFILE, told

from awsbatch_operator.capacity.model import Market

PATH = "spec.capacity.pools[name=main]"


async def test_a_pool_comes_to_types_offers_prices_and_a_machine(rig):
    found = await rig.resolve(seen_mib={"r6i.large": 15_500})
    assert told(found) == []
    assert {(each.instance_type, each.zone, each.subnet) for each in found.offers} == {
        (name, f"eu-central-1{zone}", subnet)
        for name in ("m6i.large", "r6i.large")
        for zone, subnet in (("a", "subnet-1"), ("b", "subnet-2"))
    }
    assert {each.market for each in found.offers} == {Market.ON_DEMAND}
    assert all(each.price and each.price > 0 for each in found.offers)
    assert found.offers[0].price == found.prices[Market.ON_DEMAND, "m6i.large", "eu-central-1c"]
    assert found.types["r6i.large"].registered_mib == 15_500
    assert found.machine.security_groups == ("sg-1",)
    assert found.machine.instance_profile == PROFILE
    data = found.machine.user_data
    assert (data.cluster_id, data.environment_uid, data.region) == ("c1", "uid-1", "eu-central-1")
    assert (data.image_id[:4], data.gpu, data.ends_at) == ("ami-", False, None)


async def test_a_spot_block_buys_on_demand_and_as_spot_where_its_ladder_lists_it(rig):
    block = {"durationSeconds": 3600, "instanceCount": 2}
    usual = await rig.resolve(market="SpotBlock", spotBlock=block)
    assert {each.market for each in usual.offers} == {Market.ON_DEMAND}
    ladder = {**block, "fallback": ["OnDemandUntilDeadline", "Spot"]}
    both = await rig.resolve(market="SpotBlock", spotBlock=ladder)
    markets = [each.market for each in both.offers]
    assert set(markets) == {Market.ON_DEMAND, Market.SPOT}
    assert markets == sorted(markets)
    assert {market for market, _, _ in both.prices} == set(markets)


INVALID = {
    "a subnet that there is not": (
        {"subnets": ["subnet-1", "subnet-99"]},
        "subnets: EC2 has no subnet subnet-99",
        True,
    ),
    "no subnet that there is": ({"subnets": ["subnet-99"]}, "subnets: EC2 has no subnet", False),
    "a security group that there is not": (
        {"securityGroupIds": ["sg-99"]},
        "securityGroupIds: EC2 has no security group sg-99",
        False,
    ),
    "a type that there is not": (
        {"instanceTypes": ["m6i.large", "m6i.lagre"]},
        "instanceTypes: m6i.lagre is not among the instance types that EC2 has in eu-central-1",
        True,
    ),
    "no type that there is": (
        {"instanceTypes": ["m6i.lagre"]},
        "instanceTypes: m6i.lagre is not among",
        False,
    ),
    "types of two architectures": (
        {"instanceTypes": ["m6i.large", "m6g.large"]},
        "instanceTypes: leaves open arm64 and x86_64",
        False,
    ),
    "a type that cannot run so few threads": (
        {"instanceTypes": ["t2.micro", "m6i.large"], "cpuOptions": {"threadsPerCore": 1}},
        "cpuOptions: t2.micro cannot run with threadsPerCore 1",
        True,
    ),
    "a type that is not sold on the Spot market": (
        {"instanceTypes": ["t2.nano", "m6i.large"], "market": "Spot"},
        "instanceTypes: t2.nano is not sold as Spot Instances",
        True,
    ),
    "an image that there is not": (
        {"image": {"amiId": "ami-99"}},
        "image.amiId: EC2 has no image ami-99 in this region",
        False,
    ),
    "a parameter that there is not": (
        {"image": {"ssmParameter": "/team/image"}},
        "image.ssmParameter: Systems Manager has no parameter /team/image",
        False,
    ),
}


@pytest.mark.parametrize(("changes", "words", "serves"), INVALID.values(), ids=INVALID.keys())
async def test_what_cannot_be_so_is_told_by_its_field(rig, changes, words, serves):
    found = await rig.resolve(**changes)
    [(reason, text)] = told(found)
    assert reason == "PoolInvalid"
    assert f"{PATH}.{words}" in text
    assert (found.machine is not None and found.offers != ()) is serves


async def test_an_image_of_another_architecture_leaves_the_types_that_can_start_it(rig):
    x86 = (await rig.resolve()).machine.user_data.image_id
    found = await rig.resolve(instanceTypes=["m6i.large", "m6g.large"], image={"amiId": x86})
    [(reason, text)] = told(found)
    assert reason == "PoolInvalid"
    assert f"{PATH}.instanceTypes: m6g.large cannot start an image for x86_64" in text
    assert set(found.types) == {"m6i.large"}
    assert found.machine is not None


async def test_user_data_that_is_no_good_and_an_image_that_is_not_made_yet_are_told(rig):
    [(reason, text)] = told(await rig.resolve(userData={"script": 7}))
    assert (reason, f"{PATH}.userData.script" in text) == ("UserDataRefused", True)
    [(reason, text)] = told(await rig.resolve(image={"amiRef": {"name": "atmos"}}))
    assert (reason, f"{PATH}.image.amiRef" in text) == ("PoolInvalid", True)
