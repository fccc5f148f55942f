"""What an API server with our CRDs would refuse of a spec, and of a change of one."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.campaign.cel import CelError, asks_for_the_past, evaluate

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.crd import object_schema
from awsbatch_operator.schema.rules import RULES
from awsbatch_operator.schema.validate import problems, spec_problems

Spec = Mapping[str, Any]
Schema = Mapping[str, Any]

BY_KIND: Mapping[str, Any] = {resource.kind: resource for resource in RESOURCES}


@cache
def schema_of(kind: str) -> Schema:
    """The schema of a whole object of that kind."""
    return object_schema(BY_KIND[kind])


def refused(
    kind: str, spec: Spec, before: Spec | None = None, status: Spec | None = None
) -> list[str]:
    """What is wrong with creating it, or with it after `before`; empty if it is taken.

    `status` is what the object shows by then.
    """
    wrong = [str(problem) for problem in spec_problems(BY_KIND[kind], spec)]
    if wrong:
        return wrong  # an API server asks no rules either where a value has the wrong type
    shown = {} if status is None else {"status": status}
    old = None if before is None else {"spec": before, **shown}
    return list(_broken(schema_of(kind), {"spec": spec, **shown}, old, ""))


def may_follow(kind: str, before: Spec, spec: Spec) -> bool:
    """Whether a spec that could be created may also come after another such."""
    broken = _broken(schema_of(kind), {"spec": spec}, {"spec": before}, "", of_the_past=True)
    return not any(broken)


def fits(schema: Schema, value: Any) -> bool:
    """Whether a field's own schema allows the value, whatever stands around it."""
    return not any(problems(schema, value, "")) and not any(_broken(schema, value, None, ""))


def _broken(
    schema: Schema, value: Any, old: Any, path: str, *, of_the_past: bool = False
) -> Iterator[str]:
    """The rules that do not hold of the value, and of all that it contains.

    `of_the_past`: only those of transitions.
    """
    if of_the_past and old is None:
        return
    for rule in schema.get(RULES, ()):
        past = asks_for_the_past(rule["rule"])
        asked = old is not None if past else not of_the_past
        if asked and not _holds(rule["rule"], value, old):
            yield f"{path}: {rule['message']}"
    if isinstance(value, Mapping):
        properties, further = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            known = properties.get(name, further)
            if isinstance(known, Mapping):
                before = old.get(name) if isinstance(old, Mapping) else None
                here = f"{path}.{name}"
                yield from _broken(known, inner, before, here, of_the_past=of_the_past)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            before = _same_entry(schema, inner, old)
            here = f"{path}[{index}]"
            yield from _broken(schema["items"], inner, before, here, of_the_past=of_the_past)


def _holds(rule: str, value: Any, old: Any) -> bool:
    try:
        return evaluate(rule, value, old)
    except CelError:  # the API server refuses what it cannot evaluate
        return False


def _same_entry(schema: Schema, entry: Any, old: Any) -> Any:
    """The entry before it, where the list's keys say which one that was."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if not keys or not isinstance(old, list):
        return None
    mark = [entry.get(key) for key in keys]
    return next((one for one in old if [one.get(key) for key in keys] == mark), None)
