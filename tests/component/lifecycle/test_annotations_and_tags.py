"""Pausing, reconciling on demand, tags, and what is accepted and not honoured yet."""

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

PAUSE = {"awsbatch.dev/paused": "true"}
RESUME = {"awsbatch.dev/paused": None}
TAGS = ("team", "stage", "owner")


async def started(there, *keys, **specs):
    for key in keys:
        there.apply(key, specs.get(key.kind) or SPECS[key])
    await there.until_ready(*keys)
    there.calls.clear()


def tags_of(there, key):
    return there.aws().list_tags_for_resource(resourceArn=there.status(key)["arn"])["tags"]


async def test_nothing_is_changed_in_aws_while_an_object_is_paused_and_ready_keeps_its_value():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        before = there.condition(POLICY, "Ready")
        there.kube.annotate(POLICY, **PAUSE)
        await there.until(POLICY, "Paused")
        there.apply(POLICY, manifests.policy("9"))
        await there.clock.advance(1300)
        assert there.changes() == []
        assert there.condition(POLICY, "Ready") == before
        assert there.status(POLICY)["observedGeneration"] == 1
        there.kube.annotate(POLICY, **RESUME)
        await there.until_ready(POLICY, within=5)
    assert there.condition(POLICY, "Paused")["status"] == "False"
    assert there.changes() == ["batch:UpdateSchedulingPolicy"]


@pytest.mark.parametrize("text", ["yes", "True", "1", "", "no", "tru"])
async def test_whatever_is_not_false_pauses_and_is_never_ignored_silently(text):
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.kube.annotate(POLICY, **{"awsbatch.dev/paused": text})
        message = await there.until(POLICY, "Paused")
        there.apply(POLICY, manifests.policy("9"))
        await there.clock.advance(60)
        assert there.changes() == []
        told = text == "True" or f"{text!r}, which is neither 'true' nor 'false'" in message
        assert told, message
        there.kube.annotate(POLICY, **RESUME)
        await there.until_ready(POLICY, within=5)


@pytest.mark.parametrize("text", ["false", "False"])
async def test_what_is_set_to_false_goes_on_and_is_not_called_gone(text):
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.kube.annotate(POLICY, **PAUSE)
        await there.until(POLICY, "Paused")
        there.kube.annotate(POLICY, **{"awsbatch.dev/paused": text})
        await there.clock.advance(2)
        found = there.condition(POLICY, "Paused")
    assert found["status"] == "False"
    assert "gone" not in found["message"]


async def test_an_object_that_is_paused_from_the_start_makes_nothing():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY], annotations=dict(PAUSE))
        await there.until(POLICY, "Paused")
        await there.clock.advance(700)
        assert there.calls == []
        there.kube.annotate(POLICY, **RESUME)
        await there.until_ready(POLICY)


async def test_pausing_covers_deletion():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.kube.annotate(POLICY, **PAUSE)
        there.kube.remove(POLICY)
        await there.clock.advance(700)
        assert there.kube.exists(POLICY)
        assert there.changes() == []
        there.kube.annotate(POLICY, **RESUME)
        await there.until_gone(POLICY, within=5)


async def test_reconcile_at_has_aws_looked_at_at_once():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        arn = there.status(POLICY)["arn"]
        there.aws().update_scheduling_policy(arn=arn, fairsharePolicy={"shareDecaySeconds": 1})
        await there.clock.advance(5)
        assert there.changes() == []
        there.kube.annotate(POLICY, **{"awsbatch.dev/reconcile-at": "2027-01-01T00:00:00Z"})
        await there.clock.advance(0.5)
    assert there.changes() == ["batch:UpdateSchedulingPolicy"]


@pytest.mark.parametrize("key", LASTING)
async def test_tags_are_added_replaced_and_removed_in_place_and_foreign_ones_stay(key):
    there = Installation()
    async with there.running():
        if key == QUEUE:
            await started(there, ENVIRONMENT)
        there.apply(key, SPECS[key] | {"tags": {"team": "climate", "stage": "test"}})
        await there.until_ready(key)
        there.aws().tag_resource(resourceArn=there.status(key)["arn"], tags={"billing": "42"})
        there.calls.clear()
        there.apply(key, SPECS[key] | {"tags": {"team": "ocean", "owner": "kim"}})
        await there.until_ready(key)
        await there.clock.advance(700)
        found = tags_of(there, key)
        assert {name: found.get(name) for name in TAGS} == {
            "team": "ocean",
            "stage": None,
            "owner": "kim",
        }
        assert found["billing"] == "42"
        assert there.changes() == ["batch:TagResource", "batch:UntagResource"]


async def test_our_own_tags_are_put_back_if_somebody_takes_them_away():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.aws().untag_resource(
            resourceArn=there.status(POLICY)["arn"], tagKeys=["awsbatch.dev/owner-uid"]
        )
        await there.clock.run_until(lambda: bool(there.changes()), within=700)
        await there.clock.advance(1)
    assert "awsbatch.dev/owner-uid" in tags_of(there, POLICY)


async def test_a_tag_that_was_ours_stays_away_after_a_crash_between_the_calls():
    there = Installation()
    async with there.running():
        await started(there, POLICY, SchedulingPolicy=manifests.policy(tags={"team": "climate"}))
        there.fault(effect="drop_before", service="batch", operation="UntagResource", times=1)
        there.apply(POLICY, manifests.policy())
        await there.clock.advance(0.5)
    async with there.running():
        await there.until_ready(POLICY)
        await there.clock.advance(60)
    assert "team" not in tags_of(there, POLICY)


async def test_policies_that_say_what_is_usual_change_nothing():
    there = Installation()
    spec = manifests.policy(adoptionPolicy="Create", driftPolicy="Correct", deletionPolicy="Delete")
    async with there.running():
        await started(there, POLICY, DEFINITION, SchedulingPolicy=spec)


async def test_a_spec_that_an_older_crd_let_through_is_stalled_and_nothing_else():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        body = there.kube.objects.get(POLICY)
        there.kube.objects.save(POLICY, {**body, "spec": {"fairsharePolicy": 7, "unheard": 1}})
        message = await there.until(POLICY, "Stalled", "InvalidSpec")
        assert "spec.fairsharePolicy" in message
        assert "spec.unheard" in message
    assert there.changes() == []
