"""Conformance: what AWS had before is taken over, by one owner, where the account allows it.

One world has all kinds at once, because starting it takes longer than what happens in it.
"""

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.made_elsewhere import (
    FOREIGN,
    SHARED,
    arn_of,
    described,
    make,
    spec_of,
    tags_of,
    tags_of_all,
)
from tests.support.manifests import (
    DEFAULT_ACCOUNT,
    DEFINITION,
    ENVIRONMENT,
    LASTING,
    POLICY,
    QUEUE,
    SPECS,
)

from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.tags import CLUSTER, CONTENT, KIND, NAME, ORIGIN, OWNER_UID
from awsbatch_operator.api.tags import NAMESPACE as NAMESPACE_TAG

MARKS = {CLUSTER, KIND, NAMESPACE_TAG, NAME, OWNER_UID, ORIGIN}
TAG = "batch:TagResource"
CHANGED = {
    ENVIRONMENT: manifests.environment(maxvCpus=64),
    QUEUE: manifests.queue(priority=77),
    DEFINITION: manifests.definition("other"),
    POLICY: manifests.policy("9"),
}


def allowing(**settings):
    return Installation(allow_adoption=True, **settings)


def elsewhere(key):
    """An object of the same name in another namespace."""
    return key._replace(namespace="other")


async def adopted(there, *keys, **changes):
    """Objects that have taken over what is there; forget the calls so far."""
    await make(there, *keys)
    for key in keys:
        there.apply(key, spec_of(key, **changes))
    await there.until_ready(*keys)
    there.calls.clear()


@pytest.mark.parametrize("policy", ["Adopt", "AdoptOrCreate"])
async def test_taking_over_adds_our_tags_and_changes_nothing_else(policy):
    there = allowing()
    await make(there, *LASTING)
    before = described(there)
    async with there.running():
        for key in LASTING:
            there.apply(key, spec_of(key, adoptionPolicy=policy))
        await there.until_ready(*LASTING)
        await there.clock.advance(700)
    assert there.changes() == [TAG] * len(LASTING)
    assert without_tags(described(there)) == without_tags(before)
    for key, tags in tags_of_all(there, *LASTING).items():
        body = there.kube.see(key)
        extra = {CONTENT} if key == DEFINITION else set()
        assert tags.keys() == MARKS | extra | FOREIGN.keys()
        assert (tags[NAME], tags[ORIGIN]) == (key.name, "Adopted")
        assert tags[OWNER_UID] == body["metadata"]["uid"]
        assert '"origin":"Adopted"' in body["metadata"]["annotations"][RESOLVED]
        assert body["status"]["arn"] == arn_of(there, key)
        assert body["status"]["deletionPolicy"] == "Retain"
        assert [reason for reason, _ in there.events(key)].count("Adopted") == 1


def without_tags(things):
    return {name: {**each, "tags": None} for name, each in things.items()}


async def test_what_the_spec_asks_for_is_changed_after_it_was_marked():
    there = allowing()
    await make(there, *LASTING)
    async with there.running():
        for key in LASTING:
            there.calls.clear()
            there.apply(key, spec_of(key) | CHANGED[key])
            await there.until_ready(key)
            update = [TAG, f"batch:Update{key.kind}"]
            wanted = ["batch:RegisterJobDefinition"] if key == DEFINITION else update
            assert there.changes() == wanted
    assert tags_of(there, DEFINITION) == FOREIGN, "the revision of others is touched"


async def test_under_report_what_the_spec_asks_for_is_only_listed_until_it_is_edited():
    there, keys = allowing(), [key for key in LASTING if key != DEFINITION]
    await make(there, *LASTING)
    before = described(there)
    async with there.running():
        for key in keys:
            there.apply(key, spec_of(key, driftPolicy="Report") | CHANGED[key])
        await there.until_ready(*keys)
        await there.clock.advance(700)
        assert there.changes() == [TAG] * len(keys)
        assert without_tags(described(there)) == without_tags(before)
        for key in keys:
            assert there.is_true(key, "Drifted")
            there.calls.clear()
            there.apply(key, spec_of(key, driftPolicy="Report", tags={"new": "one"}) | CHANGED[key])
            await there.clock.run_until(
                lambda key=key: f"batch:Update{key.kind}" in there.changes(), within=60
            )
            await there.until_ready(key)
            assert not there.is_true(key, "Drifted")


async def test_what_aws_is_at_work_on_is_shown_only_once_it_is_marked_and_then_only_listed():
    """Else the first look would count as a status of its own, and the rest be changed at once."""
    there = allowing()
    await make(there, ENVIRONMENT)
    there.aws().update_compute_environment(
        computeEnvironment=SHARED, computeResources={"instanceTypes": ["c7i.large"]}
    )
    shown = []
    async with there.running():
        there.kube.subscribe(lambda _, body: shown.append((body.get("status") or {}).get("arn")))
        there.apply(ENVIRONMENT, spec_of(ENVIRONMENT, driftPolicy="Report"))
        await there.until(ENVIRONMENT, "Reconciling", "Updating")
        assert set(shown) == {None}
        await there.until_ready(ENVIRONMENT, within=3600)
        await there.clock.advance(60)
        assert there.changes() == [TAG]
        assert there.is_true(ENVIRONMENT, "Drifted")


async def test_under_report_an_edit_mends_what_was_invalid_when_it_was_taken_over():
    there = allowing()
    await make(there, ENVIRONMENT)
    there.fault(effect="world", name="role_vanished")
    await there.clock.advance(120)
    async with there.running():
        there.apply(ENVIRONMENT, spec_of(ENVIRONMENT, driftPolicy="Report") | CHANGED[ENVIRONMENT])
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        await there.clock.advance(700)
        assert there.changes() == [TAG]
        assert there.is_true(ENVIRONMENT, "Drifted")
        there.apply(ENVIRONMENT, spec_of(ENVIRONMENT, driftPolicy="Report", state="DISABLED"))
        await there.clock.run_until(
            lambda: "batch:UpdateComputeEnvironment" in there.changes(), within=60
        )


async def test_adopt_waits_for_what_is_not_there_and_says_so():
    there = allowing()
    pool, second = ENVIRONMENT, ENVIRONMENT._replace(name="second")
    waiting = (second, QUEUE, DEFINITION, POLICY)
    async with there.running():
        there.apply(pool, SPECS[pool])
        await there.until_ready(pool)
        there.calls.clear()
        for key in waiting:
            there.apply(key, spec_of(key._replace(name=pool.name) if key == second else key))
        for key in waiting:
            message = await there.until(key, "Reconciling", "NothingToAdopt")
            assert f"{SHARED}, and adoptionPolicy Adopt makes none" in message
            assert "Make it in AWS" in message
        there.apply(POLICY, spec_of(POLICY, adoptionPolicy="AdoptOrCreate"))
        await there.until_ready(POLICY)
        await there.clock.advance(2000)
        assert there.changes() == ["batch:CreateSchedulingPolicy"]
        await make(there, second._replace(name=pool.name), QUEUE, DEFINITION)
        await there.until_ready(second, DEFINITION, within=300)
        await there.until_ready(QUEUE, within=300)


async def test_adopt_or_create_makes_what_is_not_there_and_removes_it():
    there = allowing()
    async with there.running():
        for key in LASTING:
            there.apply(key, spec_of(key, adoptionPolicy="AdoptOrCreate"))
        await there.until_ready(*LASTING)
        assert not any(ORIGIN in tags for tags in tags_of_all(there, *LASTING).values())
        for key in LASTING:
            assert there.status(key)["deletionPolicy"] == "Delete"
            there.kube.remove(key)
        await there.until_gone(*LASTING)
    assert described(there) == {}


async def test_without_leave_of_the_account_nothing_is_looked_at():
    there = Installation()
    await make(there, *LASTING)
    there.calls.clear()
    async with there.running():
        for key in LASTING:
            there.apply(key, spec_of(key))
        for key in LASTING:
            message = await there.until(key, "Stalled", "NotAllowed")
            assert "Set the operator's --allow-adoption to true" in message
        await there.clock.advance(60)
        assert not [call for call in there.calls if call.startswith("batch:")]


async def test_an_awsaccount_allows_it_and_its_objects_go_on_at_once():
    there = Installation()
    await make(there, POLICY)
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        there.apply(POLICY, spec_of(POLICY))
        message = await there.until(POLICY, "Stalled", "NotAllowed")
        assert "Set spec.allowAdoption of AWSAccount default to true" in message
        there.apply(DEFAULT_ACCOUNT, {"allowAdoption": True})
        await there.until_ready(POLICY, within=5)
        # What it has stays its own when the account allows nothing new.
        there.apply(DEFAULT_ACCOUNT, {"allowAdoption": False})
        there.apply(POLICY, spec_of(POLICY) | manifests.policy("9"))
        await there.until_ready(POLICY)
        assert there.changes()[-1] == "batch:UpdateSchedulingPolicy"


async def test_objects_that_go_leave_what_they_adopted_free_for_the_next_ones():
    there = allowing()
    async with there.running():
        await adopted(there, *LASTING)
        for key in LASTING:
            there.kube.remove(key)
        await there.until_gone(*LASTING, within=60)
        assert tags_of_all(there, *LASTING) == dict.fromkeys(LASTING, FOREIGN)
        for key in LASTING:
            told = [note for reason, note in there.events(key) if reason == "Retained"]
            assert "carries no tags of an owner (awsbatch.dev/…) any more" in told[-1]
        for key in LASTING:
            there.apply(elsewhere(key), spec_of(key))
        await there.until_ready(*map(elsewhere, LASTING))
    tags = tags_of_all(there, *LASTING)
    assert {each[NAMESPACE_TAG] for each in tags.values()} == {"other"}


async def test_what_was_adopted_is_deleted_if_the_object_says_so():
    there = allowing()
    async with there.running():
        await adopted(there, *LASTING, deletionPolicy="Delete")
        for key in LASTING:
            assert there.status(key)["deletionPolicy"] == "Delete"
            there.kube.remove(key)
        await there.until_gone(*LASTING, within=900)
    assert described(there) == {}


async def test_the_tag_that_says_what_was_adopted_is_put_back():
    """Of a revision, nobody else knows: without the tag it is one that we have registered."""
    there = allowing()
    async with there.running():
        await adopted(there, *LASTING)
        for key in LASTING:
            there.aws().untag_resource(resourceArn=arn_of(there, key), tagKeys=[ORIGIN])
        await there.clock.advance(300)
    assert there.changes().count(TAG) == len(LASTING) - 1
    without = [key for key, tags in tags_of_all(there, *LASTING).items() if ORIGIN not in tags]
    assert without == [DEFINITION]


async def test_a_deletion_that_retains_does_not_wait_for_a_right_to_take_tags_away():
    there = allowing()
    async with there.running():
        await adopted(there, POLICY)
        there.fault(effect="deny", service="batch", operation="UntagResource")
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=60)
        told = [note for reason, note in there.events(POLICY) if reason == "Retained"]
    assert "could not be removed" in told[-1]
    assert "Remove them before another object is to adopt it." in told[-1]
    assert tags_of(there, POLICY)[NAME] == POLICY.name


async def test_a_deletion_that_retains_waits_for_what_passes_by_itself():
    there = allowing()
    async with there.running():
        await adopted(there, POLICY)
        there.fault(effect="throttle", service="batch", operation="UntagResource", times=3)
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=300)
    assert tags_of(there, POLICY) == FOREIGN
