"""Conformance: a definition of every shape is registered once, whatever the operator remembers."""

from typing import Any

import pytest
from tests.component.lifecycle.test_definitions import DEREGISTER, REGISTER, active
from tests.support.answer_forms import (
    APP,
    EXECUTION,
    INIT,
    MAIN,
    NEEDS,
    ROUTER,
    container,
    limited,
    nodes,
    pod,
    task,
)
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION


def needing(*containers: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**each, "resourceRequirements": NEEDS} for each in containers]


SHAPES: dict[str, dict[str, Any]] = {
    "container": container(environment=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]),
    "Fargate": container(executionRoleArn=EXECUTION) | {"platformCapabilities": ["FARGATE"]},
    "several containers": task(*needing(APP, ROUTER, INIT)),
    "nodes": nodes(
        {"targetNodes": "0:0", "container": MAIN}, {"targetNodes": "1:", "container": MAIN}
    ),
    "pod": pod(limited()),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_definition_of_any_shape_is_registered_once_and_once_more_when_it_changes(shape):
    there = Installation()
    spec = {**SHAPES[shape], "keepRevisions": 1}
    async with there.running():
        there.apply(DEFINITION, spec)
        await there.until_ready(DEFINITION)
        await there.clock.advance(700)
        assert there.changes() == [REGISTER]
    body = there.kube.objects.get(DEFINITION)
    there.kube.objects.save(DEFINITION, {**body, "status": {"observedGeneration": -1}})
    there.calls.clear()
    async with there.running():
        await there.until_ready(DEFINITION)
        await there.clock.advance(700)
        assert there.changes() == [], "what AWS describes was taken for another content"
        there.apply(DEFINITION, {**spec, "parameters": {"input": "a"}})
        await there.until_ready(DEFINITION)
        await there.clock.advance(10)
        assert there.changes() == [REGISTER, DEREGISTER]
        assert active(there) == [2]
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
    assert active(there) == []
