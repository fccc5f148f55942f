"""Amazon EC2: the operations on instances and their tags; moto answers the rest."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ec2 import describing, launching, tags
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import Handler, World
from awsbatch_simulator.region import Region

Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]


def operations() -> Mapping[str, Operation]:
    """Every operation of EC2 that is our own."""
    return {
        "RunInstances": launching.run,
        "TerminateInstances": launching.terminate,
        "DescribeInstances": describing.describe,
        "CreateTags": tags.create,
        "DeleteTags": tags.delete,
        "DescribeTags": tags.describe,
    }


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
        """What the state page shows: how many instances there are, by state."""
        instances = self._world.region(place).ec2.instances.values()
        return {"instances": dict(Counter(each.state.value for each in instances))}

    def _handler(self, operation: Operation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
            if request.get("DryRun"):
                message = "Request would have succeeded, but DryRun flag is set."
                raise AwsFailure("DryRunOperation", message, 412)
            return operation(self._world.region(caller.place), request)

        return handle
