"""Faults on request: what goes wrong, at which calls, how often.

Faults of a *call* (an error, throttling, a denied permission, a dropped connection, a delay) are
applied by the dispatcher before and after the handler. Faults of the *world* have a name that
domain code asks for: `world.faults.active("agent_never_joins", instanceType="m7i.large")`. `hide`
stands between: the call works but does not see what is younger than `seconds`; domain code asks
`hidden_seconds`.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Self

from pydantic import Field, model_validator

from awsbatch_simulator.model import Model


class Effect(StrEnum):
    """What a fault does."""

    ERROR = "error"  # answers `code`, `message`, `status`; nothing is done
    THROTTLE = "throttle"  # the service's own throttling error; nothing is done
    DENY = "deny"  # the service's own access denied error; nothing is done
    DROP_BEFORE = "drop_before"  # the connection is closed; nothing is done
    DROP_AFTER = "drop_after"  # it is done, then the connection is closed without an answer
    DELAY = "delay"  # it is done `seconds` (real) later
    HIDE = "hide"  # what is younger than `seconds` (simulated) is not seen
    WORLD = "world"  # `name` holds wherever domain code asks for it


WORLD_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "agent_disconnected": "The ECS agent of a container instance is not connected. "
        "By instanceId, containerInstance.",
        "agent_never_joins": "The ECS agent of an instance never registers. "
        "By instanceType, instanceId, availabilityZone, tags (each as key=value).",
        "eks_cluster_gone": "EKS has no such cluster. By cluster (its ARN).",
        "environment_invalid": "Batch finds an environment INVALID and says `message`. "
        "By computeEnvironment.",
        "host_command_fails": "A command of a host that boots ends with `exitCode` and says "
        "`message`. By command, arguments (the words after it, joined by spaces), instanceId, "
        "imageId, instanceType, subnetId, tags.",
        "hidden_tags": "Tags younger than `seconds` are not seen. By operation "
        "(DescribeInstances).",
        "hidden_jobs": "Jobs younger than `seconds` are not seen. By operation.",
        "image_fails": "An image that is made or copied ends failed, with the reason `code` and "
        "`message`, `seconds` later if given. By operation (CreateImage, CopyImage), name, "
        "instanceId, sourceImageId.",
        "image_not_allowed": "The account may not use an image any more. By image.",
        "insufficient_capacity": "EC2 has no capacity. By instanceType, availabilityZone, market.",
        "instance_role_lacks_permissions": "The role of an instance may not do something. "
        "By action (ecs:RegisterContainerInstance, ecs:CreateCluster, "
        "ecs:UpdateContainerInstancesState), instanceId, instanceProfile.",
        "key_without_grant": "EC2 may not use a key: instances with volumes that are encrypted "
        "with it end, copies fail. By kmsKeyId (as given), operation (RunInstances, CopyImage).",
        "no_way_to_ecs": "An instance cannot reach ECS. By instanceId, subnetId.",
        "no_way_to_host": "A host that boots cannot reach a repository of packages or a registry. "
        "By host (al2023-repos-*, docker.io, *.dkr.ecr.*), instanceId, imageId, instanceType, "
        "subnetId, tags.",
        "offer_refused": "EC2 launches nothing of an offer and says `code`, `message`, `status`: "
        "in a fleet's errors, or to RunInstances. By instanceType, availabilityZone, market, "
        "subnetId.",
        "relation_lag": "A queue counts as using an environment for `seconds` more. "
        "By jobQueue, computeEnvironment.",
        "role_lacks_permissions": "Batch's service role may start neither instances nor tasks. "
        "By role, computeEnvironment.",
        "role_vanished": "IAM no longer has a role, for STS and for Batch. "
        "By role, computeEnvironment.",
        "spot_task_interrupted": "A task on FARGATE_SPOT is interrupted `seconds` after its start. "
        "By computeEnvironment, jobName.",
        "update_fails": "The next update of an environment ends INVALID with `message`, and only "
        "another update ends that. By computeEnvironment.",
    }
)


# The operations that honour `hide`.
HIDING = (
    *(("batch", "DescribeJobs"), ("batch", "ListJobs")),
    *(("ec2", "DescribeInstances"), ("ec2", "DescribeInstanceStatus")),
    *(("ec2", "DescribeVolumes"), ("ec2", "DescribeSpotInstanceRequests")),
    ("ec2", "DescribeCapacityReservations"),
    *(("ec2", "DescribeImages"), ("ec2", "DescribeSnapshots"), ("ec2", "DescribeImageAttribute")),
    *(("ec2", "ModifyImageAttribute"), ("ec2", "EnableImageDeprecation"), ("ec2", "CopyImage")),
    *(("ec2", "DeregisterImage"), ("ec2", "RunInstances")),
)


class FaultSpec(Model):
    """A fault as it is asked for. Patterns are globs; parameters are matched by dotted path."""

    effect: Effect
    service: str = "*"
    operation: str = "*"
    principal: str = "*"
    match: dict[str, str] = Field(default_factory=dict)
    unless: dict[str, str] = Field(default_factory=dict)  # calls that match any of these pass
    skip: int = Field(default=0, ge=0)  # matching calls that pass first
    times: int | None = Field(default=None, ge=1)  # None: until it is removed
    seconds: float = Field(default=0, ge=0)
    code: str = "InternalError"
    message: str = "An injected fault."
    status: int = Field(default=500, ge=400, le=599)
    exit_code: int = Field(default=1, ge=1, le=255)
    name: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.effect is Effect.WORLD and self.name not in WORLD_FAULTS:
            raise ValueError(f"effect world needs a name out of {', '.join(WORLD_FAULTS)}")
        if self.effect is Effect.HIDE and not any(
            fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)
            for service, operation in HIDING
        ):
            known = ", ".join(f"{service} {operation}" for service, operation in HIDING)
            raise ValueError(f"effect hide works with {known}")
        if self.effect in (Effect.DELAY, Effect.HIDE) and not self.seconds:
            raise ValueError(f"effect {self.effect} needs seconds above 0")
        return self


@dataclass(slots=True)
class Fault:
    """A fault in place, and how often it has struck."""

    id: str
    spec: FaultSpec
    seen: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it was to."""
        return self.spec.times is not None and self.struck >= self.spec.times

    @property
    def delay_seconds(self) -> float:
        """How long a lag of the world lasts, in simulated seconds."""
        return self.spec.seconds

    def strike(self) -> bool:
        """Count a match; whether the fault applies to it."""
        self.seen += 1
        if self.seen <= self.spec.skip or self.spent:
            return False
        self.struck += 1
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """The call that faults are matched against."""

    service: str
    operation: str
    principal: str
    parameters: Mapping[str, Any]


class Faults:
    """The faults in place. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults.values()))

    def add(self, spec: FaultSpec) -> Fault:
        """Put a fault in place."""
        fault = Fault(f"fault-{next(self._numbers)}", spec)
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        """Remove one fault; whether there was such a one."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> int:
        """Remove all faults; how many there were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    def strike(self, call: Call) -> list[Fault]:
        """The call faults that apply to this call; each counts as having struck."""
        around = (Effect.HIDE, Effect.WORLD)
        return [
            fault
            for fault in self._faults.values()
            if fault.spec.effect not in around and _meets(fault.spec, call) and fault.strike()
        ]

    def hidden_seconds(self, service: str, operation: str) -> float:
        """How young a thing must be for this operation not to see it; 0: all is seen.

        Ask once a call: each question counts as having struck.
        """
        return max(
            (
                fault.spec.seconds
                for fault in self._faults.values()
                if fault.spec.effect is Effect.HIDE
                and fnmatchcase(service, fault.spec.service)
                and fnmatchcase(operation, fault.spec.operation)
                and fault.strike()
            ),
            default=0.0,
        )

    def active(self, name: str, /, **about: Any) -> Fault | None:
        """The named fault of the world that holds for a thing, if any; it counts as having struck.

        `about` says what the thing is (`instanceType="m7i.large"`); the fault's `match` is compared
        with it, so a fault without `match` holds for all.
        """
        for fault in self._faults.values():
            spec = fault.spec
            if (
                spec.effect is Effect.WORLD
                and spec.name == name
                and all(_finds(about, path, glob) for path, glob in spec.match.items())
                and fault.strike()
            ):
                return fault
        return None

    def of_world(self, name: str, unknown: Collection[str], /, **about: Any) -> list[Fault]:
        """The named faults that hold for a thing and are not spent; none of them counts as struck.

        What is `unknown` yet is left out of the comparison: it is for the caller to compare.
        """
        return [
            fault
            for fault in self._faults.values()
            if fault.spec.effect is Effect.WORLD
            and fault.spec.name == name
            and not fault.spent
            and all(
                key in unknown or _finds(about, key, glob) for key, glob in fault.spec.match.items()
            )
        ]

    def counted(self, fault_id: str, *, seen: int, struck: int) -> None:
        """Somebody who has compared by himself says how often a fault was met, and has struck."""
        if (fault := self._faults.get(fault_id)) is not None:
            fault.seen += seen
            fault.struck += struck


def _meets(spec: FaultSpec, call: Call) -> bool:
    return (
        fnmatchcase(call.service, spec.service)
        and fnmatchcase(call.operation, spec.operation)
        and fnmatchcase(call.principal, spec.principal)
        and all(_finds(call.parameters, path, glob) for path, glob in spec.match.items())
        and not any(_finds(call.parameters, path, glob) for path, glob in spec.unless.items())
    )


def _finds(parameters: Mapping[str, Any], path: str, glob: str) -> bool:
    return any(fnmatchcase(str(value), glob) for value in _values(parameters, path.split(".")))


def _values(value: Any, path: list[str]) -> Iterable[Any]:
    """All values at a dotted path; a list stands for each of its items."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])
