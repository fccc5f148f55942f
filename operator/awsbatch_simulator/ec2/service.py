"""Amazon EC2: what launches instances, and tags; moto answers the rest."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ec2 import (
    describing,
    launching,
    placement_groups,
    tags,
    template_changes,
    template_describing,
)
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import Handler, World
from awsbatch_simulator.region import Region

Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]
SignedOperation = Callable[[Region, dict[str, Any], str], dict[str, Any]]


def operations() -> Mapping[str, SignedOperation]:
    """Every operation of EC2 that is our own; the last argument is the ARN of the caller."""
    unsigned: Mapping[str, Operation] = {
        "RunInstances": launching.run,
        "TerminateInstances": launching.terminate,
        "DescribeInstances": describing.describe,
        "CreateTags": tags.create,
        "DeleteTags": tags.delete,
        "DescribeTags": tags.describe,
        "ModifyLaunchTemplate": template_changes.modify,
        "DeleteLaunchTemplate": template_changes.delete,
        "DeleteLaunchTemplateVersions": template_changes.delete_versions,
        "DescribeLaunchTemplates": template_describing.describe,
        "DescribeLaunchTemplateVersions": template_describing.describe_versions,
        "CreatePlacementGroup": placement_groups.create,
        "DescribePlacementGroups": placement_groups.describe,
        "DeletePlacementGroup": placement_groups.delete,
    }
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
            name: self._handler(operation) for name, operation in operations().items()
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
        }

    def _handler(self, operation: SignedOperation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
            if request.get("DryRun"):
                message = "Request would have succeeded, but DryRun flag is set."
                raise AwsFailure("DryRunOperation", message, 412)
            return operation(self._world.region(caller.place), request, caller.principal)

        return handle
