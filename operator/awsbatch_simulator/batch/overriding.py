"""A definition's container with what a job overrides of it. Source: ContainerOverrides."""

from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_simulator.batch import stored_form
from awsbatch_simulator.batch.container_rules import (
    DEPRECATED,
    check_environment,
    check_not_deprecated,
    requirements,
)
from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.batch.model import FARGATE

Fields = dict[str, Any]


def merged_container(base: Fields, overrides: Mapping[str, Any], *, platform: str) -> Fields:
    """The container with the overrides: lists by key, the command as a whole.

    What no override touches is the definition's own, for there may be 100,000 jobs of it; so
    nothing of a container is ever changed.
    """
    if not overrides:
        return base
    container = dict(base)
    check_environment(overrides.get("environment", ()))
    if platform == FARGATE:
        check_not_deprecated(overrides)
    if "" in (overrides.get("command") or ()):
        raise refusal("containerOverrides.command can't contain an empty string")
    if overrides.get("command"):
        container["command"] = overrides["command"]
    if overrides.get("environment"):
        variables = _merged(container["environment"], overrides["environment"], "name")
        container["environment"] = stored_form.variables(variables)
    _override_sizes(container, overrides)
    return container


def _override_sizes(container: Fields, overrides: Mapping[str, Any]) -> None:
    """By resourceRequirements, whatever the definition has; by vcpus and memory only of such.

    Source: ContainerOverrides.vcpus and .memory.
    """
    listed = overrides.get("resourceRequirements") or ()
    wanted = requirements({"resourceRequirements": listed})
    if listed:
        container["resourceRequirements"] = _merged(
            container["resourceRequirements"], listed, "type"
        )
    known = {entry["type"] for entry in container["resourceRequirements"]}
    for old, new in DEPRECATED.items():
        if new in wanted:
            container.pop(old, None)
        elif overrides.get(old) and new not in known:
            container[old] = overrides[old]


def _merged(base: Sequence[Fields], changes: Sequence[Fields], key: str) -> list[Fields]:
    merged = {entry.get(key): entry for entry in base}
    merged.update({entry.get(key): entry for entry in changes})
    return list(merged.values())
