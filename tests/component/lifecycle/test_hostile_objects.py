"""Whatever somebody who may write an object, or its status, says there: the watch goes on.

An error of whoever hears of an object ends the watch, and with it the operator, at each new start.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.support.one_process import Process, World, definitions
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey

QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"
# One that makes the listeners read as much of the status as they ever do.
SPECS: Mapping[str, Mapping[str, Any]] = {
    "BatchJob": {
        "jobQueueRef": {"arn": QUEUE},
        "jobDefinition": {"type": "container"},
        "arrayProperties": {"size": 10},
        "ttlSecondsAfterFinished": 60,
        "rerunPolicy": "OnChange",
        "retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "INDEXES"},
        "fallback": {"jobQueueRef": {"name": "other"}, "when": ["HostLost"], "afterFailures": 2},
        "dependsOn": [{"jobRef": {"name": "one"}}],
    },
    "ComputeEnvironment": {"capacity": {"pools": [{"name": "main"}]}},
}
ENDED = {"observedGeneration": 1, "run": 1, "awsStatus": "FAILED"}
# The API server checks a `date-time` by go-openapi's strfmt. Its pattern takes any character before
# the fraction, and any offset; its dates are Go's, which begin with the year 0.
TIMES = (
    "2027-01-15T08:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2027-01-15T08:00:00+99:99",
    "2027-01-15T08:00:00x5Z",
    "2027-01-15t08:00:00.123456789012z",
)
TEXTS = ("", "x", "FAILED", "HostLost", "Lost", QUEUE, "-1", "1-", "999999999", "nan", "1e999")
CONDITIONS = ("Complete", "Failed", "Suspended", "Paused")
ROUNDS = len(TIMES) * len(CONDITIONS)


def whole(schema: Mapping[str, Any], number: int, name: str = "") -> Any:
    """A value of the schema with all its members; which one, the number tells."""
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    match schema.get("type", "string"):
        case "object":
            made = {
                each: whole(child, number, each)
                for each, child in schema.get("properties", {}).items()
            }
            free = schema.get("additionalProperties")
            return made | ({"any": whole(free, number)} if isinstance(free, Mapping) else {})
        case "array" if name == "conditions":
            types = (CONDITIONS[number % len(CONDITIONS)], "Ready", "Stalled")
            one = whole(schema["items"], number)
            return [{**one, "type": each, "status": "True"} for each in types]
        case "array":
            return [whole(schema["items"], number)] * (number % 3)
        case "integer" | "number":
            return (schema.get("minimum", 0), 1, schema.get("maximum", 2**53))[number % 3]
        case "boolean":
            return bool(number % 2)
        case _ if schema.get("format") == "date-time":
            return TIMES[number % len(TIMES)]
        case _:
            return TEXTS[number % len(TEXTS)]


def lacking(value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """The value, each time without another of the members that the schema does not require."""
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name not in value:
                continue
            if name not in schema.get("required", ()):
                yield {other: kept for other, kept in value.items() if other != name}
            for less in lacking(value[name], child):
                yield {**value, name: less}
    elif isinstance(value, list) and value:
        for less in lacking(value[0], schema["items"]):
            yield [less] * len(value)


@pytest.mark.parametrize("part", ["status", "spec"])
@pytest.mark.parametrize("definition", definitions(), ids=lambda each: each.kind)
def test_nothing_that_the_crd_admits_ends_the_watch(definition, part):
    key = ObjectKey(definition.kind, "science" if definition.namespaced else "", "one")
    schema, versions = definition.schema["properties"][part], itertools.count(1)
    operator = Process(World(), on_client=lambda *_: None)
    for number in range(ROUNDS):
        most = whole(schema, number)
        fewer = lacking(most, schema) if part == "status" or number < 3 else ()
        for value in (most, *fewer):
            spec = SPECS.get(definition.kind, {}) if part == "status" else value
            status = {**value, **ENDED} if part == "status" else ENDED
            made = body(key, version=next(versions), spec=spec, status=status)
            operator.hear("MODIFIED", made)
