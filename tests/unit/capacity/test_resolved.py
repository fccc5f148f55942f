"""What a pool comes to by all that is known; and that AWS is asked for it as seldom as may be."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.capacity.planning_model import CLUSTER, OWNER
from tests.unit.capacity.resolver_ports import TYPES, Aws

from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.resolving import Resolver
from awsbatch_operator.capacity.wish import wish

SCOPE = Scope("111122223333", "eu-central-1")
BODY = {
    "name": "main",
    "market": "OnDemand",
    "instanceTypes": ["m6i.large"],
    "subnets": ["subnet-a", "subnet-b"],
    "securityGroupIds": ["sg-1"],
    "instanceProfile": "arn:aws:iam::111122223333:instance-profile/p",
}


@pytest.fixture
def aws():
    return Aws()


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def resolve(aws, clock):
    resolver = Resolver(aws, aws, aws, clock, cluster_id="test", ecs_endpoint="http://ecs:1")

    async def ask(*, fresh=False, seen=None, **changes):
        body = {key: value for key, value in {**BODY, **changes}.items() if value is not None}
        [pool] = wish({"pools": [body]}).pools
        return await resolver.resolve(
            SCOPE, OWNER, CLUSTER, pool, body, seen_mib=seen or {}, fresh=fresh
        )

    return ask


def by_requirements(**requirements):
    return {"instanceTypes": None, "instanceRequirements": requirements}


# --- machine ---


def data_of(found: Any, **options: Any) -> Any:
    made = template(OWNER, found.pool, found.machine, **options)
    assert isinstance(made, Template)
    return made.request["LaunchTemplateData"]


async def test_a_machine_has_what_the_spec_says_in_ec2s_words(resolve):
    found = await resolve(
        keyName="k",
        blockDeviceMappings=[
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 50, "kmsKeyId": "key"}},
            {"deviceName": "/dev/sdb", "virtualName": "ephemeral0"},
            {"deviceName": "/dev/sdc", "noDevice": ""},
        ],
        metadataOptions={"httpProtocolIpv6": "enabled"},
        placement={"groupName": "g", "partitionNumber": 2},
    )
    data = data_of(found)
    ebs = {"VolumeSize": 50, "KmsKeyId": "key", "DeleteOnTermination": True}
    assert data["BlockDeviceMappings"] == [
        {"DeviceName": "/dev/xvda", "Ebs": ebs},
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdc", "NoDevice": ""},
    ]
    assert data["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 2,
        "HttpProtocolIpv6": "enabled",
    }
    assert data["Placement"] == {"GroupName": "g", "PartitionNumber": 2}
    assert (data["KeyName"], data["SecurityGroupIds"]) == ("k", ["sg-1"])
    assert data["IamInstanceProfile"] == {"Arn": BODY["instanceProfile"]}
    text = base64.b64decode(data["UserData"]).decode()
    assert f"ECS_CLUSTER={CLUSTER.rpartition('/')[2]}\n" in text
    assert "ECS_BACKEND_HOST=http://ecs:1" in text


async def test_without_security_groups_a_template_names_none(resolve):
    found = await resolve(securityGroupIds=None)
    data = data_of(found)
    assert "SecurityGroupIds" not in data


async def test_spot_requests_are_tagged_only_where_there_may_be_some(resolve):
    block = {"durationSeconds": 3600, "instanceCount": 1}
    ladder = {**block, "fallback": ["OnDemandUntilDeadline", "Spot"]}
    for changes, market, tagged in (
        ({"market": "OnDemand"}, None, False),
        ({"market": "Spot"}, None, True),
        ({"market": "SpotBlock", "spotBlock": block}, None, False),
        ({"market": "SpotBlock", "spotBlock": ladder}, Market.ON_DEMAND, False),
        ({"market": "SpotBlock", "spotBlock": ladder}, Market.SPOT, True),
    ):
        data = data_of(await resolve(**changes), market=market)
        kinds = {each["ResourceType"] for each in data["TagSpecifications"]}
        assert ("spot-instances-request" in kinds) is tagged, changes


async def test_what_the_users_agent_keeps_back_counts(resolve):
    plain = (await resolve()).types["m6i.large"].registered_mib
    more = await resolve(userData={"ecsConfig": {"ECS_RESERVED_MEMORY": "1032"}})
    assert more.types["m6i.large"].registered_mib == plain - 1000


@pytest.mark.parametrize(
    ("types", "variant"),
    [(["m6i.large"], ""), (["m6g.large"], "/arm64"), (["g5.xlarge", "m6i.large"], "/gpu")],
)
async def test_the_default_image_is_for_architecture_and_gpus_of_the_types(
    aws, resolve, types, variant
):
    aws.architecture = "arm64" if variant == "/arm64" else "x86_64"
    found = await resolve(instanceTypes=types)
    [name] = aws.parameters
    assert f"amazon-linux-2023{variant}/recommended/image_id" in name
    assert found.machine.user_data.gpu is (variant == "/gpu")


# --- offers and prices ---


async def test_offers_have_the_price_of_their_market_and_zone_and_the_cheapest_is_first(
    aws, resolve
):
    aws.on_demand_prices["m6i.large"] = Decimal(3)
    aws.offered["r6i.large"] = frozenset("bc")
    found = await resolve(instanceTypes=["m6i.large", "r6i.large"])
    assert [(o.instance_type, o.zone, o.price) for o in found.offers] == [
        ("r6i.large", "b", 1),
        ("m6i.large", "a", 3),
        ("m6i.large", "b", 3),
    ]
    assert found.prices[Market.ON_DEMAND, "r6i.large", "c"] == 1
    [note] = found.findings
    assert note.reason.name == "PoolNarrowed"
    assert "EC2 does not offer r6i.large in a" in note.text()


async def test_types_that_are_offered_nowhere_hold_the_pool_back_only_if_they_are_all(aws, resolve):
    aws.offered["r6i.large"] = frozenset("c")
    some = await resolve(instanceTypes=["m6i.large", "r6i.large"])
    assert [each.reason.name for each in some.findings] == ["PoolNarrowed"]
    assert {each.instance_type for each in some.offers} == {"m6i.large"}
    none = await resolve(instanceTypes=["r6i.large"])
    assert [each.reason.name for each in none.findings] == ["PoolInvalid"]
    assert "r6i.large can be bought in none of the zones a, b" in none.findings[0].text()
    assert none.machine is not None  # instances of it may still be there


async def test_a_block_buys_as_spot_only_what_is_sold_so(resolve, monkeypatch):
    monkeypatch.setitem(TYPES["r6i.large"], "SupportedUsageClasses", ["on-demand"])
    block = {"durationSeconds": 60, "instanceCount": 1, "fallback": ["NewReservation", "Spot"]}
    names = ["m6i.large", "r6i.large"]
    found = await resolve(market="SpotBlock", spotBlock=block, instanceTypes=names)
    bought = {(each.market, each.instance_type) for each in found.offers}
    on_demand = {(Market.ON_DEMAND, name) for name in names}
    assert bought == {*on_demand, (Market.SPOT, "m6i.large")}
    assert found.findings == ()


async def test_no_price_is_chosen_by_while_others_are_on_their_way(aws, resolve):
    aws.tokens = False
    with pytest.raises(NoTokenError) as caught:
        await resolve()
    assert caught.value.seconds == 2
    aws.tokens = True
    assert (await resolve()).prices


# --- requirements ---


async def test_requirements_that_match_more_than_a_launch_takes_are_told(resolve):
    found = await resolve(**by_requirements(vCPUs={"min": 4, "max": 4}))
    assert len(found.types) == 60
    [note] = found.findings
    assert note.reason.name == "PoolNarrowed"
    assert "70 instance types match, of which 60 are used" in note.text()


async def test_requirements_of_two_architectures_need_an_image_or_a_word(resolve):
    either = by_requirements(families=["m6i", "m6g"])
    found = await resolve(**either)
    [finding] = found.findings
    assert finding.reason.name == "PoolInvalid"
    assert "instanceRequirements.architecture: leaves open arm64 and x86_64" in finding.text()
    assert found.machine is None
    named = await resolve(**either, image={"amiId": "ami-2"})
    assert (named.findings, set(named.types)) == ((), {"m6i.large"})
    assert named.machine.user_data.image_id == "ami-2"
    told = await resolve(**by_requirements(families=["m6i", "m6g"], architecture="x86_64"))
    assert (told.findings, set(told.types)) == ((), {"m6i.large"})


async def test_requirements_that_nothing_meets_are_told_with_the_nearest_type(resolve):
    found = await resolve(**by_requirements(families=["r6i"], vCPUs={"min": 4}))
    [finding] = found.findings
    assert finding.reason.name == "PoolInvalid"
    assert "The nearest one is r6i.large (2 vCPUs, 16384 MiB, x86_64)" in finding.text()
    assert found.machine is None


async def test_all_types_of_a_region_are_read_once_an_hour(aws, clock, resolve):
    changes = by_requirements(families=["m6i"])
    for _ in range(3):
        await resolve(**changes)
    await resolve(**changes, market="Spot")
    await clock.advance(3599)
    await resolve(**changes)
    assert aws.asked["all types"] == 1
    await clock.advance(1)
    await resolve(**changes)
    assert aws.asked["all types"] == 2


# --- how often ---


async def test_what_is_the_same_is_not_worked_out_again_and_what_differs_is(aws, resolve):
    first = await resolve(seen={"m6i.large": 7000})
    assert await resolve(seen={"m6i.large": 7000}) is first
    assert (await resolve(seen={"m6i.large": 7001})).types["m6i.large"].registered_mib == 7001
    aws.on_demand_prices["m6i.large"] = Decimal(9)
    assert (await resolve()).offers[0].price == 9
    assert (await resolve(keyName="k")).machine.key_name == "k"
    aws.free["subnet-a"] = 0
    assert {each.zone for each in (await resolve()).offers} == {"b"}


async def test_fresh_asks_anew_for_what_may_have_changed(aws, resolve):
    await resolve()
    assert not any(count for name, count in aws.asked.items() if name.startswith("fresh"))
    await resolve(fresh=True)
    fresh = {name: n for name, n in aws.asked.items() if name.startswith("fresh")}
    assert fresh == {f"fresh {x}": 1 for x in ("subnets", "groups", "images", "parameters")}


async def test_free_addresses_are_looked_for_once_a_minute_where_there_were_none(
    aws, clock, resolve
):
    aws.free = dict.fromkeys(aws.free, 0)
    for _ in range(4):
        found = await resolve()
    assert [each.reason.name for each in found.findings] == ["NoFreeAddress"]
    assert aws.asked["fresh subnets"] == 1
    await clock.advance(60)
    await resolve()
    assert aws.asked["fresh subnets"] == 2


async def test_what_a_parameter_holds_is_sent_to_ec2_only_if_it_is_the_id_of_an_image(resolve, aws):
    aws.held = "hunter2-is-the-password"
    found = await resolve(image={"ssmParameter": "/team/secret"})
    [problem] = found.findings
    assert "holds no image id" in problem.text()
    assert aws.images_asked == []
    assert aws.held not in problem.text()


async def test_a_pool_without_the_image_of_its_extendedami_is_told_what_it_can_do(resolve):
    found = await resolve(image={"amiRef": {"name": "atmos"}})
    (told,) = found.findings
    assert found.machine is None
    assert "the ExtendedAMI atmos has made no image that this pool could use" in told.message
    assert "where its status.bake lists fields for LaunchTemplate, remove those" in told.remedy
