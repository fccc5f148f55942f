"""The SubmitJob request of a BatchJob, and the hash that tells whether it is still the same one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource, Shape, kept_of_spec
from awsbatch_operator.api.tags import RUN, Owner

HASH_VERSION = "v1"
REQUEST_BYTES = 30 * 1024  # user guide, "AWS Batch service quotas": SubmitJob's payload, 30 KiB
# ECS API reference, RunTask, overrides: "8192 characters and this includes the JSON formatting
# characters of the override structure". Batch accepts the job, and it fails when it is to start.
OVERRIDE_CHARACTERS = 8192
_LARGEST_TOLD = 3

# SubmitJob's members that a BatchJob passes through as they are (API reference of SubmitJob).
PASSED_THROUGH = (
    "arrayProperties",
    "consumableResourcePropertiesOverride",
    "containerOverrides",
    "ecsPropertiesOverride",
    "eksPropertiesOverride",
    "nodeOverrides",
    "parameters",
    "propagateTags",
    "retryStrategy",
    "schedulingPriorityOverride",
    "shareIdentifier",
    "timeout",
)
# What else says which job it is. A definition in the job counts as it is written there: in any
# canonical form, a newer operator with other rules for that would call all jobs changed.
_SAID = ("jobQueueRef", "jobDefinitionRef", "jobDefinition", "arrayValues", "packing")


def passed_through(spec: Shape) -> dict[str, Any]:
    """The part of the spec that goes into SubmitJob unchanged."""
    return {name: spec[name] for name in PASSED_THROUGH if name in spec}


@kept_of_spec
def request_hash(resource: Resource) -> str:
    """A hash of all that the user says about the submission.

    References count by what they name, not by what they resolve to: a new revision of the
    definition is not a new job. Tags do not count: they do not change what runs.
    """
    said = passed_through(resource.spec)
    said |= {name: resource.spec[name] for name in _SAID if name in resource.spec}
    if resource.spec.get("dependsOn"):  # by what they name; an empty list says nothing
        said["dependsOn"] = resource.spec["dependsOn"]
    text = canonical(said)
    if not text.isascii() or b"\x7f" in text:  # version 1 has these in escapes
        text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return f"{HASH_VERSION}:{hashlib.sha256(text).hexdigest()[:32]}"


def submit_request(
    *,
    fields: Shape,
    job_name: str,
    queue: str,
    definition: str,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The body of SubmitJob."""
    return {
        **fields,
        "jobName": job_name,
        "jobQueue": queue,
        "jobDefinition": definition,
        "tags": dict(tags),
    }


def too_long(request: Shape) -> Finding | None:
    """Whether AWS takes no request of this length, and what in it is long; None: it does.

    What counts is the body that botocore sends: JSON, with what is not ASCII in escapes.
    """
    total = _bytes(request)
    if total <= REQUEST_BYTES:
        return None
    sizes = sorted(((_bytes(value), name) for name, value in request.items()), reverse=True)
    parts = ", ".join(f"{name} {size} bytes" for size, name in sizes[:_LARGEST_TOLD])
    message = (
        f"The SubmitJob request would have {total} bytes, and AWS Batch takes {REQUEST_BYTES} at "
        f"most. Of these, {parts}. Nothing was sent."
    )
    return Finding(job_reasons.REQUEST_TOO_LONG, message)


def overrides_too_long(request: Shape) -> Finding | None:
    """Whether ECS surely starts no task with these overrides, and what in them is long.

    Batch adds variables of its own, so a request that passes here may still be too long. Jobs on
    EKS have no such bound.
    """
    longest = max(_overrides(request), key=override_characters, default={})
    total = override_characters(longest)
    if total <= OVERRIDE_CHARACTERS:
        return None
    parts = [(_characters(longest.get("command") or []), "command")]
    parts += [
        (_characters(each), f"variable {each.get('name')}")
        for each in longest.get("environment") or ()
    ]
    told = ", ".join(f"{name} {size}" for size, name in sorted(parts, reverse=True)[:_LARGEST_TOLD])
    message = (
        f"The overrides of a container would have {total} characters, and ECS starts a task with "
        f"{OVERRIDE_CHARACTERS} at most. Of these, {told}. Nothing was sent."
    )
    remedy = (
        "Shorten them: put long values into a file that the job reads by its index, or the command "
        "into a script of the image."
    )
    return Finding(job_reasons.REQUEST_TOO_LONG, message, remedy)


def _overrides(fields: Shape) -> list[Shape]:
    """The overrides of containers that run in ECS; of several nodes, those of each."""
    nodes = (fields.get("nodeOverrides") or {}).get("nodePropertyOverrides") or ()
    found = [
        each["containerOverrides"] for each in (fields, *nodes) if "containerOverrides" in each
    ]
    for holder in (fields, *nodes):
        tasks = (holder.get("ecsPropertiesOverride") or {}).get("taskProperties") or ()
        found += [each for task in tasks for each in task.get("containers") or ()]
    return found


def override_characters(override: Shape) -> int:
    """The least that ECS counts of it."""
    handed = {name: override[name] for name in ("command", "environment") if name in override}
    return _characters({"containerOverrides": [handed]}) if handed else 0


def _characters(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _bytes(value: Any) -> int:
    return len(json.dumps(value))


def job_tags(owner: Owner, run: int, user: Mapping[str, str]) -> dict[str, str]:
    """The user's tags and ours; ours say exactly which run of which object the job is."""
    return {**user, **owner.tags(), RUN: str(run)}
