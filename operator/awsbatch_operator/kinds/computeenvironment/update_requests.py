"""UpdateComputeEnvironment's bodies: what is sent for fields that differ (pure).

An empty value takes away what has left the spec; of members that cannot be empty, AWS's default is
sent. Sources: the members of ComputeResourceUpdate and UpdatePolicy in the API reference. Of
placementGroup, tags and bidPercentage it does not say how they are taken away; the empty value of
their kind, and AWS's default of 100 per cent, are ours (docs/decisions/0022).

`desiredvCpus` is never sent: "Batch modifies this value between the minimum and maximum values",
and refuses one that is less than what it has made of it by the time that the call arrives.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.members import (
    IMAGE_UPDATE,
    LAUNCHED,
    PROVIDER,
    RESOURCES,
    TAKEN_BACK,
    resources_of,
)
from awsbatch_operator.kinds.computeenvironment.noops import LATEST_IMAGE
from awsbatch_operator.kinds.computeenvironment.observed import Observed

# What an update sends for a member that has left the spec.
_DEFAULTS: Mapping[str, Any] = {
    "state": "ENABLED",
    "updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30},
    "unmanagedvCpus": 0,
    "ecsSettings": {"containerInsights": "DISABLED"},
    "minvCpus": 0,
    "scalingPolicy": {"minScaleDownDelayMinutes": 0},
    "bidPercentage": 100,
    "ec2Configuration": [],
    "ec2KeyPair": "",
    "imageId": "",
    "placementGroup": "",
    "securityGroupIds": [],
    "subnets": [],
    "tags": {},
}
# ManagedInstancesProvider: what its update does not know.
_NEVER_OF_PROVIDER = ("capacityOptionType", "fipsEnabled")


def update_request(desired: Desired, observed: Observed, fields: Iterable[str]) -> dict[str, Any]:
    """The body for fields that change in place, and no others."""
    request: dict[str, Any] = {"computeEnvironment": desired.name}
    resources: dict[str, Any] = {}
    for path in fields:
        first, _, rest = path.partition(".")
        if first == RESOURCES:
            name = rest.partition(".")[0]
            resources[name] = _member(name, desired, observed)
        elif first == "eksConfiguration":
            request[first] = {"accessEntry": _access_entry(desired)}
        else:
            request[first] = desired.content.get(first, _DEFAULTS.get(first))
    if "updatePolicy" in request:
        request["updatePolicy"] = update_policy(desired)
    if desired.managed and (resources or request.keys() - {"computeEnvironment", "state"}):
        # AWS refuses an update of a managed environment without any member of computeResources.
        resources.setdefault("maxvCpus", resources_of(desired.content)["maxvCpus"])
    if resources:
        request[RESOURCES] = resources
    return request


def infrastructure_request(
    desired: Desired, observed: Observed, fields: Iterable[str]
) -> dict[str, Any]:
    """The body that makes AWS exchange the instances because of these fields, and no others.

    The policy goes along: "running jobs are dispatched according to the update policy that's set in
    the UpdateComputeEnvironment action". So does the order for the newest image where the launch
    template changes, because AWS keeps the image of the template as it was without.
    """
    names = {path.partition(".")[2].partition(".")[0] for path in fields}
    latest = IMAGE_UPDATE in fields or ("launchTemplate" in names and not _own_image(desired))
    resources = {name: _member(name, desired, observed) for name in sorted(names - {LATEST_IMAGE})}
    if latest:
        resources[LATEST_IMAGE] = True
    request: dict[str, Any] = {"computeEnvironment": desired.name, RESOURCES: resources}
    if "updatePolicy" in desired.content:
        request["updatePolicy"] = update_policy(desired)
    return request


def role_request(role: str, observed: Observed) -> dict[str, Any]:
    """The body for the role alone, whatever else the spec says."""
    request: dict[str, Any] = {"computeEnvironment": observed.detail["computeEnvironmentName"]}
    request["serviceRole"] = role
    if observed.content.get("type") == "MANAGED":
        # AWS refuses an update of a managed environment without any member of computeResources.
        request[RESOURCES] = {"maxvCpus": resources_of(observed.content)["maxvCpus"]}
    return request


def update_policy(desired: Desired) -> dict[str, Any]:
    """The whole UpdatePolicy that the spec asks for: AWS keeps what an update does not name."""
    return {**_DEFAULTS["updatePolicy"], **desired.content.get("updatePolicy", {})}


def _member(name: str, desired: Desired, observed: Observed) -> Any:
    given = resources_of(desired.content)
    if name == "managedInstancesProvider":
        return _provider(given[name], resources_of(observed.content)[name])
    if name in given:
        return given[name]
    if name == "launchTemplate":
        have = resources_of(observed.content).get(name) or {}
        by_name = "launchTemplateId" not in have and "launchTemplateName" in have
        return {"launchTemplateName" if by_name else "launchTemplateId": ""}
    return _DEFAULTS[name]


def _provider(given: Mapping[str, Any], have: Mapping[str, Any]) -> Mapping[str, Any]:
    """AWS keeps of a provider what an update does not name, so defaults are sent for what left."""
    name = LAUNCHED.rpartition(".")[2]
    template, theirs = given.get(name) or {}, have.get(name) or {}
    kept = {each: value for each, value in template.items() if each not in _NEVER_OF_PROVIDER}
    return {
        **_taken_back(PROVIDER, given, have),
        **given,
        name: {**_taken_back(LAUNCHED, template, theirs), **kept},
    }


def _taken_back(
    holder: str, given: Mapping[str, Any], have: Mapping[str, Any]
) -> Mapping[str, Any]:
    """AWS's defaults of the holder's members that AWS has and the spec does not name."""
    defaults = {path.rpartition("."): value for path, value in TAKEN_BACK.items()}
    return {
        name: value
        for (within, _, name), value in defaults.items()
        if within == holder and name in have and name not in given
    }


def _access_entry(desired: Desired) -> Mapping[str, Any]:
    entry = desired.content["eksConfiguration"].get("accessEntry") or {}
    return {"desiredState": entry.get("desiredState", "INHERIT_FROM_CLUSTER")}


def _own_image(desired: Desired) -> bool:
    """Whether the spec names an image, so that AWS ignores the order for the newest one."""
    given = resources_of(desired.content)
    entries = given.get("ec2Configuration") or ()
    return bool(given.get("imageId")) or any(each.get("imageIdOverride") for each in entries)
