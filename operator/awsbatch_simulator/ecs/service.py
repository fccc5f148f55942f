"""Amazon ECS: which operation is answered by what."""

from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ecs import clusters, instances, task_views
from awsbatch_simulator.ports import Handler, World
from awsbatch_simulator.region import Region

Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]


def operations() -> Mapping[str, Operation]:
    """Every operation of ECS that is simulated."""
    return {
        "CreateCluster": clusters.create,
        "DescribeClusters": clusters.describe,
        "ListClusters": clusters.list_clusters,
        "DeleteCluster": clusters.delete,
        "RegisterContainerInstance": instances.register,
        "DescribeContainerInstances": instances.describe,
        "ListContainerInstances": instances.list_instances,
        "UpdateContainerInstancesState": instances.update_state,
        "DeregisterContainerInstance": instances.deregister,
        "ListTasks": task_views.list_tasks,
        "DescribeTasks": task_views.describe,
    }


class EcsService:
    """Amazon ECS in every account and region of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._handlers: dict[str, Handler] = {
            name: self._handler(operation) for name, operation in operations().items()
        }

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return self._handlers

    def report(self, place: Place) -> dict[str, Any]:
        """What the state page shows: the instances and tasks of each living cluster.

        And why agents that should have registered have not.
        """
        region = self._world.region(place)
        clusters = {
            cluster.name: {
                "containerInstances": len(cluster.instances),
                "tasks": sum(len(each.tasks) for each in cluster.instances.values()),
            }
            for cluster in region.ecs.clusters.values()
            if cluster.active
        }
        return {"clusters": clusters, "agentsNotRegistered": region.hosts.troubles()}

    def _handler(self, operation: Operation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
            return operation(self._world.region(caller.place), request)

        return handle
