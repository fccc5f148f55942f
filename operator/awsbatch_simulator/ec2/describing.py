"""DescribeInstances. Source: its fields in the EC2 API reference."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PAGES = range(5, 1001)


def describe(region: Region, request: Fields) -> Fields:
    """By ids or filters, by page; reservations hold the instances that were launched together."""
    ids = request.get("InstanceIds") or []
    if ids and "MaxResults" in request:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsFailure("InvalidParameterCombination", message)
    matches = matcher(request.get("Filters") or ())
    found = [each for each in _selected(region, ids) if matches(each)]
    shown, token = _page(found, request)
    answer: Fields = {"Reservations": _reservations(region, shown)}
    return answer | ({"NextToken": token} if token else {})


def _selected(region: Region, ids: list[str]) -> Iterable[Instance]:
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeInstances")
    youngest = region.world.clock.now() - hidden if hidden else float("inf")
    visible = {
        each.id: each for each in region.ec2.instances.values() if each.launched_at <= youngest
    }
    for instance_id in ids:
        if not instance_id.startswith("i-"):
            message = f'Invalid id: "{instance_id}"'
            raise AwsFailure("InvalidInstanceID.Malformed", message)
        if instance_id not in visible:
            message = f"The instance ID '{instance_id}' does not exist"
            raise AwsFailure("InvalidInstanceID.NotFound", message)
    return [visible[each] for each in ids] if ids else visible.values()


def _page(found: list[Instance], request: Fields) -> tuple[list[Instance], str | None]:
    """Instances in the order of their ids; the token is the last id shown."""
    size = request.get("MaxResults")
    if size is not None and size not in PAGES:
        raise AwsFailure("InvalidParameterValue", "MaxResults must be between 5 and 1000")
    after = request.get("NextToken") or ""
    left = sorted((each for each in found if each.id > after), key=lambda each: each.id)
    if size is None or len(left) <= size:
        return left, None
    return left[:size], left[size - 1].id


def _reservations(region: Region, instances: list[Instance]) -> list[Fields]:
    grouped: dict[str, list[Fields]] = {}
    for instance in instances:
        grouped.setdefault(instance.reservation_id, []).append(instance_view(region, instance))
    return [
        {
            "ReservationId": reservation,
            "OwnerId": region.place.account,
            "Groups": [],
            "Instances": views,
        }
        for reservation, views in grouped.items()
    ]


def matcher(filters: Iterable[Fields]) -> Callable[[Instance], bool]:
    """Whether an instance meets all filters, each by one of its values (with * and ?)."""
    wanted = [(each["Name"], each.get("Values") or []) for each in filters]
    for name, _ in wanted:
        if not name.startswith("tag:") and name not in _ATTRIBUTES:
            message = f"The filter '{name}' is invalid"
            raise AwsFailure("InvalidParameterValue", message)

    def matches(instance: Instance) -> bool:
        return all(
            any(fnmatchcase(value, glob) for value in _values(instance, name) for glob in globs)
            for name, globs in wanted
        )

    return matches


def _values(instance: Instance, name: str) -> Iterable[str]:
    if name.startswith("tag:"):
        value = instance.tags.get(name.removeprefix("tag:"))
        return () if value is None else (value,)
    return _ATTRIBUTES[name](instance)


_ATTRIBUTES: dict[str, Callable[[Instance], Iterable[str]]] = {
    "availability-zone": lambda each: (each.zone,),
    "client-token": lambda each: (each.client_token,),
    "iam-instance-profile.arn": lambda each: (
        each.request.get("IamInstanceProfile", {}).get("Arn", ""),
    ),
    "image-id": lambda each: (each.image_id,),
    "instance-id": lambda each: (each.id,),
    "instance-lifecycle": lambda each: ("spot",) if each.spot else (),
    "instance-state-code": lambda each: (str(each.state.code),),
    "instance-state-name": lambda each: (each.state.value,),
    "instance-type": lambda each: (each.type,),
    "key-name": lambda each: (each.request.get("KeyName", ""),),
    "placement-group-name": lambda each: (each.request.get("Placement", {}).get("GroupName", ""),),
    "private-ip-address": lambda each: (each.private_ip,),
    "reservation-id": lambda each: (each.reservation_id,),
    "subnet-id": lambda each: (each.subnet_id,),
    "tag-key": lambda each: each.tags,
    "tag-value": lambda each: each.tags.values(),
}


def instance_view(region: Region, instance: Instance) -> Fields:
    """Instance as EC2 answers it."""
    size = instance_type(instance.type)
    request = instance.request
    view: Fields = {
        "InstanceId": instance.id,
        "ImageId": instance.image_id,
        "InstanceType": instance.type,
        "State": {"Code": instance.state.code, "Name": instance.state.value},
        "StateTransitionReason": instance.transition_reason,
        "LaunchTime": datetime.fromtimestamp(int(instance.launched_at), UTC),
        "Placement": {"AvailabilityZone": instance.zone, "Tenancy": "default"}
        | request.get("Placement", {}),
        "AmiLaunchIndex": instance.launch_index,
        "Architecture": size.architecture if size is not None else "x86_64",
        "PrivateIpAddress": instance.private_ip,
        "PrivateDnsName": f"ip-{instance.private_ip.replace('.', '-')}.ec2.internal",
        "PublicDnsName": "",
        "SubnetId": instance.subnet_id,
        "SecurityGroups": [
            {"GroupId": group, "GroupName": group} for group in request.get("SecurityGroupIds", ())
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
        "ClientToken": instance.client_token,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "Monitoring": {"State": "disabled"},
    }
    if profile := request.get("IamInstanceProfile"):
        name = profile.get("Name", "")
        arn = f"arn:aws:iam::{region.place.account}:instance-profile/{name}"
        view["IamInstanceProfile"] = {"Arn": profile.get("Arn") or arn}
    if instance.spot:
        view["InstanceLifecycle"] = "spot"
    if "KeyName" in request:
        view["KeyName"] = request["KeyName"]
    if instance.state_reason is not None:
        code, message = instance.state_reason
        view["StateReason"] = {"Code": code, "Message": message}
    return view
