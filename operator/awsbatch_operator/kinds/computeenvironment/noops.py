"""Members of a spec that say nothing: AWS returns them, or takes them as if they were not there.

What a Describe call returns can be applied as a manifest, so these are accepted, and neither sent
nor compared. Sources: CreateComputeEnvironment's reference says of most members of computeResources
that Fargate has none of them; UpdatePolicy's, that AWS ignores it there; ComputeResourceUpdate's,
that an empty text takes a value away, and that `updateToLatestImageVersion` is false where nothing
is said.
"""

from collections.abc import Mapping
from typing import Any

FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})
LATEST_IMAGE = "updateToLatestImageVersion"
_COUNTS = frozenset({"minvCpus", "desiredvCpus"})


def without_noops(content: Mapping[str, Any]) -> dict[str, Any]:
    """AWS's members of a spec, or of what AWS describes, without those that say nothing."""
    kept = {name: value for name, value in content.items() if not _empty(value)}
    if kept.get("type") == "MANAGED" and not kept.get("unmanagedvCpus"):
        kept.pop("unmanagedvCpus", None)
    if kept.get("eksConfiguration"):
        kept.pop("ecsSettings", None)  # the API server lets only AWS's default pass beside it
    if "computeResources" in kept:
        kept["computeResources"] = _resources(kept["computeResources"])
        if kept["computeResources"].get("type") in FARGATE:
            kept.pop("updatePolicy", None)  # the API server lets only AWS's defaults pass
    return kept


def _resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    fargate = resources.get("type") in FARGATE
    return {
        name: [_entry(each) for each in value] if name == "ec2Configuration" else value
        for name, value in resources.items()
        if not _empty(value)
        and not (name == LATEST_IMAGE and value is False)
        and not (fargate and name in _COUNTS and value == 0)
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if not _empty(value)}


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)
