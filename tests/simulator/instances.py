"""Requests for instances, as the tests of EC2 make them."""

from typing import Any

from tests.simulator.cloud import Cloud

IMAGE = "ami-1"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")


class Zoned(Cloud):
    """A cloud whose subnets are in three zones: subnet-1 in the first, and so on."""

    def __init__(self, **market: Any) -> None:
        super().__init__()
        zones = {f"subnet-{number}": zone for number, zone in enumerate(ZONES, start=1)}
        self.known.zones = zones
        self.market(**market)

    def market(self, **changes: Any) -> None:
        """Change what EC2 has to sell."""
        patch = {"market": changes}
        self.world.change(self.world.settings.patched(patch))


def run(cloud: Cloud, count: int = 1, **fields: Any) -> list[str]:
    """Launch; the ids of what came."""
    request = {
        "ImageId": IMAGE,
        "InstanceType": "m5.large",
        "MinCount": 1,
        "MaxCount": count,
        "SubnetId": "subnet-1",
    }
    return [each["InstanceId"] for each in cloud("RunInstances", **request | fields)["Instances"]]


def refused(cloud: Cloud, count: int = 1, **fields: Any) -> str:
    """Launch exactly so many, which must be refused; what EC2 says."""
    request = {
        "ImageId": IMAGE,
        "InstanceType": "m5.large",
        "MinCount": count,
        "MaxCount": count,
        "SubnetId": "subnet-1",
    }
    return cloud.refused("RunInstances", **request | fields)


def spot(**options: Any) -> dict[str, Any]:
    return {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": options}}


def tagged(kind: str, **tags: str) -> dict[str, Any]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"ResourceType": kind, "Tags": pairs}


def instance(cloud: Cloud, instance_id: str) -> dict[str, Any]:
    """Instance as DescribeInstances shows it."""
    [reservation] = cloud("DescribeInstances", InstanceIds=[instance_id])["Reservations"]
    return dict(reservation["Instances"][0])


def state(cloud: Cloud, instance_id: str) -> str:
    return str(instance(cloud, instance_id)["State"]["Name"])


def template(cloud: Cloud, **data: Any) -> str:
    """A launch template's id."""
    made = cloud(
        "CreateLaunchTemplate",
        LaunchTemplateName=f"pool-{len(cloud.region.ec2.templates)}",
        LaunchTemplateData={"ImageId": IMAGE} | data,
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def override(type_name: str, subnet: str = "subnet-1", **fields: Any) -> dict[str, Any]:
    return {"InstanceType": type_name, "SubnetId": subnet} | fields


def fleet_request(
    cloud: Cloud, *overrides: dict[str, Any], units: int = 1, market: str = "spot", **fields: Any
) -> dict[str, Any]:
    specification = {"LaunchTemplateId": template(cloud), "Version": "1"}
    config = {"LaunchTemplateSpecification": specification, "Overrides": list(overrides)}
    return {
        "Type": "instant",
        "LaunchTemplateConfigs": [config],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": units,
            "DefaultTargetCapacityType": market,
        },
    } | fields


def fleet(cloud: Cloud, *overrides: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What CreateFleet answers."""
    return cloud("CreateFleet", **fleet_request(cloud, *overrides, **fields))


def bought(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    """How many instances a fleet has launched, by type and subnet."""
    return {
        (each["InstanceType"], each["SubnetId"]): len(each["InstanceIds"])
        for each in answer["Instances"]
    }


def lacking(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """The errors of a fleet: the offer's type, and the code."""
    return [
        (each["LaunchTemplateAndOverrides"]["Overrides"]["InstanceType"], each["ErrorCode"])
        for each in answer["Errors"]
    ]
