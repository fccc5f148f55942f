"""Conformance: nobody uses, through an object of their own, what belongs to another namespace."""

import pytest
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

THEIRS = ObjectKey("ComputeEnvironment", "other", "theirs")
CLAIM = ObjectKey("ComputeEnvironment", NAMESPACE, "claim")
THEIR_POLICY = ObjectKey("SchedulingPolicy", "other", "theirs")
POLICY_CLAIM = ObjectKey("SchedulingPolicy", NAMESPACE, "claim")
SHARED = {**manifests.environment(), "awsName": "shared"}
SHARED_POLICY = manifests.policy("3", awsName="shared")


def in_use(there):
    """What the queue uses in AWS: the environments of its order, and its policy."""
    (queue,) = there.aws().describe_job_queues()["jobQueues"]
    order = [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
    return order, queue.get("schedulingPolicyArn")


async def claimed(there, theirs=THEIRS, claim=CLAIM, spec=SHARED):
    """Another namespace has something, and an object of ours claims its name."""
    there.apply(theirs, spec)
    await there.until_ready(theirs)
    there.apply(claim, spec)
    message = await there.until(claim, "Stalled", "AlreadyExists")
    assert f"it belongs to {theirs}" in message
    assert "arn" not in there.status(claim)


@pytest.mark.parametrize("order", [("claim",), ("pool", "claim"), ("claim", "pool")])
async def test_a_queue_that_stands_is_not_changed_to_use_what_a_claim_does_not_have(order):
    there = Installation()
    async with there.running():
        await claimed(there)
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until_ready(QUEUE)
        before = in_use(there)
        there.apply(QUEUE, manifests.queue(*order))
        message = await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        assert f"{CLAIM} is not Ready yet" in message
        await there.clock.advance(1300)
        assert in_use(there) == before
        assert not there.ready(QUEUE)
        there.kube.remove(THEIRS)  # nothing of ours holds it up
        await there.until_gone(THEIRS)
        await there.until_ready(CLAIM, QUEUE)
        assert there.status(CLAIM)["arn"] in in_use(there)[0]


async def test_no_queue_is_made_over_what_a_claim_does_not_have():
    there = Installation()
    async with there.running():
        await claimed(there)
        there.apply(QUEUE, manifests.queue("claim"))
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        await there.clock.advance(1300)
        assert there.aws().describe_job_queues()["jobQueues"] == []


async def test_the_policy_of_a_queue_that_stands_is_not_changed_to_anothers():
    there = Installation()
    async with there.running():
        await claimed(there, THEIR_POLICY, POLICY_CLAIM, SHARED_POLICY)
        for key in (ENVIRONMENT, POLICY):
            there.apply(key, SPECS[key])
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": POLICY.name}))
        await there.until_ready(QUEUE)
        before = in_use(there)
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": "claim"}))
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        await there.clock.advance(1300)
        assert in_use(there) == before
        there.kube.remove(THEIR_POLICY)
        await there.until_ready(POLICY_CLAIM, QUEUE)
        assert in_use(there)[1] == there.status(POLICY_CLAIM)["arn"]


async def test_no_queue_is_made_with_anothers_policy():
    there = Installation()
    async with there.running():
        await claimed(there, THEIR_POLICY, POLICY_CLAIM, SHARED_POLICY)
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": "claim"}))
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        await there.clock.advance(1300)
        assert there.aws().describe_job_queues()["jobQueues"] == []


async def lost_to_another(there):
    """A claim had its own environment; it was deleted in AWS, and another took the name."""
    there.apply(CLAIM, SHARED)
    await there.until_ready(CLAIM)
    there.kube.annotate(CLAIM, **{PAUSED: "true"})
    aws = there.aws()
    aws.update_compute_environment(computeEnvironment="shared", state="DISABLED")
    await there.clock.advance(20)
    aws.delete_compute_environment(computeEnvironment="shared")
    await there.clock.advance(120)
    there.apply(THEIRS, SHARED)
    await there.until_ready(THEIRS)
    there.kube.annotate(CLAIM, **{PAUSED: None})


async def test_a_claim_that_once_had_its_own_environment_lends_no_other():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until_ready(QUEUE)
        before = in_use(there)
        await lost_to_another(there)
        message = await there.until(CLAIM, "Stalled", "AlreadyExists", within=60)
        assert f"it belongs to {THEIRS}" in message
        assert "arn" not in there.status(CLAIM)
        there.apply(QUEUE, manifests.queue("claim"))
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        await there.clock.advance(1300)
        assert in_use(there) == before
        there.kube.remove(CLAIM)
        await there.until_gone(CLAIM)
        await there.clock.advance(5)
        assert there.ready(THEIRS)
        reason, note = there.events(CLAIM)[-1]
        assert reason == "NotOurs"
        assert "shared" in note


async def test_a_claim_shows_and_edits_nothing_of_anothers():
    there = Installation()
    async with there.running():
        await lost_to_another(there)
        await there.until(CLAIM, "Stalled", "AlreadyExists", within=60)
        there.calls.clear()
        there.apply(CLAIM, {**SHARED, "tags": {"team": "ours"}})
        await there.clock.advance(1300)
        assert there.changes() == []
        assert there.ready(THEIRS)


@pytest.mark.parametrize(("key", "spec"), [(THEIRS, SHARED), (THEIR_POLICY, SHARED_POLICY)])
async def test_the_end_of_the_holder_wakes_the_claimant_at_once(key, spec):
    there = Installation()
    claim = ObjectKey(key.kind, NAMESPACE, "claim")
    async with there.running():
        await claimed(there, key, claim, spec)
        there.calls.clear()
        there.kube.remove(key)
        await there.until_gone(key)
        await there.clock.run_until(lambda: f"batch:Create{key.kind}" in there.calls, within=1)
        await there.until_ready(claim)


async def test_a_name_that_becomes_free_in_aws_is_noticed_within_a_minute():
    there = Installation()
    aws = there.aws()
    theirs = aws.create_scheduling_policy(name="shared", fairsharePolicy={})
    async with there.running():
        there.apply(POLICY, manifests.policy(awsName="shared"))
        message = await there.until(POLICY, "Stalled", "AlreadyExists")
        assert "nobody has marked it as its own" in message
        await there.clock.advance(900)
        aws.delete_scheduling_policy(arn=theirs["arn"])
        await there.until_ready(POLICY, within=60)


async def test_the_name_of_an_environment_that_becomes_free_is_noticed_within_a_minute():
    there = Installation()
    aws = there.aws()
    aws.create_compute_environment(computeEnvironmentName="shared", **manifests.unmanaged())
    await there.clock.advance(20)
    aws.update_compute_environment(computeEnvironment="shared", state="DISABLED")
    async with there.running():
        there.apply(CLAIM, SHARED)
        await there.until(CLAIM, "Stalled", "AlreadyExists")
        await there.clock.advance(900)
        aws.delete_compute_environment(computeEnvironment="shared")
        while aws.describe_compute_environments()["computeEnvironments"]:
            assert there.changes() == []
            await there.clock.advance(1)
        await there.clock.run_until(
            lambda: "batch:CreateComputeEnvironment" in there.calls, within=60
        )
