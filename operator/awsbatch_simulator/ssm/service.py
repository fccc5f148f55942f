"""AWS Systems Manager, as far as parameters go."""

from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ports import Handler, World
from awsbatch_simulator.region import Region
from awsbatch_simulator.ssm import reading, writing

Operation = Callable[[Region, dict[str, Any], str], dict[str, Any]]


def operations() -> Mapping[str, Operation]:
    """Every operation that there is; the last argument is the ARN of the caller."""
    return {
        "PutParameter": writing.put,
        "DeleteParameter": writing.delete,
        "DeleteParameters": writing.delete_many,
        "AddTagsToResource": writing.tag,
        "RemoveTagsFromResource": writing.untag,
        "ListTagsForResource": writing.list_tags,
        "GetParameter": reading.get,
        "GetParameters": reading.get_many,
        "GetParametersByPath": reading.by_path,
        "GetParameterHistory": reading.history,
        "DescribeParameters": reading.describe,
    }


class SsmService:
    """Parameter Store in every account and region of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._handlers: dict[str, Handler] = {
            name: self._handler(operation) for name, operation in operations().items()
        }

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return self._handlers

    def report(self, place: Place) -> dict[str, Any]:
        """What the state page shows: how many parameters the account has."""
        return {"parameters": len(self._world.region(place).ssm.parameters)}

    def _handler(self, operation: Operation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
            return operation(self._world.region(caller.place), request, caller.principal)

        return handle
