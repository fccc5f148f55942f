"""What a container may say on its platform, in a definition and after a job's overrides.

Source: the members of ContainerProperties, TaskContainerProperties and ResourceRequirement in the
Batch API reference. Words in refusals are AWS's where a public report has them: kestra-io/
plugin-aws#504 (a value), insitro/redun#95 (vcpus), terraform-aws-modules/terraform-aws-batch#6 (a
size on Fargate), ASFHyP3/hyp3#586 (no vCPU).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.batch.model import EC2, FARGATE

MINIMUM_MEMORY = 4  # MiB
# Members that came before resourceRequirements, and the types of those that they stand for.
DEPRECATED: Mapping[str, str] = {"vcpus": "VCPU", "memory": "MEMORY"}


def _steps(first: int, last: int, step: int) -> frozenset[int]:
    return frozenset(range(first, last + 1, step))


# ResourceRequirement: the sizes of Fargate, MiB by vCPUs.
FARGATE_MEMORY: Mapping[float, frozenset[int]] = {
    0.25: frozenset({512, 1024, 2048}),
    0.5: _steps(1024, 4096, 1024),
    1: _steps(2048, 8192, 1024),
    2: _steps(4096, 16_384, 1024),
    4: _steps(8192, 30_720, 1024),
    8: _steps(16_384, 61_440, 4096),
    16: _steps(32_768, 122_880, 8192),
    32: frozenset({61_440, 122_880, 249_856}),
}
# "This parameter isn't applicable to jobs that are running on Fargate resources": refused where
# they say anything; false, 0 and [] say nothing.
_NOT_ON_FARGATE = (
    *("instanceType", "privileged", "ulimits"),
    *("linuxParameters.devices", "linuxParameters.sharedMemorySize", "linuxParameters.tmpfs"),
    *("linuxParameters.maxSwap", "linuxParameters.swappiness"),
)
# ECS gives tasks on Fargate a limit of open files, which a container of several may set.
_NOT_IN_FARGATE_TASKS = tuple(name for name in _NOT_ON_FARGATE if name != "ulimits")
# "Jobs that are running on Amazon EC2 resources must not specify this parameter."
_NOT_ON_EC2 = ("networkConfiguration", "fargatePlatformConfiguration", "ephemeralStorage")
_FARGATE_DRIVERS = frozenset({"awslogs", "splunk"})
_FIRELENS = "awsfirelens"
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def check_container(container: Mapping[str, Any], platform: str, *, node: bool = False) -> None:
    """ContainerProperties of a single job, or of a `node` range of a parallel one."""
    if not container.get("image"):
        raise refusal("Container image must be specified")
    check_environment(container.get("environment", ()))
    if platform == FARGATE:
        check_not_deprecated(container)
        _refuse(container, _NOT_ON_FARGATE, FARGATE)
        _check_driver(container, _FARGATE_DRIVERS)
        _check_volumes(container.get("volumes", ()))
        if not container.get("executionRoleArn"):
            raise refusal("Fargate jobs need an executionRoleArn")
    else:
        _refuse(container, _NOT_ON_EC2, EC2)
        if not node:
            _refuse(container, ("instanceType",), "single-node container jobs")
    sizes = requirements(container)
    if node:  # a nested range may leave its size to the one around it
        _check_values(sizes, platform)
    else:
        check_sizes(sizes, platform)


def check_task(task: Mapping[str, Any], platform: str) -> None:
    """EcsTaskProperties: up to ten containers, which share the task's size on Fargate."""
    containers = task["containers"]
    if not 1 <= len(containers) <= 10:  # noqa: PLR2004 - EcsProperties.taskProperties
        raise refusal("taskProperties can have 1 to 10 containers")
    names = [container["name"] for container in containers if container.get("name")]
    if len(set(names)) != len(names):
        raise refusal("The containers of a task must have unique names")
    if not any(container.get("essential", True) for container in containers):
        raise refusal("All jobs must have at least one essential container")
    if platform == FARGATE:
        _refuse(task, ("ipcMode", "networkMode"), FARGATE)
        _check_volumes(task.get("volumes", ()))
        if not task.get("executionRoleArn"):
            raise refusal("Fargate jobs need an executionRoleArn")
    elif platform == EC2:
        _refuse(task, ("networkConfiguration", "ephemeralStorage", "networkMode"), EC2)
    else:
        _refuse(task, ("networkConfiguration",), "ECS Managed Instances")
    for container in containers:
        _check_task_container(container, platform)
    if platform == FARGATE:
        sizes = [requirements(container) for container in containers]
        cores = sum(float(each.get("VCPU", 0)) for each in sizes)
        _check_fargate_size(cores, sum(int(each.get("MEMORY", 0)) for each in sizes))


def _check_task_container(container: Mapping[str, Any], platform: str) -> None:
    if not container.get("image"):
        raise refusal("Container image must be specified")
    check_environment(container.get("environment", ()))
    if platform == FARGATE:
        _refuse(container, _NOT_IN_FARGATE_TASKS, FARGATE)
        _check_driver(container, _FARGATE_DRIVERS | {_FIRELENS})
    _check_values(requirements(container), platform)


def check_pod(pod: Mapping[str, Any]) -> None:
    """EksPodProperties: containers have unique names, "Default" where none is given."""
    for kind in ("containers", "initContainers"):
        if len(pod.get(kind, ())) > 10:  # noqa: PLR2004 - EksPodProperties
            raise refusal(f"podProperties can have up to 10 {kind}")
    containers = [*pod.get("containers", ()), *pod.get("initContainers", ())]
    names = [container.get("name", "Default") for container in containers]
    if len(set(names)) != len(names):
        raise refusal("Each container in a pod must have a unique name")
    for container in containers:
        check_environment(container.get("env", ()))


def check_environment(variables: Any) -> None:
    """AWS_BATCH… belongs to Batch."""
    for variable in variables:
        if variable.get("name", "").startswith("AWS_BATCH"):
            raise refusal(f"Environment variable {variable['name']} cannot start with AWS_BATCH")


def check_not_deprecated(fields: Mapping[str, Any]) -> None:
    """Fargate knows only resourceRequirements, in definitions and in overrides."""
    for name in DEPRECATED:
        if fields.get(name):
            raise refusal(
                f"{name} is not applicable for Fargate. Use resource requirements instead."
            )


def requirements(container: Mapping[str, Any]) -> dict[str, str]:
    """ResourceRequirements by type; the deprecated vcpus and memory count where they are alone."""
    listed = container.get("resourceRequirements") or ()
    sizes = {entry["type"]: entry["value"] for entry in listed}
    if len(sizes) != len(listed):
        raise refusal("resourceRequirements names a type twice")
    for old, new in DEPRECATED.items():
        if container.get(old):
            if new in sizes:
                raise refusal(f"{old} and resourceRequirements {new} cannot both be specified")
            sizes[new] = str(container[old])
    return sizes


def check_sizes(sizes: Mapping[str, str], platform: str) -> None:
    """The size of a job of one container: whole vCPUs on EC2, one of AWS's sizes on Fargate."""
    for kind, name in (("VCPU", "vCPU"), ("MEMORY", "Memory")):
        if kind not in sizes:
            raise refusal(f"{name} is not provided.")
    _check_values(sizes, platform)
    if platform == FARGATE:
        _check_fargate_size(float(sizes["VCPU"]), int(sizes["MEMORY"]))


def _check_values(sizes: Mapping[str, str], platform: str) -> None:
    if platform == FARGATE and "GPU" in sizes:
        raise refusal("GPU is not applicable for Fargate.")
    for kind, value in sizes.items():
        pattern = _DECIMAL if (kind, platform) == ("VCPU", FARGATE) else _WHOLE
        if not pattern.fullmatch(value):
            raise refusal(
                f"Value {value[:100]} for type {kind} in resourceRequirement is not valid. "
                "Please provide a numeric value."
            )
    if platform != FARGATE and int(sizes.get("VCPU", 1)) < 1:
        raise refusal(f"VCPU must be at least 1, not {sizes['VCPU']}")
    if int(sizes.get("MEMORY", MINIMUM_MEMORY)) < MINIMUM_MEMORY:
        raise refusal(f"MEMORY must be at least {MINIMUM_MEMORY} MiB, not {sizes['MEMORY']}")


def _check_fargate_size(cores: float, memory: int) -> None:
    if memory not in FARGATE_MEMORY.get(cores, ()):
        raise refusal(f"Fargate resource requirements ({cores:.2f} vCPU, {memory} MiB) not valid.")


def _refuse(fields: Mapping[str, Any], paths: Iterable[str], platform: str) -> None:
    where = {FARGATE: "Fargate", EC2: "EC2"}.get(platform, platform)
    for path in paths:
        first, _, rest = path.partition(".")
        value = fields.get(first)
        if rest and value:
            value = value.get(rest)
        if value:
            raise refusal(f"{path} is not applicable for {where}.")


def _check_driver(container: Mapping[str, Any], drivers: Iterable[str]) -> None:
    driver = (container.get("logConfiguration") or {}).get("logDriver")
    if driver is not None and driver not in drivers:
        raise refusal(f"Log driver {driver} is not applicable for Fargate.")


def _check_volumes(volumes: Iterable[Mapping[str, Any]]) -> None:
    for volume in volumes:
        _refuse(volume, ("host",), FARGATE)
