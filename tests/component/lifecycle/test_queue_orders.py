"""Conformance: the environments of a queue in any order, and its policy, exchanged in place."""

import itertools

import pytest
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE, SPECS, unmanaged

from awsbatch_operator.api.metadata import ObjectKey

UPDATE = ["batch:UpdateJobQueue"]
FIRST, SECOND = ("a", "b", "c"), ("d", "e", "f")
# One order after another: each permutation, what is put in at each place and taken out again, and
# all three exchanged at once, there and back.
ORDERS = (
    *itertools.permutations(FIRST),
    FIRST[:2],
    ("d", "a", "b"),
    ("a", "b"),
    ("a", "d", "b"),
    ("a",),
    ("b", "a"),
    FIRST,
    SECOND,
    FIRST[::-1],
)


def key(name: str, kind: str = "ComputeEnvironment") -> ObjectKey:
    return ObjectKey(kind, NAMESPACE, name)


def order_in_aws(there: Installation) -> list[str]:
    """AWS names of the queue's environments, first to last."""
    (found,) = there.aws().describe_job_queues()["jobQueues"]
    entries = sorted(found["computeEnvironmentOrder"], key=lambda entry: entry["order"])
    return [entry["computeEnvironment"].rpartition("/")[2] for entry in entries]


async def test_any_order_follows_any_other_by_one_call():
    there = Installation()
    environments = [key(name) for name in (*FIRST, *SECOND)]
    async with there.running():
        for each in environments:
            there.apply(each, unmanaged())
        there.apply(QUEUE, manifests.queue(*ORDERS[0]))
        await there.until_ready(QUEUE, *environments)
        for before, order in itertools.pairwise(ORDERS):
            there.calls.clear()
            there.apply(QUEUE, manifests.queue(*order))
            await there.until_ready(QUEUE)
            named = [there.status(key(name))["awsName"] for name in order]
            assert order_in_aws(there) == named, (before, order)
            assert there.changes() == UPDATE, (before, order)


async def test_a_policy_is_exchanged_by_one_call_and_the_one_before_is_free_to_go():
    there = Installation()
    other = key("fairer", "SchedulingPolicy")
    async with there.running():
        for each, spec in ((ENVIRONMENT, unmanaged()), (POLICY, SPECS[POLICY])):
            there.apply(each, spec)
        there.apply(other, manifests.policy("3"))
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": POLICY.name}))
        await there.until_ready(POLICY, other, QUEUE)
        there.calls.clear()
        arn = there.status(other)["arn"]
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"arn": arn}))
        await there.until_ready(QUEUE)
        assert there.changes() == UPDATE
        (found,) = there.aws().describe_job_queues()["jobQueues"]
        assert found["schedulingPolicyArn"] == arn
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=20)


async def test_a_policy_in_use_says_by_whose_queues_and_goes_when_they_have_gone():
    there = Installation()
    elsewhere = {"cluster": "lab-2", "namespace": "theirs", "name": "long"}
    tags = {f"awsbatch.dev/{name}": value for name, value in elsewhere.items()}
    async with there.running():
        there.apply(ENVIRONMENT, unmanaged())
        there.apply(POLICY, SPECS[POLICY])
        there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": POLICY.name}))
        await there.until_ready(POLICY, QUEUE)
        order = [{"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}]
        for name, made_by in (("plain", {"team": "x"}), ("marked", tags)):
            there.aws().create_job_queue(
                jobQueueName=name,
                priority=1,
                computeEnvironmentOrder=order,
                schedulingPolicyArn=there.status(POLICY)["arn"],
                tags=made_by,
            )
        there.calls.clear()
        await there.clock.advance(40)
        there.kube.remove(POLICY)
        message = await there.until(POLICY, "DeletionBlocked", "StillInUse", within=20)
        assert f"(JobQueue {NAMESPACE}/main)" in message
        assert "plain (no JobQueue of this operator)" in message
        assert "marked (JobQueue theirs/long of the cluster lab-2)" in message
        assert there.changes() == []
        for name in ("plain", "marked"):
            there.aws().update_job_queue(jobQueue=name, state="DISABLED")
            await there.clock.advance(10)
            there.aws().delete_job_queue(jobQueue=name)
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE, POLICY)


async def test_a_queue_that_names_its_environment_by_arn_and_goes_too_calls_for_nobody():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, unmanaged())
        await there.until_ready(ENVIRONMENT)
        reference = {"arn": there.status(ENVIRONMENT)["arn"]}
        entry = {"order": 1, "computeEnvironmentRef": reference}
        there.apply(QUEUE, manifests.queue(computeEnvironmentOrder=[entry]))
        await there.until_ready(QUEUE)
        there.fault(effect="deny", service="batch", operation="DeleteJobQueue")
        there.kube.remove(QUEUE)
        there.kube.remove(ENVIRONMENT)
        await there.until(QUEUE, "DeletionBlocked", "PermissionDenied")
        await there.clock.advance(30)
        assert there.is_true(ENVIRONMENT, "Reconciling", "WaitsForDeletions")
        there.mend()
        await there.until_gone(QUEUE, ENVIRONMENT)


QUOTA = {"quotaSharePolicy": {"idleResourceAssignmentStrategy": "FIFO"}}


@pytest.mark.parametrize("spec", [manifests.policy(), QUOTA, {}], ids=["fair", "quota", "neither"])
async def test_each_kind_of_policy_is_made_once_and_left_alone(spec):
    there = Installation()
    async with there.running():
        there.apply(POLICY, spec)
        await there.until_ready(POLICY)
        await there.clock.advance(700)
        assert there.changes() == ["batch:CreateSchedulingPolicy"]
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=10)
