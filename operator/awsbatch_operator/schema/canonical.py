"""When two AWS structures mean the same: a canonical form, its hash, and what differs.

Walks by the names of members, not by AWS's model, so that a newer boto3 changes no hash. What
counts as the same is this:

* order, where AWS's list is a set (environment variables, subnets, resource requirements, …);
* a member left out, null, an empty list or structure, or AWS's documented default;
* a decimal however it is written ("2", "2.0").

The tables belong to VERSION: whoever changes them in a way that changes a hash raises it, and
objects found with a hash of another version are left as they are.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from awsbatch_operator.schema.tables import additions

VERSION = "v1"
HASH_DIGITS = 32

# Lists that are sets, by the member that tells their entries apart.
_KEYED: Mapping[str, str] = {
    "computeEnvironmentOrder": "order",
    "consumableResourceList": "consumableResource",
    "devices": "hostPath",
    "env": "name",
    "environment": "name",
    "imagePullSecrets": "name",
    "jobStateTimeLimitActions": "reason",
    "mountPoints": "containerPath",
    "nodeRangeProperties": "targetNodes",
    "resourceRequirements": "type",
    "secretOptions": "name",
    "secrets": "name",
    "shareDistribution": "shareIdentifier",
    "tmpfs": "containerPath",
    "ulimits": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
_SETS = frozenset(
    {
        "add",
        "allowedInstanceTypes",
        "drop",
        "permissions",
        "platformCapabilities",
        "securityGroupIds",
        "securityGroups",
        "subnets",
        "targetInstanceTypes",
    }
)
# Maps whose keys are the user's, not AWS's members.
_MAPS = frozenset(
    {
        "annotations",
        "capacityTags",
        "labels",
        "limits",
        "options",
        "parameters",
        "requests",
        "tags",
    }
)
# Structures whose mere presence says something.
_TELLING = frozenset({"emptyDir"})
# AWS's defaults, from the Batch API reference of the member.
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "allocationStrategy": ("BEST_FIT",),
    "assignPublicIp": ("DISABLED",),
    "attempts": (1,),
    "bidPercentage": (100,),
    "capacityOptionType": ("ON_DEMAND",),
    "computeReservation": (0,),
    "containerInsights": ("DISABLED",),
    "cpuArchitecture": ("X86_64",),
    "enableExecuteCommand": (False,),
    "essential": (True,),
    "fipsEnabled": (False,),
    "hostNetwork": (True,),
    "iam": ("DISABLED",),
    "initProcessEnabled": (False,),
    "instanceMetadataTagsPropagation": (False,),
    "jobExecutionTimeoutMinutes": (30,),
    "minScaleDownDelayMinutes": (0,),
    "minvCpus": (0,),
    "networkMode": ("host",),
    "operatingSystemFamily": ("LINUX",),
    "optional": (False,),
    "permissions": (["MKNOD", "READ", "WRITE"],),
    "platformCapabilities": (["EC2"],),
    "platformVersion": ("LATEST",),
    "privileged": (False,),
    "propagateTags": (False, "NONE"),
    "readOnly": (False,),
    "readonlyRootFilesystem": (False,),
    "rootDirectory": ("/",),
    "shareDecaySeconds": (0,),
    "shareProcessNamespace": (False,),
    "state": ("ENABLED",),
    "terminateJobsOnUpdate": (False,),
    "transitEncryption": ("DISABLED",),
    "useLocalStorage": (False,),
    "version": ("$Default",),
    "weightFactor": ("1",),
}
# With these, the order of instanceTypes is the user's preference.
_PREFERENCE = ("BEST_FIT_PROGRESSIVE_ORDERED", "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED")
_WEIGHT_DIGITS = Decimal("0.0001")  # AWS keeps weights as single-precision floats


def canonical(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same content in the one form that all its spellings have."""
    return _structure(content, "")


def content_hash(content: Mapping[str, Any]) -> str:
    """`v1:` and a hash that all spellings of the content share."""
    text = json.dumps(canonical(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]}"


def comparable(stored: str) -> bool:
    """Whether a stored hash was made by these rules, so that a difference means a change."""
    return stored.startswith(f"{VERSION}:")


def differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any], *, ignore: Collection[str] = ()
) -> tuple[str, ...]:
    """Paths (`computeResources.instanceRole`) at which AWS is not as desired, in order.

    Members that AWS returns, the tables do not know and nobody asked for are not differences: a
    newer AWS returns more than an older one. Lists are compared as a whole. `ignore` names paths
    that the caller judges for itself.
    """
    found = _differences(canonical(desired), canonical(observed), "", known_members())
    return tuple(path for path in sorted(found) if path not in ignore)


@cache
def known_members() -> frozenset[str]:
    """The names of all members of AWS structures that this operator knows."""
    return frozenset(name for struct in additions().values() for name in struct.members)


def _structure(content: Mapping[str, Any], parent: str) -> dict[str, Any]:
    """Members in their form; `parent` is the name of the member that holds the structure."""
    made: dict[str, Any] = {}
    for name, value in content.items():
        form = _value(name, value, parent)
        if not _says_nothing(name, form):
            made[name] = form
    if made.get("allocationStrategy") not in _PREFERENCE and "instanceTypes" in made:
        made["instanceTypes"] = sorted(made["instanceTypes"])
    return made


def _value(name: str, value: Any, parent: str) -> Any:
    if isinstance(value, Mapping):
        if name in _MAPS:
            return {key: entry for key, entry in value.items() if entry is not None}
        return _structure(value, name)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _list(name, value)
    if name == "weightFactor":
        return _decimal(value, _WEIGHT_DIGITS)
    if name == "value" and parent == "resourceRequirements":
        return _decimal(value)
    return value


def _list(name: str, entries: Sequence[Any]) -> list[Any]:
    made = [
        _structure(entry, name) if isinstance(entry, Mapping) else entry
        for entry in entries
        if entry is not None
    ]
    if name in _KEYED and all(isinstance(entry, dict) for entry in made):
        key = _KEYED[name]
        return sorted(made, key=lambda entry: json.dumps([entry.get(key), entry], sort_keys=True))
    return sorted(set(made)) if name in _SETS else made


def _says_nothing(name: str, form: Any) -> bool:
    if form is None:
        return True
    if isinstance(form, dict | list) and not form:
        return name not in _TELLING
    return any(
        form == default and type(form) is type(default) for default in _DEFAULTS.get(name, ())
    )


def _decimal(value: Any, digits: Decimal | None = None) -> Any:
    """A number in its shortest spelling; what is none stays as it is."""
    try:
        number = Decimal(str(value))
        number = number if digits is None else number.quantize(digits)
    except InvalidOperation:
        return value
    return format(number.normalize(), "f")


def _differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any], path: str, known: Collection[str]
) -> Iterator[str]:
    for name in desired.keys() | observed.keys():
        wanted, have = desired.get(name), observed.get(name)
        here = f"{path}{name}"
        if name not in desired and name not in known:
            continue
        if name not in _MAPS and isinstance(wanted, dict) and isinstance(have, dict):
            yield from _differences(wanted, have, f"{here}.", known)
        elif isinstance(wanted, list) and isinstance(have, list):
            if not _same_list(wanted, have, known):
                yield here
        elif wanted != have:
            yield here


def _same_list(wanted: list[Any], have: list[Any], known: Collection[str]) -> bool:
    if len(wanted) != len(have):
        return False
    return all(
        not any(_differences(left, right, "", known))
        if isinstance(left, dict) and isinstance(right, dict)
        else left == right
        for left, right in zip(wanted, have, strict=True)
    )
