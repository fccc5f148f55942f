"""GetLaunchTemplateData: what would launch another instance like one that there is.

Source: GetLaunchTemplateData in the EC2 API reference. What EC2 has given out by itself (addresses,
ids of volumes and interfaces, tags of AWS's own) is not in it.
"""

from typing import Any

from awsbatch_simulator.ec2 import launching
from awsbatch_simulator.ec2.capacity_model import Volume
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.views import cpu_options, instance_view
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_SAME = (
    *("CapacityReservationSpecification", "EbsOptimized", "EnclaveOptions", "HibernationOptions"),
    *("IamInstanceProfile", "ImageId", "InstanceType", "KeyName", "MaintenanceOptions"),
    *("NetworkPerformanceOptions", "Placement", "PrivateDnsNameOptions"),
)
_FLAGS = ("DisableApiStop", "DisableApiTermination")


def get(region: Region, request: Fields) -> Fields:
    """GetLaunchTemplateData: of one instance, as it was launched or has been changed since."""
    [instance] = launching.named(region, [request["InstanceId"]])
    view = instance_view(region, instance)
    data = {name: view[name] for name in _SAME if name in view}
    data |= {
        "BlockDeviceMappings": [_disk(each) for each in instance.volumes],
        "CpuOptions": cpu_options(instance),
        "InstanceInitiatedShutdownBehavior": instance.on_shutdown,
        "MetadataOptions": {
            name: value for name, value in view["MetadataOptions"].items() if name != "State"
        },
        "Monitoring": {"Enabled": view["Monitoring"]["State"] == "enabled"},
        "NetworkInterfaces": [_interface(each) for each in view["NetworkInterfaces"]],
        **{name: instance.setting(name, default=False) for name in _FLAGS},
        **_chosen(instance),
    }
    return {"LaunchTemplateData": data}


def _chosen(instance: Instance) -> Fields:
    """User data, market and tags, where there are any."""
    chosen: Fields = {}
    if data := instance.setting("UserData", default=""):
        chosen["UserData"] = data
    if options := instance.request.get("InstanceMarketOptions"):
        chosen["InstanceMarketOptions"] = options
    tags = [
        {"Key": key, "Value": value}
        for key, value in instance.tags.items()
        if not key.startswith("aws:")
    ]
    if tags:
        chosen["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
    return chosen


def _disk(volume: Volume) -> Fields:
    ebs = {
        "DeleteOnTermination": volume.delete_on_termination,
        "Encrypted": volume.encrypted,
        "VolumeSize": volume.size,
        "VolumeType": volume.kind,
        "Iops": volume.iops,
        "Throughput": volume.throughput,
    }
    kept = {name: value for name, value in ebs.items() if value is not None}
    return {"DeviceName": volume.device, "Ebs": kept}


def _interface(shown: Fields) -> Fields:
    attachment = shown["Attachment"]
    return {
        "DeleteOnTermination": attachment["DeleteOnTermination"],
        "Description": shown["Description"],
        "DeviceIndex": attachment["DeviceIndex"],
        "Groups": [each["GroupId"] for each in shown["Groups"]],
        "InterfaceType": shown["InterfaceType"],
        "NetworkCardIndex": attachment["NetworkCardIndex"],
        "SubnetId": shown["SubnetId"],
    }
