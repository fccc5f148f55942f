"""Each remedy that the message of a JobQueue which does not come about gives is carried out."""

from tests.component.remedies.faults import happens_and_heals
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE, best_fit, environment
from tests.support.remedies.environments import REFUSED
from tests.support.remedies.queues import QUEUES
from tests.support.remedies.rows import queue, table


@table(QUEUES)
async def test_a_queue_that_does_not_come_about_is_mended_as_it_says(fault):
    await happens_and_heals(fault)


async def test_a_new_queue_takes_an_environment_that_is_valid_although_its_object_is_stalled():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, best_fit())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]) | REFUSED)
        await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        there.apply(QUEUE, queue())
        await there.until_ready(QUEUE, within=30)


async def test_a_new_queue_takes_a_policy_that_aws_has_although_its_object_is_stalled():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        there.apply(POLICY, manifests.policy())
        await there.until_ready(ENVIRONMENT, POLICY)
        there.fault(effect="deny", service="batch", operation="UpdateSchedulingPolicy")
        there.apply(POLICY, manifests.policy("9"))
        await there.until(POLICY, "Stalled", "PermissionDenied")
        there.apply(QUEUE, queue(schedulingPolicyRef={"name": "fair"}))
        await there.until_ready(QUEUE, within=30)


async def test_no_new_queue_is_built_on_an_environment_that_is_going():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        there.fault(effect="deny", service="batch", operation="UpdateComputeEnvironment")
        there.kube.remove(ENVIRONMENT)
        await there.until(ENVIRONMENT, "DeletionBlocked", "PermissionDenied")
        there.apply(QUEUE, queue())
        message = await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        assert "is being deleted" in message
        await there.clock.advance(60)
    assert "batch:CreateJobQueue" not in there.calls


async def test_a_queue_goes_on_when_its_environment_becomes_valid_though_that_stays_stalled():
    """Only what AWS says of it changes then: Stalled stays True, for another reason."""
    there = Installation()
    kept = {"deletionPolicy": "Retain"} | REFUSED
    async with there.running():
        there.apply(ENVIRONMENT, best_fit() | kept)
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]) | kept)
        await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        there.fault(effect="world", name="role_vanished")
        await there.clock.run_until(
            lambda: there.status(ENVIRONMENT)["awsStatus"] == "INVALID", within=300
        )
        there.apply(QUEUE, queue())
        await there.until(QUEUE, "Reconciling", "ReferenceNotReady")
        there.mend()
        await there.clock.run_until(
            lambda: there.status(ENVIRONMENT)["awsStatus"] == "VALID", within=300
        )
        await there.until_ready(QUEUE, within=20)
        assert there.is_true(ENVIRONMENT, "Stalled", "ReplacementNeeded")
