"""Tags of all that Batch has, by ARN."""

from typing import Any

from awsbatch_simulator.batch.definitions import exact
from awsbatch_simulator.batch.limits import check_tags, refusal
from awsbatch_simulator.batch.model import Definition, Environment, Job, Policy, Queue
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
Tagged = Environment | Queue | Definition | Job | Policy


def tag(region: Region, request: Fields) -> Fields:
    """TagResource: the others stay."""
    thing = _found(region, request["resourceArn"])
    check_tags(request["tags"])
    check_tags(thing.tags | request["tags"])
    thing.tags.update(request["tags"])
    _changed(thing)
    return {}


def untag(region: Region, request: Fields) -> Fields:
    """UntagResource."""
    thing = _found(region, request["resourceArn"])
    for key in request["tagKeys"]:
        thing.tags.pop(key, None)
    _changed(thing)
    return {}


def list_tags(region: Region, request: Fields) -> Fields:
    """ListTagsForResource."""
    return {"tags": dict(_found(region, request["resourceArn"]).tags)}


def _changed(thing: Tagged) -> None:
    if isinstance(thing, Job):
        thing.fragment = None


def _found(region: Region, arn: str) -> Tagged:
    prefix = region.arn("batch", "")
    kind, _, rest = arn.removeprefix(prefix).partition("/")
    if not arn.startswith(prefix):
        raise refusal(f"Invalid resource ARN {arn[:200]}")
    store = region.batch
    found: Tagged | None = None
    match kind:
        case "compute-environment":
            found = store.environments.get(rest)
        case "job-queue":
            found = store.queues.get(rest)
        case "job-definition":
            found = exact(region, arn)
        case "scheduling-policy":
            found = store.policies.get(arn)
        case "job":
            if ":" in rest or "#" in rest:
                raise refusal("Child jobs cannot be tagged")
            found = store.jobs.get(rest)
        case _:
            raise refusal(f"Invalid resource ARN {arn[:200]}")
    if found is None:
        raise refusal(f"Resource {arn[:200]} does not exist")
    return found
