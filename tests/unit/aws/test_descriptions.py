"""What EC2 and Systems Manager say of things that seldom change."""

import asyncio
from typing import Any

import pytest
from tests.support.stub_aws import Refused
from tests.unit.aws.capacity_requests import FLEET, RESERVATION

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ssm import ecs_image_parameter

SCOPE = Scope("111122223333", "eu-central-1")


def type_(name: str) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "VCpuInfo": {"DefaultVCpus": 2, "DefaultCores": 1, "DefaultThreadsPerCore": 2},
        "MemoryInfo": {"SizeInMiB": 8192},
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "Manufacturer": "Intel"},
        "NetworkInfo": {"NetworkPerformance": "not kept"},
    }


async def test_all_types_are_read_page_by_page_once_a_day_for_all_accounts(bench):
    pages = {
        None: {"InstanceTypes": [type_("m5.large")], "NextToken": "2"},
        "2": {"InstanceTypes": [type_("m5.xlarge")]},
    }
    bench.stub.answers["DescribeInstanceTypes"] = lambda asked: pages[asked.get("NextToken")]
    types = await bench.aws.ec2.instance_types(SCOPE)
    assert list(types) == ["m5.large", "m5.xlarge"]
    first = types["m5.large"]
    assert first["ProcessorInfo"] == {"SupportedArchitectures": ["x86_64"]}
    assert "NetworkInfo" not in first
    await bench.aws.ec2.instance_types(Scope("444455556666", "eu-central-1"))
    assert len(bench.stub.sent) == 2
    await bench.clock.advance(86_400)
    await bench.aws.ec2.instance_types(SCOPE)
    assert len(bench.stub.sent) == 4


async def test_types_that_are_named_are_read_by_one_call_once_a_day(bench):
    bench.stub.answers["DescribeInstanceTypes"] = lambda _: {"InstanceTypes": [type_("m5.large")]}
    for _ in range(2):
        found = await bench.aws.ec2.instance_types(SCOPE, ["no.such", "m5.large"])
        assert list(found) == ["m5.large"]
    [(_, asked)] = bench.stub.sent
    assert asked["Filters"] == [{"Name": "instance-type", "Values": ["m5.large", "no.such"]}]


async def test_the_zones_of_types_are_asked_for_together_and_none_is_an_answer(bench):
    offered = [
        {"InstanceType": "m5.large", "Location": zone}
        for zone in ("eu-central-1a", "eu-central-1b")
    ]
    bench.stub.answers["DescribeInstanceTypeOfferings"] = lambda _: {
        "InstanceTypeOfferings": offered
    }
    found = await bench.aws.ec2.zones_of(SCOPE, ["m5.large", "p5.48xlarge"])
    assert found == {
        "m5.large": {"eu-central-1a", "eu-central-1b"},
        "p5.48xlarge": frozenset(),
    }
    [(_, asked)] = bench.stub.sent
    assert asked["LocationType"] == "availability-zone"
    assert asked["Filters"] == [{"Name": "instance-type", "Values": ["m5.large", "p5.48xlarge"]}]


@pytest.mark.parametrize(
    ("method", "member", "id_", "filter_"),
    [
        ("subnets", "Subnets", "SubnetId", "subnet-id"),
        ("security_groups", "SecurityGroups", "GroupId", "group-id"),
    ],
)
async def test_one_that_does_not_exist_does_not_spoil_the_others(
    bench, method, member, id_, filter_
):
    """Asked for by their ids, EC2 would refuse the whole call."""
    bench.stub.answers[f"Describe{member}"] = lambda _: {member: [{id_: "x-1"}]}
    ask = getattr(bench.aws.ec2, method)
    both = await asyncio.gather(ask(SCOPE, ["x-1"]), ask(SCOPE, ["x-2", "x-1"]))
    assert both[0] == both[1] == {"x-1": {id_: "x-1"}}
    asked = [request["Filters"] for _, request in bench.stub.sent]
    assert asked == [[{"Name": filter_, "Values": ["x-1", "x-2"]}]]
    await ask(SCOPE, ["x-1"], fresh=True)
    assert len(bench.stub.sent) == 2


@pytest.mark.parametrize("code", ["NotFound", "Unavailable", "Malformed"])
async def test_an_image_that_is_gone_does_not_spoil_the_others(bench, code):
    def answer(asked: dict) -> dict:
        [image] = asked["ImageIds"]
        assert asked["IncludeDeprecated"]
        if image != "ami-1":
            raise Refused(f"InvalidAMIID.{code}", f"no {image}")
        return {"Images": [{"ImageId": image, "Architecture": "arm64"}]}

    bench.stub.answers["DescribeImages"] = answer
    found = await bench.aws.ec2.images(SCOPE, ["ami-1", "ami-2"])
    assert found == {"ami-1": {"ImageId": "ami-1", "Architecture": "arm64"}}
    await bench.aws.ec2.images(SCOPE, ["ami-1", "ami-2"])
    assert len(bench.stub.sent) == 2


async def test_free_addresses_are_asked_for_again_after_a_launch(bench):
    bench.stub.answers["DescribeSubnets"] = lambda _: {
        "Subnets": [{"SubnetId": "s", "AvailableIpAddressCount": 7}]
    }
    await bench.aws.ec2.subnets(SCOPE, ["s"])
    await bench.aws.ec2.subnets(SCOPE, ["s"])
    await bench.aws.ec2.change(SCOPE, "CreateFleet", FLEET)
    await bench.aws.ec2.subnets(SCOPE, ["s"])
    assert bench.stub.operations() == ["DescribeSubnets", "CreateFleet", "DescribeSubnets"]


async def test_a_reservation_that_was_just_made_is_asked_for_whatever_became_of_the_call(bench):
    def lost(_):
        raise Refused("InternalError", "oops", 500)

    bench.stub.answers["CreateCapacityReservation"] = lost
    found = {"CapacityReservations": [{"CapacityReservationId": "cr-1", "State": "active"}]}
    bench.stub.answers["DescribeCapacityReservations"] = lambda _: {"CapacityReservations": []}
    assert await bench.aws.ec2.capacity_reservations(SCOPE) == ()
    with pytest.raises(Exception, match="oops"):
        await bench.aws.ec2.change(SCOPE, "CreateCapacityReservation", RESERVATION)
    bench.stub.answers["DescribeCapacityReservations"] = lambda _: found
    [seen] = await bench.aws.ec2.capacity_reservations(SCOPE)
    assert seen["CapacityReservationId"] == "cr-1"


async def test_instances_in_trouble_cost_three_calls_a_minute_however_many_there_are(bench):
    def troubled(asked: dict) -> dict:
        [wanted] = asked["Filters"]
        if wanted["Name"] == "event.code":
            return {"InstanceStatuses": [{"InstanceId": "i-1", "Events": [{"Code": "x"}]}]}
        return {"InstanceStatuses": [{"InstanceId": "i-2"}, {"InstanceId": "i-3"}]}

    bench.stub.answers["DescribeInstanceStatus"] = troubled
    for _ in range(10):
        found = await bench.aws.ec2.troubled_instances(SCOPE)
    assert [each["InstanceId"] for each in found] == ["i-1", "i-2", "i-3"]
    assert len(bench.stub.sent) == 3


async def test_a_launch_template_that_is_not_there_is_none(bench):
    def missing(_):
        raise Refused("InvalidLaunchTemplateName.NotFoundException", "no such template")

    bench.stub.answers["DescribeLaunchTemplateVersions"] = missing
    assert await bench.aws.ec2.launch_template(SCOPE, "template", "3") is None
    await_one = {"LaunchTemplateVersions": [{"VersionNumber": 3}]}
    bench.stub.answers["DescribeLaunchTemplateVersions"] = lambda _: await_one
    found = await bench.aws.ec2.launch_template(SCOPE, "lt-0123", "3")
    assert found == {"VersionNumber": 3}
    assert [request for _, request in bench.stub.sent] == [
        {"LaunchTemplateName": "template", "Versions": ["3"]},
        {"LaunchTemplateId": "lt-0123", "Versions": ["3"]},
    ]


@pytest.mark.parametrize(
    ("architecture", "gpu", "name"),
    [
        ("x86_64", False, "amazon-linux-2023/recommended/image_id"),
        ("arm64", False, "amazon-linux-2023/arm64/recommended/image_id"),
        ("x86_64", True, "amazon-linux-2023/gpu/recommended/image_id"),
    ],
)
async def test_an_image_is_found_by_its_parameter_and_kept_for_five_minutes(
    bench, architecture, gpu, name
):
    bench.stub.answers["GetParameter"] = lambda _: {"Parameter": {"Value": "ami-1"}}
    wanted = ecs_image_parameter(architecture, gpu=gpu)
    for _ in range(3):
        assert await bench.aws.ssm.image_parameter(SCOPE, wanted) == "ami-1"
    path = f"/aws/service/ecs/optimized-ami/{name}"
    assert bench.stub.sent == [("GetParameter", {"Name": path})]
    await bench.clock.advance(300)
    await bench.aws.ssm.image_parameter(SCOPE, wanted)
    assert len(bench.stub.sent) == 2


async def test_a_parameter_or_an_image_that_there_is_not_is_none(bench):
    def missing(_):
        raise Refused("ParameterNotFound", "")

    bench.stub.answers["GetParameter"] = missing
    assert await bench.aws.ssm.image_parameter(SCOPE, "/mine") is None
    assert ecs_image_parameter("arm64", gpu=True) is None
