"""Conformance: trouble that stays is met with patience, in calls and in writes."""

import pytest
from tests.support.installation import Installation
from tests.support.manifests import LASTING, POLICY, SPECS

HOUR = 3600.0


async def ready(there):
    for key in LASTING:
        there.apply(key, SPECS[key])
    await there.until_ready(*LASTING, within=900)


@pytest.mark.parametrize(
    "operation", ["UpdateJobQueue", "DeleteSchedulingPolicy", "DeregisterJobDefinition"]
)
async def test_a_deletion_that_is_denied_is_tried_again_more_and_more_rarely(operation):
    there = Installation()
    async with there.running():
        await ready(there)
        there.fault(effect="deny", service="batch", operation=operation)
        for key in LASTING:
            there.kube.remove(key)
        await there.clock.advance(60)
        before = there.calls.count(f"batch:{operation}")
        await there.clock.advance(HOUR)
        assert 5 <= there.calls.count(f"batch:{operation}") - before <= 18  # with the resyncs
        there.mend()
        await there.until_gone(*LASTING, within=1800)


@pytest.mark.parametrize("effect", ["drop_before", "error"])
async def test_a_change_whose_answers_get_lost_is_made_more_and_more_rarely(effect):
    there = Installation()
    async with there.running():
        await ready(there)
        there.fault(effect=effect, service="batch", operation="Delete*", status=500)
        there.kube.remove(POLICY)
        there.kube.remove(LASTING[1])
        await there.clock.advance(60)
        before = len(there.changes())
        await there.clock.advance(HOUR)
        assert len(there.changes()) - before < 60
        there.mend()
        await there.until_gone(POLICY, LASTING[1], within=900)
