"""Machine images, as the tests of EC2 make them."""

from typing import Any

from tests.simulator.cloud import Cloud
from tests.simulator.instances import run

PENDING = 60.0  # seconds, from CreateImage or CopyImage to available


def running(cloud: Cloud, **fields: Any) -> str:
    """The id of an instance that runs."""
    [instance_id] = run(cloud, **fields)
    cloud.step(20)
    return instance_id


def stopped(cloud: Cloud, **fields: Any) -> str:
    """The id of an instance that has stopped."""
    instance_id = running(cloud, **fields)
    cloud("StopInstances", InstanceIds=[instance_id])
    cloud.step(20)
    return instance_id


def made(cloud: Cloud, name: str = "atmos", instance_id: str = "", **fields: Any) -> str:
    """The id of an image that is available."""
    source = instance_id or stopped(cloud)
    image_id = str(cloud("CreateImage", InstanceId=source, Name=name, **fields)["ImageId"])
    cloud.step(PENDING)
    return image_id


def image(cloud: Cloud, image_id: str) -> dict[str, Any]:
    """Image as DescribeImages shows it to those who know its id."""
    [found] = cloud("DescribeImages", ImageIds=[image_id])["Images"]
    return dict(found)


def listed(cloud: Cloud, **request: Any) -> set[str]:
    """The names of the images that are listed."""
    return {each["Name"] for each in cloud("DescribeImages", **request)["Images"]}


def only(**filters: str) -> list[dict[str, Any]]:
    """Filters, with `_` for `-` in their names."""
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]


def snapshots(cloud: Cloud, **request: Any) -> list[dict[str, Any]]:
    return list(cloud("DescribeSnapshots", **request)["Snapshots"])


def disk(device: str, **ebs: Any) -> dict[str, Any]:
    return {"DeviceName": device, "Ebs": ebs}
