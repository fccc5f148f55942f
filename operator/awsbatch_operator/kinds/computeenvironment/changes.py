"""What differs between a spec and AWS, and what kind of update it takes (pure).

Sources: AWS Batch user guide, "Updating compute environments" and "Infrastructure updates"; the API
reference of UpdateComputeEnvironment, which says of each member whether it needs one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.noops import FARGATE, without_noops
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.schema.canonical import canonical, differences

SERVICE_LINKED_ROLE = "/aws-service-role/batch.amazonaws.com/"

# Changed in place while everything goes on.
_IN_PLACE = (
    "state",
    "serviceRole",
    "updatePolicy",
    "unmanagedvCpus",
    "ecsSettings",
    "computeResources.minvCpus",
    "computeResources.maxvCpus",
    "computeResources.scalingPolicy",
)
_IN_PLACE_ON_FARGATE = ("computeResources.subnets", "computeResources.securityGroupIds")
# AWS can exchange the instances by itself, if role and strategies allow.
_INFRASTRUCTURE = tuple(
    f"computeResources.{name}"
    for name in (
        "allocationStrategy",
        "bidPercentage",
        "ec2Configuration",
        "ec2KeyPair",
        "imageId",
        "instanceRole",
        "instanceTypes",
        "launchTemplate",
        "placementGroup",
        "securityGroupIds",
        "subnets",
        "tags",
        "type",
    )
)
_UPDATABLE_STRATEGIES = frozenset(
    {
        "BEST_FIT_PROGRESSIVE",
        "BEST_FIT_PROGRESSIVE_ORDERED",
        "SPOT_CAPACITY_OPTIMIZED",
        "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED",
        "SPOT_PRICE_CAPACITY_OPTIMIZED",
    }
)
# Batch owns it after creation: it is only ever an initial value.
_NEVER = "computeResources.desiredvCpus"
# Where the spec is silent, AWS fills in a value of its own, which is then no difference.
_FILLED_IN = (
    "serviceRole",
    "computeResources.ec2Configuration",
    "computeResources.instanceTypes",
    "computeResources.instanceRole",
    "computeResources.securityGroupIds",
)
# What an update sends for a member that has left the spec: AWS's default.
_DEFAULTS: Mapping[str, Any] = {
    "state": "ENABLED",
    "updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30},
    "unmanagedvCpus": 0,
    "ecsSettings": {"containerInsights": "DISABLED"},
    "minvCpus": 0,
    "scalingPolicy": {"minScaleDownDelayMinutes": 0},
}


class Change(Enum):
    """Kinds of update, from the lightest to the heaviest."""

    NONE = "None"
    SCALING = "Scaling"
    INFRASTRUCTURE = "Infrastructure"
    REPLACEMENT = "Replacement"


@dataclass(frozen=True, slots=True)
class Differences:
    """The fields that differ: those changed in place, and those that take more.

    `left` are those that the spec is silent about, and that AWS has something of which it does not
    fill in by itself: they were in the spec once, or somebody else has set them.
    """

    in_place: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    change: Change = Change.NONE
    left: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(sorted((*self.in_place, *self.beyond)))


def compare(desired: Desired, observed: Observed) -> Differences:
    """What AWS would have to change, and how it can."""
    wanted = _as_aws_says_it(desired.content, observed.content)
    have = without_noops(observed.content)
    differing = differences(wanted, have, ignore=(_NEVER,))
    found = [path for path in differing if not _filled_in(path, wanted)]
    left = tuple(path for path in differing if path not in found and _is_set(path, observed))
    policies = ["updatePolicy" in canonical(content) for content in (wanted, have)]
    if policies == [False, True]:
        found.append("updatePolicy")  # not a member of a creation, so the comparison skips it
    crossing = "serviceRole" in found and crosses(str(wanted.get("serviceRole") or ""), observed)
    allowed = _in_place(desired, observed)
    in_place = tuple(
        path for path in found if _under(path, allowed) and not (path == "serviceRole" and crossing)
    )
    beyond = tuple(path for path in found if path not in in_place)
    return Differences(in_place, beyond, _change(desired, observed, in_place, beyond), left)


def update_request(desired: Desired, fields: tuple[str, ...]) -> dict[str, Any]:
    """UpdateComputeEnvironment's body for fields that change in place, and no others."""
    request: dict[str, Any] = {"computeEnvironment": desired.name}
    resources: dict[str, Any] = {}
    given = desired.content.get("computeResources") or {}
    for path in fields:
        first, _, rest = path.partition(".")
        if first == "computeResources":
            name = rest.partition(".")[0]
            resources[name] = given.get(name, _DEFAULTS.get(name))
        else:
            request[first] = desired.content.get(first, _DEFAULTS.get(first))
    if "updatePolicy" in request:
        # AWS keeps of a policy what an update does not name.
        request["updatePolicy"] = {**_DEFAULTS["updatePolicy"], **request["updatePolicy"]}
    if desired.managed and (resources or request.keys() - {"computeEnvironment", "state"}):
        # AWS refuses an update of a managed environment without any member of computeResources.
        resources.setdefault("maxvCpus", given["maxvCpus"])
    if resources:
        request["computeResources"] = resources
    return request


def left_words(observed: Observed, found: Differences) -> tuple[str, ...]:
    """A sentence for each field that left the spec and that AWS keeps."""
    role = str(observed.content.get("serviceRole", ""))
    return tuple(
        f"The spec names no serviceRole any more; AWS cannot go back to its service-linked role "
        f"and keeps {role}."
        if path == "serviceRole"
        else f"The spec says nothing of {path} any more; AWS keeps what it has."
        for path in found.left
    )


def changes_in_place(field: str, desired: Desired, observed: Observed) -> bool:
    """Whether AWS can change the field of this environment while everything goes on."""
    return _under(field, _in_place(desired, observed))


def crosses(role: str, observed: Observed) -> bool:
    """AWS cannot change a service-linked role into an ordinary one, or back."""
    return _service_linked({"serviceRole": role}) != _service_linked(observed.content)


def _in_place(desired: Desired, observed: Observed) -> tuple[str, ...]:
    both = {_resources(content).get("type") for content in (desired.content, observed.content)}
    return _IN_PLACE + (_IN_PLACE_ON_FARGATE if both <= FARGATE else ())


def role_request(role: str, observed: Observed) -> dict[str, Any]:
    """UpdateComputeEnvironment's body for the role alone, whatever else the spec says."""
    request: dict[str, Any] = {"computeEnvironment": observed.detail["computeEnvironmentName"]}
    request["serviceRole"] = role
    if observed.content.get("type") == "MANAGED":
        # AWS refuses an update of a managed environment without any member of computeResources.
        request["computeResources"] = {"maxvCpus": _resources(observed.content)["maxvCpus"]}
    return request


def _change(
    desired: Desired, observed: Observed, in_place: tuple[str, ...], beyond: tuple[str, ...]
) -> Change:
    if not beyond:
        return Change.SCALING if in_place else Change.NONE
    movable = all(_under(path, _INFRASTRUCTURE) for path in beyond)
    both = (desired.content, observed.content)
    strategies = all(
        _resources(content).get("allocationStrategy") in _UPDATABLE_STRATEGIES for content in both
    )
    linked = all(_service_linked(content) for content in both)
    return Change.INFRASTRUCTURE if movable and strategies and linked else Change.REPLACEMENT


def _service_linked(content: Mapping[str, Any]) -> bool:
    role = str(content.get("serviceRole") or "")
    return not role or SERVICE_LINKED_ROLE in role


def _filled_in(path: str, wanted: Mapping[str, Any]) -> bool:
    for filled in _FILLED_IN:
        if _under(path, (filled,)):
            first, _, rest = filled.partition(".")
            holder = _resources(wanted) if rest else wanted
            return (rest or first) not in holder
    return False


def _is_set(path: str, observed: Observed) -> bool:
    """Whether AWS has there what it would not have filled in by itself."""
    resources = _resources(observed.content)
    match path:
        case "serviceRole":
            return not _service_linked(observed.content)
        case "computeResources.ec2Configuration":
            return any(each.get("imageIdOverride") for each in resources["ec2Configuration"])
        case "computeResources.securityGroupIds":
            return True
        case _:
            return False  # types of instances, and a profile that no environment can be without


def _as_aws_says_it(content: Mapping[str, Any], observed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Roles by bare name written as the ARN that AWS made of it, if it is that one."""
    wanted = {**content}
    if "computeResources" in content:
        wanted["computeResources"] = _with_role(
            _resources(content), _resources(observed), "instanceRole"
        )
    return _with_role(wanted, observed, "serviceRole")


def _with_role(
    wanted: Mapping[str, Any], observed: Mapping[str, Any], name: str
) -> Mapping[str, Any]:
    have = str(observed.get(name) or "")
    if name in wanted and have.endswith(f"/{wanted[name]}"):
        return {**wanted, name: have}
    return wanted


def _resources(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return content.get("computeResources") or {}


def _under(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)
