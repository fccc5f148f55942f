"""RunInstances and TerminateInstances. Source: their fields in the EC2 API reference."""

import json
from typing import Any

from awsbatch_simulator.ec2 import life
from awsbatch_simulator.ec2.describing import instance_view
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.store import Launch
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TOKEN_CHARACTERS = 64
AT_ONCE = 1000


def run(region: Region, request: Fields) -> Fields:
    """RunInstances: with a client token, the same request brings the same instances."""
    token = request.get("ClientToken", "")
    if len(token) > TOKEN_CHARACTERS or not token.isascii():
        raise AwsFailure("InvalidParameterValue", "ClientToken: up to 64 ASCII characters")
    parameters = json.dumps(
        {name: value for name, value in request.items() if name != "ClientToken"},
        sort_keys=True,
        default=str,
    )
    if token and (before := region.ec2.launches.get(token)) is not None:
        return _replayed(region, before, parameters)
    answer = _launched(region, request)
    if token:
        ids = tuple(each["InstanceId"] for each in answer["Instances"])
        region.ec2.launches[token] = Launch(parameters, answer, ids)
    return answer


def _replayed(region: Region, before: Launch, parameters: str) -> Fields:
    if before.parameters != parameters:
        raise AwsFailure(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous "
            "request(s).",
        )
    known = [region.ec2.instances.get(instance_id) for instance_id in before.instance_ids]
    living = [each for each in known if each is not None]
    if all(each.state.gone for each in living):
        raise AwsFailure(
            "IdempotentInstanceTerminated",
            "The client token was used for instances that have been terminated.",
        )
    views = [instance_view(region, each) for each in living]
    return before.answer | {"Instances": views}


def _launched(region: Region, request: Fields) -> Fields:
    least, most = request["MinCount"], request["MaxCount"]
    if not 1 <= least <= most <= AT_ONCE:
        raise AwsFailure(
            "InvalidParameterValue", f"MinCount {least} and MaxCount {most} do not fit"
        )
    if "LaunchTemplate" in request:
        raise AwsFailure("Unsupported", "LaunchTemplate: launch templates are not simulated yet")
    subnet, zone = _placement(region, request)
    _check(region, request)
    market = request.get("InstanceMarketOptions", {}).get("MarketType", "on-demand")
    life.check_capacity(region, type_name=request["InstanceType"], zone=zone, spot=market == "spot")
    reservation = f"r-{region.world.hex_id(17)}"
    launched = [
        _one(region, request, reservation=reservation, subnet=subnet, zone=zone, index=index)
        for index in range(most)
    ]
    return {
        "ReservationId": reservation,
        "OwnerId": region.place.account,
        "Groups": [],
        "Instances": [instance_view(region, each) for each in launched],
    }


def _one(
    region: Region, request: Fields, *, reservation: str, subnet: str, zone: str, index: int
) -> Instance:
    tags = {
        tag["Key"]: tag.get("Value", "")
        for specification in request.get("TagSpecifications", ())
        if specification.get("ResourceType") == "instance"
        for tag in specification.get("Tags", ())
    }
    instance = life.launch(
        region,
        type_name=request["InstanceType"],
        subnet=subnet,
        zone=zone,
        request=request,
        tags=tags,
        reservation=reservation,
    )
    instance.launch_index = index
    return instance


def _placement(region: Region, request: Fields) -> tuple[str, str]:
    """Subnet and zone: as asked for, or the first of the default VPC that fits."""
    wanted = request.get("Placement", {}).get("AvailabilityZone")
    given = request.get("SubnetId")
    lookup, place = region.world.lookup, region.place
    for subnet in [given] if given else lookup.default_subnets(place):
        zone = lookup.subnet_zone(place, subnet)
        if zone is None:
            message = f"The subnet ID '{subnet}' does not exist"
            raise AwsFailure("InvalidSubnetID.NotFound", message)
        if wanted in {None, zone}:
            return subnet, zone
    raise AwsFailure("InvalidParameterValue", f"Invalid availability zone: {wanted}")


def _check(region: Region, request: Fields) -> None:
    """What the request names must exist."""
    if not request.get("ImageId"):
        raise AwsFailure("MissingParameter", "The request must contain the parameter ImageId")
    if not request["ImageId"].startswith("ami-"):
        raise AwsFailure("InvalidAMIID.Malformed", f'Invalid id: "{request["ImageId"]}"')
    if instance_type(request.get("InstanceType", "")) is None:
        message = f"Invalid value '{request.get('InstanceType')}' for InstanceType."
        raise AwsFailure("InvalidParameterValue", message)
    lookup, place = region.world.lookup, region.place
    for group in request.get("SecurityGroupIds", ()):
        if not lookup.security_group_exists(place, group):
            message = f"The security group '{group}' does not exist"
            raise AwsFailure("InvalidGroup.NotFound", message)
    profile = request.get("IamInstanceProfile", {})
    name = profile.get("Arn") or profile.get("Name")
    if name and not lookup.instance_profile_exists(place, name):
        message = f"Value ({name}) for parameter iamInstanceProfile is invalid."
        raise AwsFailure("InvalidParameterValue", message)


def terminate(region: Region, request: Fields) -> Fields:
    """TerminateInstances: all or, if one is unknown, none; again for what is going already."""
    instances = []
    for instance_id in request["InstanceIds"]:
        instance = region.ec2.instances.get(instance_id)
        if instance is None:
            message = f"The instance ID '{instance_id}' does not exist"
            raise AwsFailure("InvalidInstanceID.NotFound", message)
        instances.append(instance)
    changes = []
    for instance in instances:
        before = instance.state
        life.terminate(region, instance)
        after = instance.state
        changes.append(
            {
                "InstanceId": instance.id,
                "PreviousState": {"Code": before.code, "Name": before.value},
                "CurrentState": {"Code": after.code, "Name": after.value},
            }
        )
    return {"TerminatingInstances": changes}
