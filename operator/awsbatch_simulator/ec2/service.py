"""Amazon EC2: what launches instances, what they are made of, and tags; moto answers the rest."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ec2 import (
    attributes,
    describing,
    fleet_describing,
    fleets,
    image_changes,
    image_copying,
    image_creating,
    image_describing,
    image_references,
    launching,
    placement_groups,
    power,
    reservation_views,
    reservations,
    snapshots,
    spot,
    spot_prices,
    statuses,
    tags,
    template_changes,
    template_data,
    template_describing,
    type_describing,
    volumes,
)
from awsbatch_simulator.ports import Handler, World
from awsbatch_simulator.region import Region

Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]
# These look at their parameters before they answer that it was a dry run.
LOOK_FIRST = frozenset({"RunInstances", "CreateFleet"})
SignedOperation = Callable[[Region, dict[str, Any], str], dict[str, Any]]


def _of_instances() -> Mapping[str, Operation]:
    """Instances, their volumes, and tags."""
    return {
        "RunInstances": launching.run,
        "TerminateInstances": launching.terminate,
        "StopInstances": power.stop,
        "StartInstances": power.start,
        "RebootInstances": power.reboot,
        "GetConsoleOutput": power.console,
        "DescribeInstances": describing.describe,
        "DescribeInstanceStatus": statuses.describe,
        "DescribeInstanceAttribute": attributes.describe,
        "ModifyInstanceAttribute": attributes.modify,
        "DescribeVolumes": volumes.describe,
        "DeleteVolume": volumes.delete,
        "CreateTags": tags.create,
        "DeleteTags": tags.delete,
        "DescribeTags": tags.describe,
    }


def _of_capacity() -> Mapping[str, Operation]:
    """What instances are bought with, and what they cost."""
    return {
        "CreateFleet": fleets.create,
        "DescribeFleets": fleet_describing.describe,
        "DescribeFleetInstances": fleet_describing.describe_instances,
        "DeleteFleets": fleet_describing.delete,
        "CreateCapacityReservation": reservations.create,
        "DescribeCapacityReservations": reservation_views.describe,
        "ModifyCapacityReservation": reservations.modify,
        "CancelCapacityReservation": reservations.cancel,
        "DescribeSpotInstanceRequests": spot.describe,
        "CancelSpotInstanceRequests": spot.cancel,
        "DescribeInstanceTypes": type_describing.describe,
        "DescribeSpotPriceHistory": spot_prices.history,
        "GetSpotPlacementScores": spot_prices.scores,
    }


def _of_images() -> Mapping[str, Operation]:
    """Machine images and snapshots."""
    return {
        "CreateImage": image_creating.create,
        "CopyImage": image_copying.copy,
        "DescribeImages": image_describing.describe,
        "DescribeImageAttribute": image_describing.describe_attribute,
        "DescribeImageReferences": image_references.describe,
        "ModifyImageAttribute": image_changes.modify,
        "ResetImageAttribute": image_changes.reset,
        "EnableImageDeprecation": image_changes.deprecate,
        "DisableImageDeprecation": image_changes.undeprecate,
        "EnableImageDeregistrationProtection": image_changes.protect,
        "DisableImageDeregistrationProtection": image_changes.unprotect,
        "DeregisterImage": image_changes.deregister,
        "DescribeSnapshots": snapshots.describe,
        "DeleteSnapshot": snapshots.delete,
    }


def _of_templates() -> Mapping[str, Operation]:
    """Launch templates and placement groups."""
    return {
        "ModifyLaunchTemplate": template_changes.modify,
        "DeleteLaunchTemplate": template_changes.delete,
        "DeleteLaunchTemplateVersions": template_changes.delete_versions,
        "DescribeLaunchTemplates": template_describing.describe,
        "DescribeLaunchTemplateVersions": template_describing.describe_versions,
        "GetLaunchTemplateData": template_data.get,
        "CreatePlacementGroup": placement_groups.create,
        "DescribePlacementGroups": placement_groups.describe,
        "DeletePlacementGroup": placement_groups.delete,
    }


def operations() -> Mapping[str, SignedOperation]:
    """Every operation of EC2 that is our own; the last argument is the ARN of the caller."""
    unsigned = {**_of_instances(), **_of_capacity(), **_of_images(), **_of_templates()}
    return {
        "CreateLaunchTemplate": template_changes.create,
        "CreateLaunchTemplateVersion": template_changes.create_version,
        **{name: _for_anybody(operation) for name, operation in unsigned.items()},
    }


def _for_anybody(operation: Operation) -> SignedOperation:
    return lambda region, request, _principal: operation(region, request)


class Ec2Service:
    """Amazon EC2 in every account and region of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._handlers: dict[str, Handler] = {
            name: self._handler(name, operation) for name, operation in operations().items()
        }

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return self._handlers

    def report(self, place: Place) -> dict[str, Any]:
        """What the state page shows: how many instances there are, by state, and how much else."""
        store = self._world.region(place).ec2
        return {
            "instances": dict(Counter(each.state.value for each in store.instances.values())),
            "launchTemplates": len(store.templates),
            "placementGroups": len(store.placement_groups),
            "volumes": len(store.volumes),
            "images": dict(Counter(each.state.value for each in store.images.values())),
            "snapshots": dict(Counter(each.state.value for each in store.snapshots.values())),
            "fleets": len(store.fleets),
            "spotRequests": dict(
                Counter(each.state.value for each in store.spot_requests.values())
            ),
            "capacityReservations": dict(
                Counter(each.state.value for each in store.reservations.values())
            ),
            "vcpus": {code: count for code, count in store.vcpus.items() if count},
        }

    def _handler(self, name: str, operation: SignedOperation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
            if request.get("DryRun") and name not in LOOK_FIRST:
                raise launching.dry()
            return operation(self._world.region(caller.place), request, caller.principal)

        return handle
