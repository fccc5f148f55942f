"""What Batch's model says of values that the validator of all services lets pass.

That checks types, required members and numbers. AWS also holds a request to the model's enums and
lengths, and to values, ranges and counts that the model gives in its text only; those are the
tables here, and a test compares them with the text.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.errors import AwsFailure

# "The values aren't case sensitive", says EvaluateOnExit.action.
CASE_DOES_NOT_COUNT = frozenset({"RetryAction"})
# Members that are plain strings in the model and enums in its text, by shape and member.
TEXT_ENUMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("EcsTaskProperties", "ipcMode"): ("host", "task", "none"),
    ("EcsTaskProperties", "networkMode"): ("host",),
    ("EcsTaskProperties", "pidMode"): ("host", "task"),
    ("EksContainer", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("EksEmptyDir", "medium"): ("", "Memory"),
    ("EksPodProperties", "dnsPolicy"): ("Default", "ClusterFirst", "ClusterFirstWithHostNet"),
    ("RuntimePlatform", "cpuArchitecture"): ("X86_64", "ARM64"),
    ("RuntimePlatform", "operatingSystemFamily"): (
        *("LINUX", "WINDOWS_SERVER_2019_CORE", "WINDOWS_SERVER_2019_FULL"),
        *("WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2022_FULL"),
    ),
    ("TaskContainerDependency", "condition"): ("START", "COMPLETE", "SUCCESS"),
    ("Ulimit", "name"): (
        *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile"),
        *("nproc", "rss", "rtprio", "rttime", "sigpending", "stack"),
    ),
}
# "A list of up to 100 …": how many a call may ask for, by shape and member.
TEXT_MAXIMA: Mapping[tuple[str, str], int] = {
    ("DescribeComputeEnvironmentsRequest", "computeEnvironments"): 100,
    ("DescribeJobDefinitionsRequest", "jobDefinitions"): 100,
    ("DescribeJobQueuesRequest", "jobQueues"): 100,
    ("DescribeJobsRequest", "jobs"): 100,
    ("DescribeSchedulingPoliciesRequest", "arns"): 100,
}
# Numbers whose range is in the text only, both ends included, by shape and member.
TEXT_RANGES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("ArrayProperties", "size"): (2, 10_000),
    ("EFSVolumeConfiguration", "transitEncryptionPort"): (0, 65_535),
    ("EksContainerSecurityContext", "runAsGroup"): (0, 2_147_483_647),
    ("EksContainerSecurityContext", "runAsUser"): (0, 2_147_483_647),
    ("EphemeralStorage", "sizeInGiB"): (21, 200),
    ("LinuxParameters", "swappiness"): (0, 100),
    **{
        (f"{operation}Request", "maxResults"): (1, 100)
        for operation in (
            *("DescribeComputeEnvironments", "DescribeJobDefinitions", "DescribeJobQueues"),
            "ListSchedulingPolicies",
        )
    },
}
_PLACES = frozenset({*TEXT_ENUMS, *TEXT_MAXIMA, *TEXT_RANGES})
SHOWN = 100  # characters of a value that a refusal repeats


@cache
def batch_model() -> ServiceModel:
    """The model of Batch that botocore has, read once."""
    return ServiceModel(Loader().load_service_model("batch", "service-2"), "batch")


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ClientException for a value that the model excludes."""
    shape = batch_model().operation_model(operation).input_shape
    if shape is not None:
        _check(request, shape, "")


@cache
def _limited(name: str) -> bool:
    """Whether anything is said here of a shape or its parts; most lists of texts are left alone."""
    shape = batch_model().shape_for(name)
    if {"enum", "min", "max"} & shape.metadata.keys():
        return True
    match shape.type_name:
        case "structure":
            return any(
                (name, member) in _PLACES or _limited(part.name)
                for member, part in shape.members.items()
            )
        case "list":
            return _limited(shape.member.name)
        case "map":
            return _limited(shape.key.name) or _limited(shape.value.name)
        case _:
            return False


def _check(value: Any, shape: Shape, path: str) -> None:
    if not _limited(shape.name):
        return
    match shape.type_name:
        case "structure":
            _check_structure(value, shape, path)
        case "list":
            _check_length(value, shape, path)
            for number, entry in enumerate(value, start=1):
                _check(entry, shape.member, f"{path}.{number}.member")
        case "map":
            _check_length(value, shape, path)
            for key, entry in value.items():
                _check(key, shape.key, path)
                _check(entry, shape.value, f"{path}.{key[:SHOWN]}")
        case "string":
            any_case = shape.name in CASE_DOES_NOT_COUNT
            _check_enum(value.upper() if any_case else value, shape.enum, path)
            _check_length(value, shape, path)
        case _:
            pass


def _check_structure(value: Mapping[str, Any], shape: Shape, path: str) -> None:
    for name, entry in value.items():
        member, here = shape.members.get(name), f"{path}.{name}" if path else name
        if member is None:
            continue
        place = (shape.name, name)
        if place in TEXT_ENUMS:
            _check_enum(entry, TEXT_ENUMS[place], here)
        if place in TEXT_MAXIMA and len(entry) > TEXT_MAXIMA[place]:
            # The words, spaces included, are those of pegasus-isi/pegasus#2086.
            most = TEXT_MAXIMA[place]
            raise refusal(f"Maximum number of {name} supported is  {most} .")
        _check(entry, member, here)
        if place in TEXT_RANGES:
            least, most = TEXT_RANGES[place]
            _check_range(entry, least, most, here)


def _check_enum(value: str, values: Iterable[str], path: str) -> None:
    known = tuple(values)
    if known and value not in known:
        raise _breach(value, path, f"satisfy enum value set: [{', '.join(known)}]")


def _check_length(value: Any, shape: Shape, path: str) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least:
        raise _breach(value, path, f"have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        raise _breach(value, path, f"have length less than or equal to {most}")


def _check_range(value: int, least: int, most: int, path: str) -> None:
    if value < least:
        raise _breach(value, path, f"have value greater than or equal to {least}")
    if value > most:
        raise _breach(value, path, f"have value less than or equal to {most}")


def _breach(value: Any, path: str, rule: str) -> AwsFailure:
    """In the words that AWS's services share; Batch's own for this are not known."""
    return refusal(
        f"1 validation error detected: Value '{str(value)[:SHOWN]}' at '{path}' "
        f"failed to satisfy constraint: Member must {rule}"
    )
