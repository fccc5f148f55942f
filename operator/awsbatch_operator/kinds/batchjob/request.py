"""The SubmitJob request of a BatchJob, and the hash that tells whether it is still the same one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.tags import RUN, Owner

HASH_VERSION = "v1"

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
_REFERENCES = ("jobQueueRef", "jobDefinitionRef")


def passed_through(spec: Shape) -> dict[str, Any]:
    """The part of the spec that goes into SubmitJob unchanged."""
    return {name: spec[name] for name in PASSED_THROUGH if name in spec}


def request_hash(resource: Resource) -> str:
    """A hash of all that the user says about the submission.

    References count by what they name, not by what they resolve to: a new revision of the
    definition is not a new job. Tags do not count: they do not change what runs.
    """
    said = passed_through(resource.spec)
    said |= {name: resource.spec[name] for name in _REFERENCES if name in resource.spec}
    text = canonical(said)
    if not text.isascii():  # version 1 has it in escapes
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


def job_tags(owner: Owner, run: int, user: Mapping[str, str]) -> dict[str, str]:
    """The user's tags and ours; ours say exactly which run of which object the job is."""
    return {**user, **owner.tags(), RUN: str(run)}
