"""RunInstances and TerminateInstances. Source: their fields in the EC2 API reference."""

import json
from typing import Any

from awsbatch_simulator.ec2 import life, network, placement_groups, requests, templates
from awsbatch_simulator.ec2.describing import no_instance
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.network import Destination
from awsbatch_simulator.ec2.store import Launch
from awsbatch_simulator.ec2.views import instance_view
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TOKEN_CHARACTERS = 64


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
    """Launch; what the request does not say comes from its launch template."""
    own_tags: dict[str, str] = {}
    if "LaunchTemplate" in request:
        resolved = templates.resolve(region, request["LaunchTemplate"])
        request, own_tags = templates.applied(resolved, request), resolved.tags
    requests.check(region, request)
    placement_groups.check(region, request.get("Placement") or {})
    destination = network.destination(region, request)
    market = request.get("InstanceMarketOptions", {}).get("MarketType", "on-demand")
    life.check_capacity(
        region, type_name=request["InstanceType"], zone=destination.zone, spot=market == "spot"
    )
    reservation = f"r-{region.world.hex_id(17)}"
    launched = [
        _one(region, request, reservation, destination, index=index, own_tags=own_tags)
        for index in range(request["MaxCount"])
    ]
    return {
        "ReservationId": reservation,
        "OwnerId": region.place.account,
        "Groups": [],
        "Instances": [instance_view(region, each) for each in launched],
    }


def _one(
    region: Region,
    request: Fields,
    reservation: str,
    destination: Destination,
    *,
    index: int,
    own_tags: dict[str, str],
) -> Instance:
    instance = life.launch(
        region,
        type_name=request["InstanceType"],
        subnet=destination.subnet,
        zone=destination.zone,
        request=request,
        tags=requests.tags_for(request, "instance") | own_tags,
        reservation=reservation,
        interfaces=destination.interfaces,
    )
    instance.launch_index = index
    return instance


def terminate(region: Region, request: Fields) -> Fields:
    """TerminateInstances: all or, if one is unknown, none; again for what is going already."""
    instances = []
    for instance_id in request["InstanceIds"]:
        instance = region.ec2.instances.get(instance_id)
        if instance is None:
            raise no_instance(instance_id)
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
