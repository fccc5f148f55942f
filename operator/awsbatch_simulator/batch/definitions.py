"""The operations on job definitions."""

from hashlib import sha256
from typing import Any

from awsbatch_simulator.batch import stored_form
from awsbatch_simulator.batch.definition_rules import check_definition
from awsbatch_simulator.batch.limits import (
    DEFINITION_BYTES,
    REVISION,
    answer,
    check_name,
    check_size,
    check_tags,
    page,
    refusal,
)
from awsbatch_simulator.batch.model import Definition
from awsbatch_simulator.region import Region

Fields = dict[str, Any]


def register(region: Region, request: Fields) -> Fields:
    """RegisterJobDefinition: each call makes a revision, of the same content too."""
    name = request["jobDefinitionName"]
    check_name(name, "jobDefinitionName")
    check_tags(request.get("tags", {}))
    check_size(request, DEFINITION_BYTES, "Job definition")
    check_definition(request)
    store = region.batch
    revision = store.last_revision[name] = store.last_revision.get(name, 0) + 1
    definition = Definition(
        name=name,
        arn=region.arn("batch", f"job-definition/{name}:{revision}"),
        revision=revision,
        content=stored_form.definition(request),
        tags=dict(request.get("tags", {})),
    )
    store.definitions.setdefault(name, {})[revision] = definition
    return {
        "jobDefinitionName": name,
        "jobDefinitionArn": definition.arn,
        "revision": revision,
    }


def deregister(region: Region, request: Fields) -> Fields:
    """DeregisterJobDefinition: INACTIVE now, forgotten after 180 days."""
    definition = exact(region, request["jobDefinition"])
    if definition is None:
        raise refusal(f"{request['jobDefinition'][:200]} does not exist")
    if definition.active:
        definition.active = False
        delay = region.world.settings.delays.definition_forgotten
        region.world.clock.call_after(delay, _forget, region, definition)
    return {}


def _forget(region: Region, definition: Definition) -> None:
    revisions = region.batch.definitions[definition.name]
    revisions.pop(definition.revision, None)
    if not revisions:
        del region.batch.definitions[definition.name]


def _parsed(region: Region, reference: str) -> tuple[str, int | None] | None:
    """Name and revision of `name`, `name:revision` or an ARN with or without revision.

    None if it is none of these, or the ARN of another account or region.
    """
    own = region.arn("batch", "job-definition/")
    found = REVISION.fullmatch(reference.removeprefix(own))
    if found is None:
        return None
    return found[1], int(found[2]) if found[2] else None


def exact(region: Region, reference: str) -> Definition | None:
    """One revision by `name:revision` or by its ARN."""
    name, revision = _parsed(region, reference) or ("", None)
    return region.batch.definitions.get(name, {}).get(revision or 0)


def for_submission(region: Region, reference: str) -> Definition:
    """The revision that a job would use: the latest ACTIVE one where none is named."""
    name, revision = _parsed(region, reference) or ("", 0)
    if revision is None:
        active = [each for each in _revisions(region, name) if each.active]
        found = active[-1] if active else None
    else:
        found = exact(region, reference)
    if found is None:
        raise refusal(f"JobDefinition {reference[:200]} not found.")
    if not found.active:
        raise refusal(f"JobDefinition {reference[:200]} is INACTIVE.")
    return found


def _revisions(region: Region, name: str) -> list[Definition]:
    revisions = region.batch.definitions.get(name, {})
    return [revisions[number] for number in sorted(revisions)]


def describe(region: Region, request: Fields) -> Fields:
    """DescribeJobDefinitions: by exact revisions, by name, by status, or all.

    The API reference names no order, so there is none here on which anybody could come to rely.
    """
    references = request.get("jobDefinitions")
    if references:
        if {"jobDefinitionName", "status", "maxResults", "nextToken"} & request.keys():
            raise refusal("JobDefinitions can't be used with other parameters")
        found = {each.arn: each for name in references if (each := exact(region, name))}
        return answer("jobDefinitions", [_described(each) for each in found.values()], None)
    name = request.get("jobDefinitionName")
    status = request.get("status")
    names = [name] if name else list(region.batch.definitions)
    matching = [
        (sha256(each.arn.encode()).hexdigest(), each)
        for known in names
        for each in _revisions(region, known)
        if status is None or status == ("ACTIVE" if each.active else "INACTIVE")
    ]
    shown, token = page(matching, request)
    return answer("jobDefinitions", [_described(each) for each in shown], token)


def _described(definition: Definition) -> Fields:
    return {
        **definition.content,
        "jobDefinitionName": definition.name,
        "jobDefinitionArn": definition.arn,
        "revision": definition.revision,
        "status": "ACTIVE" if definition.active else "INACTIVE",
        "tags": definition.tags,
    }
