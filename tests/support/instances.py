"""Environments that launch instances, and what EC2, ECS and Batch show of them."""

from typing import Any

from tests.support.cheap_clients import unburden
from tests.support.installation import NAMESPACE, Installation
from tests.support.lagging import Lagging
from tests.support.manifests import (
    DEFINITION,
    ENVIRONMENT,
    PROFILE,
    QUEUE,
    ROLE,
    definition,
    job,
    queue,
)

from awsbatch_operator.api.metadata import ObjectKey

# Of EC2, reads and trials and all; while something is on its way its feed asks every 5 s.
CALLS_A_MINUTE = 60


def pool(**members: Any) -> dict[str, Any]:
    """A pool; members that are None are left out."""
    usual = {
        "name": "main",
        "market": "OnDemand",
        "instanceTypes": ["m7i.large", "m7i.xlarge"],
        "idleSeconds": 60,
        "subnets": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
        "instanceProfile": PROFILE,
    }
    return {name: value for name, value in (usual | members).items() if value is not None}


def launching(*pools: dict[str, Any], **limits: Any) -> dict[str, Any]:
    """An UNMANAGED environment with these pools (one, if none are given) and limits."""
    return {
        "type": "UNMANAGED",
        "serviceRole": ROLE,
        "capacity": {
            "limits": limits or {"maxvCpus": 64},
            "pools": list(pools or (pool(),)),
        },
    }


def job_key(number: int = 1) -> ObjectKey:
    return ObjectKey("BatchJob", NAMESPACE, f"job-{number}")


class _Cheap(Lagging):
    """Without what botocore does for AWS alone: these tests make hundreds of calls each."""

    def connect(self, client: Any) -> None:
        super().connect(client)
        unburden(client)


class Fleet(Installation):
    """An installation whose environment launches instances."""

    def __init__(self, *others: Any, **settings: Any) -> None:
        super().__init__(*others, **settings)
        self.moments: list[tuple[float, str]] = []  # of each call of the operator
        self._trial = False  # the call that is under way is one
        self._launched: list[tuple[str, bytes]] = []  # operation and body of what launches
        self.lagging = _Cheap(self._answer, lambda: self.clock.now().epoch)
        self._wire = self.wire(self._called)

    def _answer(self, request: Any, event_name: str, **context: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        self._trial = b"DryRun=true" in body
        if operation in {"CreateFleet", "RunInstances"} and not self._trial:
            self._launched.append((operation, body))
        return self._wire(request=request, event_name=event_name, **context)

    def bodies(self, operation: str) -> list[bytes]:
        """The requests of that launch operation, byte by byte."""
        return [body for each, body in self._launched if each == operation]

    def _called(self, service: str, operation: str) -> None:
        """A trial (DryRun) is told from the call itself."""
        operation = f"Try{operation}" if self._trial else operation
        super()._called(service, operation)
        self.moments.append((self.clock.now().epoch, f"{service}:{operation}"))

    def busiest_minute(self, *calls: str) -> int:
        """The most calls in any minute; without names, of EC2, reads and changes alike."""
        times = [
            at for at, call in self.moments if (call in calls if calls else call.startswith("ec2:"))
        ]
        return max(
            (sum(start <= at < start + 60 for at in times) for start in times),
            default=0,
        )

    def settle(self, **patch: Any) -> None:
        """Change settings of the simulator."""
        world = self.simulator.world
        world.change(world.settings.patched(patch))

    def wait_for(self, vcpus: int = 1, memory: int = 512) -> None:
        """What later jobs of the definition ask for."""
        made = definition()
        made["containerProperties"]["resourceRequirements"] = [
            {"type": "VCPU", "value": str(vcpus)},
            {"type": "MEMORY", "value": str(memory)},
        ]
        self.apply(DEFINITION, made)

    def ids(self) -> list[str]:
        """The ids of the instances that have not ended."""
        return [each["InstanceId"] for each in self.alive()]

    def told(self, reason: str, key: ObjectKey = ENVIRONMENT) -> list[str]:
        """The texts of the events with this reason."""
        return [text for each, text in self.events(key) if each == reason]

    def furnish(self, *pools: dict[str, Any], jobs: int = 0, **limits: Any) -> None:
        """Environment, queue, definition and so many jobs."""
        self.apply(ENVIRONMENT, launching(*pools, **limits))
        self.apply(QUEUE, queue())
        self.apply(DEFINITION, definition())
        for number in range(1, jobs + 1):
            self.apply(job_key(number), job())

    def instances(self, *states: str) -> list[dict[str, Any]]:
        """The instances that EC2 shows, in these states; in any, if none are given."""
        found = self.aws("ec2").describe_instances()["Reservations"]
        return [
            instance
            for reservation in found
            for instance in reservation["Instances"]
            if not states or instance["State"]["Name"] in states
        ]

    def alive(self) -> list[dict[str, Any]]:
        return self.instances("pending", "running", "shutting-down", "stopping", "stopped")

    def members(self) -> list[dict[str, Any]]:
        """The container instances of the environment's ECS cluster."""
        ecs, cluster = self.aws("ecs"), self.status(ENVIRONMENT)["ecsClusterArn"]
        arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        found = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
        return list(found["containerInstances"])

    def capacity(self) -> dict[str, Any]:
        return dict(self.status(ENVIRONMENT).get("capacity", {}))

    def row(self, name: str = "main") -> dict[str, Any]:
        """The row of a pool in the status."""
        return next(row for row in self.capacity().get("pools", []) if row["name"] == name)

    def launches(self) -> int:
        """How many launch calls were sent."""
        return sum(call in {"ec2:CreateFleet", "ec2:RunInstances"} for call in self.calls)

    def succeeded(self, *numbers: int) -> bool:
        return all(self.is_true(job_key(each), "Complete") for each in numbers)
