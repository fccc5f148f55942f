"""Conformance: uid, cluster and recorded ARN prove whose a thing is; the other tags are drift."""

import pytest
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, LASTING, QUEUE, SPECS
from tests.support.one_process import CLUSTER as TEST_CLUSTER

from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE, OWNER_UID

OURS = (NAME, NAMESPACE, KIND, OWNER_UID, CLUSTER)


def tags_of(there, arn):
    return there.aws().list_tags_for_resource(resourceArn=arn)["tags"]


async def standing(there, key):
    """The ARN of what the object has in AWS."""
    if key == QUEUE:
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
    there.apply(key, SPECS[key])
    await there.until_ready(key)
    return there.status(key)["arn"]


@pytest.mark.parametrize("key", LASTING, ids=lambda key: key.kind)
async def test_one_edited_tag_disowns_nothing_and_is_repaired(key):
    """With more rights than our policy gives: see the next test of the cluster's tag."""
    there = Installation(limited=False)
    async with there.running():
        arn = await standing(there, key)
        right = tags_of(there, arn)
        for tag in OURS:
            there.aws().tag_resource(resourceArn=arn, tags={tag: "edited"})
            await there.clock.run_until(lambda: tags_of(there, arn) == right, within=700)
            await there.clock.advance(60)
            assert there.ready(key), tag
            assert there.status(key)["arn"] == arn
        assert set(there.changes()) <= {
            "batch:TagResource",
            f"batch:Create{key.kind}",
            "batch:RegisterJobDefinition",
            "batch:CreateComputeEnvironment",
        }
        reasons = {reason for reason, _ in there.events(key)}
        assert not reasons & {"AlreadyExists", "Reowned", "NotOurs"}


@pytest.mark.parametrize("key", LASTING, ids=lambda key: key.kind)
@pytest.mark.parametrize("tag", OURS)
async def test_one_edited_tag_leaves_nothing_behind(key, tag):
    there = Installation(limited=tag != CLUSTER)
    async with there.running():
        arn = await standing(there, key)
        there.aws().tag_resource(resourceArn=arn, tags={tag: "edited"})
        there.kube.remove(key)
        await there.until_gone(key)
    assert "NotOurs" not in {reason for reason, _ in there.events(key)}
    assert there.changes()[-1].startswith(("batch:Delete", "batch:Deregister"))


@pytest.mark.parametrize("key", LASTING, ids=lambda key: key.kind)
async def test_by_our_own_policy_another_clusters_tag_is_not_taken_away_and_that_is_told(key):
    """deploy/iam: what carries another cluster's tag cannot be changed, by whatever mistake."""
    there = Installation()
    async with there.running():
        arn = await standing(there, key)
        there.aws().tag_resource(resourceArn=arn, tags={CLUSTER: "edited"})
        said = await there.until(key, "Stalled", "PermissionDenied", within=700)
        assert "batch:TagResource" in said
        there.kube.remove(key)
        await there.until(key, "DeletionBlocked", "PermissionDenied", within=700)
        there.aws().tag_resource(resourceArn=arn, tags={CLUSTER: TEST_CLUSTER})
        await there.until_gone(key, within=1000)


@pytest.mark.parametrize("key", LASTING, ids=lambda key: key.kind)
async def test_two_edited_proofs_disown_and_a_deletion_says_what_it_leaves(key):
    there = Installation()
    async with there.running():
        arn = await standing(there, key)
        aws_name = there.status(key)["awsName"]
        there.aws().tag_resource(resourceArn=arn, tags={OWNER_UID: "edited", CLUSTER: "edited"})
        await there.until(key, "Stalled", "AlreadyExists", within=700)
        assert "arn" not in there.status(key)
        there.calls.clear()
        await there.clock.advance(700)
        there.kube.remove(key)
        await there.until_gone(key)
        await there.clock.advance(5)
        assert there.changes() == []
        assert tags_of(there, arn)[OWNER_UID] == "edited"
    told = [
        event
        for event in there.kube.events.values()
        if event["reason"] == "NotOurs" and event["regarding"]["name"] == key.name
    ]
    assert [event["type"] for event in told] == ["Warning"]
    assert aws_name in told[0]["note"]


async def test_what_aws_still_shows_as_deleted_is_no_proof_that_it_is_there():
    there = Installation()
    async with there.running():
        await standing(there, ENVIRONMENT)
        name = there.status(ENVIRONMENT)["awsName"]
        there.kube.annotate(ENVIRONMENT, **{"awsbatch.dev/paused": "true"})
        aws = there.aws()
        aws.update_compute_environment(computeEnvironment=name, state="DISABLED")
        await there.clock.advance(10)
        aws.delete_compute_environment(computeEnvironment=name)
        await there.clock.advance(11)
        [shown] = aws.describe_compute_environments(computeEnvironments=[name])[
            "computeEnvironments"
        ]
        assert shown["status"] == "DELETED"
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady", within=10)
        await there.clock.advance(60)
        assert "batch:CreateJobQueue" not in there.calls
        there.kube.annotate(ENVIRONMENT, **{"awsbatch.dev/paused": None})
        await there.until_ready(ENVIRONMENT, QUEUE)
