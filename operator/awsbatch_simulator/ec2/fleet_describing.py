"""DescribeFleets, DescribeFleetInstances and DeleteFleets.

Sources: their texts in the EC2 API reference: an instant fleet is described only to those who give
its id, DescribeFleetInstances does not know it, and its instances end with it.
"""

import re
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, life, paging
from awsbatch_simulator.ec2.capacity_model import Fleet, FleetState
from awsbatch_simulator.ec2.model import InstanceState
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
AT_ONCE = 25
MOST_INSTANCES = 1000
_ID = re.compile(r"fleet-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FILTERS = {
    "activity-status": ("ActivityStatus",),
    "excess-capacity-termination-policy": (),
    "fleet-state": ("FleetState",),
    "replace-unhealthy-instances": ("ReplaceUnhealthyInstances",),
    "type": ("Type",),
}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeFleets: those of the ids; without ids none, as all are of the type instant."""
    fleets = [find(region, each) for each in dict.fromkeys(request.get("FleetIds") or ())]
    views = [_view(region, each) for each in fleets]
    kept = filters.kept(views, request.get("Filters") or (), _FILTERS, tags=False)
    return paging.answer("Fleets", kept, request, key="FleetId", most=1000)


def describe_instances(region: Region, request: Fields) -> Fields:
    """DescribeFleetInstances: not for fleets of the type instant."""
    fleet = find(region, request["FleetId"])
    message = f"DescribeFleetInstances does not support fleets of type instant: {fleet.id}"
    raise AwsFailure("UnsupportedOperation", message)


def delete(region: Region, request: Fields) -> Fields:
    """DeleteFleets: those that can be, with their instances; the answer says which could not."""
    ids = request["FleetIds"]
    if not 1 <= len(ids) <= AT_ONCE:
        message = f"FleetIds: up to {AT_ONCE} fleets of type instant in a request."
        raise AwsFailure("InvalidParameterValue", message)
    if not request["TerminateInstances"]:
        message = "NoTerminateInstances is not supported for fleets of type instant."
        raise AwsFailure("InvalidParameterValue", message)
    gone: list[Fields] = []
    left: list[Fields] = []
    for fleet_id in ids:
        fleet = region.ec2.fleets.get(fleet_id)
        trouble = _trouble(region, fleet_id, fleet)
        if fleet is None or trouble is not None:
            left.append({"FleetId": fleet_id, "Error": trouble})
            continue
        before = fleet.state
        _end(region, fleet)
        gone.append(
            {
                "FleetId": fleet_id,
                "PreviousFleetState": before.value,
                "CurrentFleetState": fleet.state.value,
            }
        )
    return {"SuccessfulFleetDeletions": gone, "UnsuccessfulFleetDeletions": left}


def _trouble(region: Region, fleet_id: str, fleet: Fleet | None) -> Fields | None:
    if fleet is None:
        malformed = _ID.fullmatch(fleet_id) is None
        code = "fleetIdMalformed" if malformed else "fleetIdDoesNotExist"
        return {"Code": code, "Message": f"The fleet {fleet_id[:100]} does not exist."}
    if fleet.state is not FleetState.ACTIVE:
        return {"Code": "fleetNotInDeletableState", "Message": f"It is {fleet.state.value}."}
    if len(_living(region, fleet)) > MOST_INSTANCES:
        message = f"It has more than {MOST_INSTANCES} instances."
        return {"Code": "unexpectedError", "Message": message}
    return None


def _end(region: Region, fleet: Fleet) -> None:
    fleet.state = FleetState.DELETED_TERMINATING
    for instance_id in _living(region, fleet):
        life.terminate(region, region.ec2.instances[instance_id])


def _living(region: Region, fleet: Fleet) -> list[str]:
    known = region.ec2.instances
    return [each for each in fleet.instance_ids if each in known and not known[each].state.gone]


def find(region: Region, fleet_id: str) -> Fleet:
    """The fleet of that id. Raises AwsFailure if there is none."""
    fleet = region.ec2.fleets.get(fleet_id)
    if fleet is not None:
        return fleet
    if _ID.fullmatch(fleet_id) is None:
        message = f"The fleet ID '{fleet_id[:100]}' is malformed"
        raise AwsFailure("InvalidFleetId.Malformed", message)
    raise AwsFailure("InvalidFleetId.NotFound", f"The fleet ID '{fleet_id}' does not exist.")


def _view(region: Region, fleet: Fleet) -> Fields:
    request = fleet.request
    state = fleet.state
    known = region.ec2.instances
    there = [known[each] for each in fleet.instance_ids if each in known]
    if state is FleetState.DELETED_TERMINATING and all(
        each.state is InstanceState.TERMINATED for each in there
    ):
        state = fleet.state = FleetState.DELETED
    view: Fields = {
        "FleetId": fleet.id,
        "FleetState": state.value,
        "CreateTime": datetime.fromtimestamp(int(fleet.created_at), UTC),
        "Type": "instant",
        "FulfilledCapacity": fleet.fulfilled,
        "FulfilledOnDemandCapacity": fleet.fulfilled_on_demand,
        "TargetCapacitySpecification": request["TargetCapacitySpecification"],
        "LaunchTemplateConfigs": request["LaunchTemplateConfigs"],
        "TerminateInstancesWithExpiration": False,
        "ReplaceUnhealthyInstances": False,
        "Tags": [{"Key": key, "Value": value} for key, value in fleet.tags.items()],
        "Errors": fleet.errors,
        "Instances": [{name: each[name] for name in _SHOWN} for each in fleet.instances],
    }
    for name in ("ClientToken", "SpotOptions", "OnDemandOptions"):
        if name in request:
            view[name] = request[name]
    return view


_SHOWN = ("LaunchTemplateAndOverrides", "Lifecycle", "InstanceIds", "InstanceType")
