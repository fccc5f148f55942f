"""Spot requests: one behind each spot instance, and what becomes of it.

Sources: DescribeSpotInstanceRequests, CancelSpotInstanceRequests and SpotInstanceRequest in the EC2
API reference; "Spot Instance request status" in the EC2 User Guide for the codes: at an
interruption a request says instance-terminated-no-capacity at once, while the instance runs for two
more minutes.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from awsbatch_simulator.ec2 import filters, paging, prices
from awsbatch_simulator.ec2.capacity_model import SpotRequest, SpotState
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
KIND = "spot-instances-request"
_MESSAGES = {
    "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
    "instance-terminated-no-capacity": "Your Spot instance was terminated because there is no "
    "longer enough Spot capacity.",
    "instance-stopped-no-capacity": "Your Spot instance was stopped because there is no longer "
    "enough Spot capacity.",
    "request-canceled-and-instance-running": "Your Spot request is canceled, but your instance "
    "is still running.",
}
_FILTERS = {
    "create-time": ("CreateTime",),
    "instance-id": ("InstanceId",),
    "launch.image-id": ("LaunchSpecification", "ImageId"),
    "launch.instance-type": ("LaunchSpecification", "InstanceType"),
    "launched-availability-zone": ("LaunchedAvailabilityZone",),
    "product-description": ("ProductDescription",),
    "spot-instance-request-id": ("SpotInstanceRequestId",),
    "spot-price": ("SpotPrice",),
    "state": ("State",),
    "status-code": ("Status", "Code"),
    "status-message": ("Status", "Message"),
    "type": ("Type",),
}


def check_price(region: Region, *, type_name: str, zone: str, limit: str | None) -> None:
    """Raise AwsFailure for a maximum price below what an instance costs now."""
    current = prices.spot(region.world.settings.market, region.place.region, type_name, zone)
    if not limit or current is None or Decimal(limit) >= current:
        return
    raise AwsFailure(
        "SpotMaxPriceTooLow",
        f"Your Spot request price of {limit} is lower than the minimum required Spot request "
        f"fulfillment price of {current.normalize():f}.",
    )


def request_for(region: Region, instance: Instance) -> None:
    """The request behind a new spot instance, if it is one."""
    if not instance.spot:
        return
    options = instance.request.get("InstanceMarketOptions", {}).get("SpotOptions") or {}
    place = region.place.region
    full = prices.on_demand(region.world.settings.market, place, instance.type)
    made = SpotRequest(
        id=f"sir-{instance.id[2:10]}",
        instance_id=instance.id,
        created_at=instance.launched_at,
        updated_at=instance.launched_at,
        price=options.get("MaxPrice") or prices.plain(full if full is not None else Decimal(0)),
        tags=_tags(instance.request),
        options=options,
    )
    region.ec2.spot_requests[made.id] = made
    instance.spot_request = made.id


def _tags(request: Fields) -> dict[str, str]:
    for each in request.get("TagSpecifications") or ():
        if each.get("ResourceType") == KIND:
            return {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags") or ()}
    return {}


def of(region: Region, instance: Instance) -> SpotRequest | None:
    """The request behind an instance."""
    return region.ec2.spot_requests.get(instance.spot_request or "")


def persists(region: Region, instance: Instance) -> bool:
    """Whether a spot instance can be stopped and come again."""
    request = of(region, instance)
    return request is not None and request.options.get("SpotInstanceType") == "persistent"


def marked(region: Region, instance: Instance, code: str) -> None:
    """EC2 will interrupt the instance: its request says so already."""
    if (request := of(region, instance)) is not None:
        _say(region, request, code)


def ended(region: Region, instance: Instance, code: str) -> None:
    """The instance goes: its request is closed, unless it was before, and forgotten later."""
    request = of(region, instance)
    if request is None:
        return
    if request.state is SpotState.ACTIVE:
        request.state = SpotState.CLOSED
        if not request.code.startswith("instance-"):  # an interruption has said it already
            _say(region, request, code)
    elif request.code == "request-canceled-and-instance-running":
        _say(region, request, code)
    delay = region.world.settings.delays.spot_request_forgotten
    region.world.clock.call_after(delay, region.ec2.spot_requests.pop, request.id, None)


def _say(region: Region, request: SpotRequest, code: str) -> None:
    request.code, request.message = code, _MESSAGES.get(code, code)
    request.updated_at = region.world.clock.now()


def describe(region: Region, request: Fields) -> Fields:
    """DescribeSpotInstanceRequests: by ids or filters, by page."""
    ids = request.get("SpotInstanceRequestIds") or []
    found = [_of_id(region, each) for each in ids] if ids else region.ec2.spot_requests.values()
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeSpotInstanceRequests")
    youngest = region.world.clock.now() - hidden
    views = [_view(region, each) for each in found if not hidden or each.created_at <= youngest]
    kept = filters.kept(views, request.get("Filters") or (), _FILTERS)
    return paging.answer(
        "SpotInstanceRequests", kept, request, key="SpotInstanceRequestId", least=5, most=1000
    )


def cancel(region: Region, request: Fields) -> Fields:
    """CancelSpotInstanceRequests: the instances of the requests go on."""
    requests = [_of_id(region, each) for each in request["SpotInstanceRequestIds"]]
    for each in requests:
        if each.state is SpotState.ACTIVE:
            each.state = SpotState.CANCELLED
            _say(region, each, "request-canceled-and-instance-running")
    return {
        "CancelledSpotInstanceRequests": [
            {"SpotInstanceRequestId": each.id, "State": each.state.value} for each in requests
        ]
    }


def _of_id(region: Region, request_id: str) -> SpotRequest:
    found = region.ec2.spot_requests.get(request_id)
    if found is None:
        raise absent(
            "spot instance request ID",
            prefix="sir",
            reference=request_id,
            malformed="InvalidSpotInstanceRequestID.Malformed",
            unknown="InvalidSpotInstanceRequestID.NotFound",
        )
    return found


def _view(region: Region, request: SpotRequest) -> Fields:
    instance = region.ec2.instances.get(request.instance_id)
    options = request.options
    view: Fields = {
        "SpotInstanceRequestId": request.id,
        "CreateTime": _moment(request.created_at),
        "InstanceId": request.instance_id,
        "InstanceInterruptionBehavior": options.get("InstanceInterruptionBehavior", "terminate"),
        "ProductDescription": "Linux/UNIX",
        "SpotPrice": request.price,
        "State": request.state.value,
        "Status": {
            "Code": request.code,
            "Message": request.message,
            "UpdateTime": _moment(request.updated_at),
        },
        "Type": options.get("SpotInstanceType", "one-time"),
        "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
    }
    if instance is not None:
        view["LaunchedAvailabilityZone"] = instance.zone
        launched: Fields = {"ImageId": instance.image_id, "InstanceType": instance.type}
        view["LaunchSpecification"] = launched
    return view


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
