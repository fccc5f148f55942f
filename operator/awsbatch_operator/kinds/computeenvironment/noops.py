"""Members of a spec that say nothing: AWS returns them, or takes them as if they were not there.

What a Describe call returns can be applied as a manifest, so these are accepted, and neither sent
nor compared. Sources: CreateComputeEnvironment's reference says of most members of computeResources
that Fargate has none of them; UpdatePolicy's, that AWS ignores it there; ComputeResourceUpdate's,
that an empty text takes a value away. `updateToLatestImageVersion` is an order of an update, which
no description has; whether the spec wants it is asked of the spec itself.
"""

from collections.abc import Mapping
from typing import Any

FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})
LATEST_IMAGE = "updateToLatestImageVersion"
MANAGED_GROUP = "managedPlacementGroup"
IMAGE_STATUS = "batchImageStatus"
_NO_MEMBERS = frozenset({LATEST_IMAGE, MANAGED_GROUP})
_COUNTS = frozenset({"minvCpus", "desiredvCpus"})


def without_noops(content: Mapping[str, Any]) -> dict[str, Any]:
    """AWS's members of a spec, or of what AWS describes, without those that say nothing."""
    kept = {name: value for name, value in content.items() if not _empty(value)}
    if kept.get("unmanagedvCpus") == 0:  # as AWS shows what was taken back
        del kept["unmanagedvCpus"]
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
        and name not in _NO_MEMBERS
        and not (fargate and name in _COUNTS and value == 0)
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in entry.items() if not _empty(value) and name != IMAGE_STATUS
    }


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)
