"""The values of the campaign: of every field, and none that the API server would refuse."""

from typing import Any

import pytest
from tests.campaign.admission import refused
from tests.campaign.bases import BASES
from tests.campaign.jobs import job_routes
from tests.campaign.routes import KINDS, Act, routes_of
from tests.campaign.values import Field, candidates, changes, fields, minimal, put, unfit

PROMISED = 1500
LASTING = [kind for kind in KINDS if kind != "BatchJob"]
# Fields that no value can be given in a spec of their own, and why.
ONLY_TOGETHER: dict[str, set[str]] = {
    **{kind: set() for kind in KINDS},
    "ComputeEnvironment": {"type"},  # with its resources, and fixed
    "JobDefinition": {
        "type",  # with its body
        # On EC2 AWS refuses them, or they go with the network of a task; nodes run on EC2 only.
        "containerProperties.instanceType",
        "ecsProperties.taskProperties[].networkMode",
        *(
            f"nodeProperties.nodeRangeProperties[].container.{name}"
            for name in (
                "ephemeralStorage.sizeInGiB",
                "fargatePlatformConfiguration.platformVersion",
                "networkConfiguration.assignPublicIp",
            )
        ),
        *(
            f"nodeProperties.nodeRangeProperties[].ecsProperties.taskProperties[].{name}"
            for name in (
                "ephemeralStorage.sizeInGiB",
                "networkConfiguration.assignPublicIp",
                "networkMode",
            )
        ),
    },
    "BatchJob": {
        *("fallback.when", "fallback.afterFailures"),  # with its queue
        "containerOverrides.instanceType",  # no job that takes these overrides has more nodes
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_base_is_taken_by_the_api_server(kind):
    assert {name: refused(kind, spec) for name, spec in BASES[kind].items()} == {
        name: [] for name in BASES[kind]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_changed_or_said_to_change_only_together_with_others(kind):
    changed = {change.field for change in changes(kind)}
    assert {field.name for field in fields(kind)} - changed == ONLY_TOGETHER[kind]


@pytest.mark.parametrize("kind", LASTING)
def test_every_step_but_a_mistake_is_taken_by_the_api_server(kind):
    for route in (route for change in changes(kind) for route in routes_of(change)):
        before = None
        for step in route.steps:
            if step.act is Act.DELETE:
                continue
            said = refused(kind, step.spec, before)
            assert bool(said) == step.unsound, (route.name, step.act, said)
            before = None if step.unsound else step.spec


@pytest.mark.parametrize("kind", KINDS)
def test_the_values_of_a_change_differ(kind):
    for change in changes(kind):
        specs = [spec for spec in (change.base, change.first, change.second) if spec is not None]
        assert all(one != other for one in specs for other in specs if one is not other)
        assert change.mistake != change.base, change.field


def test_the_whole_campaign_has_as_many_transitions_as_promised():
    lasting = sum(
        route.transitions
        for kind in LASTING
        for change in changes(kind)
        for route in routes_of(change)
    )
    of_jobs = sum(
        route.transitions for change in changes("BatchJob") for route in job_routes(change)
    )
    assert lasting + of_jobs >= PROMISED


SMALL: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "integer", "minimum": 4, "maximum": 9},
        "b": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "enum": ["x", "y"]},
                    "on": {"type": "boolean"},
                },
            },
        },
    },
}


@pytest.mark.parametrize(
    ("spec", "path", "place", "made"),
    [
        ({}, ("a",), 0, {"a": 7}),
        ({"a": 4}, ("b", "[]", "on"), 0, {"a": 4, "b": [{"name": "x", "on": 7}]}),
        ({"b": [{"name": "y"}]}, ("b", "[]", "on"), 0, {"b": [{"name": "y", "on": 7}]}),
        (
            {"b": [{"name": "y"}]},
            ("b", "[]", "name"),
            -1,
            {"b": [{"name": "y"}, {"name": 7}]},
        ),
    ],
)
def test_a_value_is_put_where_it_belongs_with_what_it_needs_beside_it(spec, path, place, made):
    assert put(spec, SMALL, path, 7, place) == made


def test_values_come_from_the_bounds_and_words_of_the_schema():
    field = Field("X", ("a",), SMALL["properties"]["a"])
    values = list(candidates(field.schema, field.path))
    assert set(values) == {4, 5, 9}
    assert unfit(field.schema) == 10
    assert minimal(SMALL, ()) == {"a": 4}
