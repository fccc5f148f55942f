"""What CreateFleet refuses as a whole, tags of fleets, and how fleets are described and deleted.

Sources: CreateFleet, DescribeFleets, DescribeFleetInstances and DeleteFleets in the EC2 API
reference. Duplicate pools: aws-samples/aws-plugin-for-slurm#19; overlapping requirements:
runs-on/runs-on#476; how many there can be: osbuild/osbuild-composer#3946.
"""

from typing import Any

import pytest
from tests.simulator.instances import Zoned, fleet, fleet_request, override, state, tagged

M5 = override("m5.large")
ANY = {"InstanceRequirements": {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 4096}}}


def spot(**options: Any) -> dict[str, Any]:
    return {"SpotOptions": options}


def test_a_repeated_request_with_the_same_token_launches_again():
    """AWS documents no answer to it, so nobody can rely on one."""
    cloud = Zoned()
    request = fleet_request(cloud, M5, ClientToken="t")
    first, second = (cloud("CreateFleet", **request) for _ in range(2))
    assert first["FleetId"] != second["FleetId"]
    assert len(cloud.region.ec2.instances) == 2


def test_a_token_with_another_request_is_refused():
    cloud = Zoned()
    request = fleet_request(cloud, M5, ClientToken="t")
    assert cloud.refused("CreateFleet", **request, DryRun=True).startswith("DryRunOperation: ")
    cloud("CreateFleet", **request)
    other = fleet_request(cloud, M5, market="on-demand", ClientToken="t")
    assert cloud.refused("CreateFleet", **other).startswith("IdempotentParameterMismatch: ")


def test_tags_go_on_all_that_a_fleet_makes():
    cloud = Zoned()
    kinds = ("fleet", "instance", "volume", "network-interface")
    tags = [tagged(kind, intent="i-7", of=kind) for kind in kinds]
    answer = fleet(cloud, M5, TagSpecifications=tags)
    mine = [{"Name": "tag:intent", "Values": ["i-7"]}]
    found = {each["ResourceType"] for each in cloud("DescribeTags", Filters=mine)["Tags"]}
    assert found == set(kinds)
    [shown] = cloud("DescribeFleets", FleetIds=[answer["FleetId"]])["Fleets"]
    assert {"Key": "of", "Value": "fleet"} in shown["Tags"]
    [group] = cloud("DescribeInstances", Filters=mine)["Reservations"]
    assert len(group["Instances"]) == 1


def test_only_those_who_give_its_id_see_an_instant_fleet():
    cloud = Zoned()
    fleet_id = fleet(cloud, M5)["FleetId"]
    assert cloud("DescribeFleets") == {"Fleets": []}
    [shown] = cloud("DescribeFleets", FleetIds=[fleet_id])["Fleets"]
    assert (shown["FleetState"], shown["Type"]) == ("active", "instant")
    assert cloud.refused("DescribeFleetInstances", FleetId=fleet_id).startswith("Unsupported")


def test_a_deleted_fleet_takes_its_instances_with_it():
    cloud = Zoned()
    answer = fleet(cloud, M5, units=2)
    fleet_id, [group] = answer["FleetId"], answer["Instances"]
    unknown = f"fleet-{'0' * 8}-0000-0000-0000-{'0' * 12}"
    deleted = cloud("DeleteFleets", FleetIds=[fleet_id, unknown, "x"], TerminateInstances=True)
    [gone] = deleted["SuccessfulFleetDeletions"]
    assert gone["CurrentFleetState"] == "deleted_terminating"
    assert [each["Error"]["Code"] for each in deleted["UnsuccessfulFleetDeletions"]] == [
        "fleetIdDoesNotExist",
        "fleetIdMalformed",
    ]
    cloud.step(20)
    assert {state(cloud, each) for each in group["InstanceIds"]} == {"terminated"}
    [shown] = cloud("DescribeFleets", FleetIds=[fleet_id])["Fleets"]
    assert shown["FleetState"] == "deleted"
    keep = {"FleetIds": [fleet_id], "TerminateInstances": False}
    assert cloud.refused("DeleteFleets", **keep).startswith("InvalidParameterValue: ")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Type": "maintain"}, "NotImplemented"),
        ({"ClientToken": "x" * 65}, "InvalidParameterValue"),
        (spot(AllocationStrategy="cheapest"), "InvalidParameterValue"),
        (spot(MinTargetCapacity=2), "InvalidParameterCombination"),
        (spot(MaxTotalPrice="cheap"), "InvalidParameterValue"),
        ({"TargetCapacitySpecification": {"TotalTargetCapacity": 1}}, "InvalidParameterValue"),
        ({"TagSpecifications": [tagged("image", a="b")]}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_what_a_fleet_as_a_whole_is_refused_for(changes, code):
    cloud = Zoned()
    request = fleet_request(cloud, M5) | changes
    assert cloud.refused("CreateFleet", **request).startswith(f"{code}: ")
    assert not cloud.region.ec2.instances


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ([M5, M5], "InvalidFleetConfig"),
        ([M5, override("m5.large", "subnet-1b")], "InvalidFleetConfig"),  # in the same zone
        ([ANY, ANY], "InvalidParameterValue"),
        ([ANY] * 5, "InvalidParameterValue"),
        ([override("m5.large", "subnet-1,subnet-2")], "InvalidParameterValue"),
        ([M5 | {"Priority": 0.5}], "InvalidParameterValue"),
        ([M5 | {"MaxPrice": "0.0005"}], "InvalidParameterValue"),
        ([override(f"m5.{number}") for number in range(301)], "InvalidParameterValue"),
    ],
)
def test_overrides_that_a_fleet_is_refused_for(overrides, code):
    cloud = Zoned()
    refusal = cloud.refused("CreateFleet", **fleet_request(cloud, *overrides))
    assert refusal.startswith(f"{code}: ")


def test_a_template_that_there_is_not_is_an_error_of_the_request():
    cloud = Zoned()
    request = fleet_request(cloud, M5)
    request["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"] = {
        "LaunchTemplateName": "gone"
    }
    refusal = cloud.refused("CreateFleet", **request)
    assert refusal.startswith("InvalidLaunchTemplateName.NotFoundException: ")
