"""Conformance: deletion in any order, AWS first; what blocks it is named; nothing foreign goes."""

import itertools

import pytest
from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey

JOB = ObjectKey("BatchJob", NAMESPACE, "run")


async def started(there, *keys, **specs):
    for key in keys:
        there.apply(key, specs.get(key.kind) or SPECS[key])
    await there.until_ready(*keys)
    there.calls.clear()


def left_in_aws(there):
    aws = there.aws()
    return {
        "environments": len(aws.describe_compute_environments()["computeEnvironments"]),
        "queues": len(aws.describe_job_queues()["jobQueues"]),
        "policies": len(aws.list_scheduling_policies()["schedulingPolicies"]),
        "definitions": len(aws.describe_job_definitions(status="ACTIVE")["jobDefinitions"]),
    }


NOTHING = {"environments": 0, "queues": 0, "policies": 0, "definitions": 0}


@pytest.mark.parametrize("order", tuple(itertools.permutations((ENVIRONMENT, QUEUE, POLICY))))
async def test_any_order_of_deletion_converges(order):
    there = Installation()
    queue = manifests.queue(schedulingPolicyRef={"name": "fair"})
    async with there.running():
        await started(there, *LASTING, JobQueue=queue)
        for key in (*order, DEFINITION):
            there.kube.remove(key)
            await there.clock.advance(1)
        await there.until_gone(*LASTING)
    assert left_in_aws(there) == NOTHING


async def test_an_environment_is_gone_only_when_aws_has_forgotten_it():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT)
        there.kube.remove(ENVIRONMENT)
        while left_in_aws(there)["environments"]:
            assert there.kube.exists(ENVIRONMENT)
            await there.clock.advance(1)
        await there.until_gone(ENVIRONMENT, within=10)
        await there.clock.advance(1)
    assert there.changes() == ["batch:UpdateComputeEnvironment", "batch:DeleteComputeEnvironment"]
    assert there.events(ENVIRONMENT)[-1][0] == "Deleted"


async def test_an_environment_in_use_names_the_queues_and_stays_enabled_for_their_jobs():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE)
        there.aws().create_job_queue(
            jobQueueName="theirs",
            priority=1,
            computeEnvironmentOrder=[
                {"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}
            ],
        )
        there.kube.remove(ENVIRONMENT)
        told = await there.until(ENVIRONMENT, "DeletionBlocked", "StillInUse")
        await there.clock.advance(60)  # what others make is seen by the next poll
        message = there.condition(ENVIRONMENT, "DeletionBlocked")["message"]
        assert f"(JobQueue {NAMESPACE}/main)" in message
        assert "theirs (no JobQueue of this operator)" in message
        assert there.changes() == []
        await there.clock.advance(1)
        assert there.events(ENVIRONMENT)[-1] == ("StillInUse", told)
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE)
        await there.clock.advance(30)
        assert "main" not in there.condition(ENVIRONMENT, "DeletionBlocked")["message"]
        aws = there.aws()
        aws.update_job_queue(jobQueue="theirs", state="DISABLED")
        await there.clock.advance(10)
        aws.delete_job_queue(jobQueue="theirs")
        await there.until_gone(ENVIRONMENT)
    assert left_in_aws(there) == NOTHING


async def test_a_queue_that_aws_still_shows_as_deleted_uses_nothing_and_its_name_is_free():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE)
        name = there.status(QUEUE)["awsName"]
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE)
        [shown] = there.aws().describe_job_queues(jobQueues=[name])["jobQueues"]
        assert shown["status"] == "DELETED"
        there.calls.clear()
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until_ready(QUEUE)
        assert there.changes() == ["batch:CreateJobQueue"]
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE)
        there.kube.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
        assert "StillInUse" not in {reason for reason, _ in there.events(ENVIRONMENT)}


async def test_an_environment_whose_role_went_first_says_so_and_goes_when_the_role_is_back():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT)
        there.fault(effect="world", name="role_vanished")
        there.kube.remove(ENVIRONMENT)
        message = await there.until(ENVIRONMENT, "DeletionBlocked", "EnvironmentInvalid")
        assert "is not authorized to perform: sts:AssumeRole on resource" in message
        assert "Make AWS Batch's service-linked role again" in message
        there.calls.clear()
        await there.clock.advance(500)
        assert there.changes() == []
        there.mend()
        await there.until_gone(ENVIRONMENT, within=120)
    assert left_in_aws(there) == NOTHING


async def submitted(there):
    """A job in the queue, past the operator."""
    job = there.aws().submit_job(
        jobName="long",
        jobQueue=there.status(QUEUE)["arn"],
        jobDefinition=there.status(DEFINITION)["arn"],
    )
    return job["jobId"]


async def test_a_queue_waits_for_its_jobs_and_counts_them():
    there = Installation()
    async with there.running():
        await started(there, ENVIRONMENT, QUEUE, DEFINITION)
        job = await submitted(there)
        there.kube.remove(QUEUE)
        message = await there.until(QUEUE, "DeletionBlocked", "JobsActive")
        assert message.startswith("The queue takes no new jobs and still has 1 ")
        assert there.changes() == ["batch:UpdateJobQueue"]
        there.aws().terminate_job(jobId=job, reason="enough")
        await there.until_gone(QUEUE)
    assert left_in_aws(there)["queues"] == 0


async def test_a_queue_whose_policy_is_terminate_does_not_wait_for_jobs():
    there = Installation()
    async with there.running():
        queue = manifests.queue(drain={"policy": "Terminate"})
        await started(there, ENVIRONMENT, QUEUE, DEFINITION, JobQueue=queue)
        job = await submitted(there)
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE)
    detail = there.aws().describe_jobs(jobs=[job])["jobs"][0]
    assert detail["status"] == "FAILED"


async def test_a_queue_ends_its_jobs_when_the_time_to_drain_is_over():
    there = Installation()
    async with there.running():
        queue = manifests.queue(drain={"policy": "Wait", "timeoutSeconds": 120})
        nowhere = {**SPECS[ENVIRONMENT], "state": "DISABLED"}  # the job would wait for ever
        await started(
            there, ENVIRONMENT, QUEUE, DEFINITION, JobQueue=queue, ComputeEnvironment=nowhere
        )
        await submitted(there)
        there.kube.remove(QUEUE)
        await there.until(QUEUE, "DeletionBlocked", "JobsActive")
        took = await there.until_gone(QUEUE)
    assert 100 <= took <= 200


async def test_retain_lets_the_object_go_and_leaves_aws_alone():
    there = Installation()
    async with there.running():
        await started(there, POLICY, SchedulingPolicy=manifests.policy(deletionPolicy="Retain"))
        assert there.status(POLICY)["deletionPolicy"] == "Retain"
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=1)
        await there.clock.advance(1)
    assert there.changes() == []
    assert left_in_aws(there)["policies"] == 1
    assert there.events(POLICY)[-1][0] == "Retained"


async def test_what_was_retained_is_taken_over_by_a_new_object_of_the_same_name():
    there = Installation()
    async with there.running():
        await started(there, POLICY, SchedulingPolicy=manifests.policy(deletionPolicy="Retain"))
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        await there.clock.advance(1)
        uid = there.kube.see(POLICY)["metadata"]["uid"]
        tags = there.aws().list_tags_for_resource(resourceArn=there.status(POLICY)["arn"])["tags"]
        assert tags["awsbatch.dev/owner-uid"] == uid
        assert there.changes() == ["batch:TagResource"]
        assert "Reowned" in [reason for reason, _ in there.events(POLICY)]
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
    assert left_in_aws(there)["policies"] == 0


async def test_an_object_that_was_deleted_before_anything_was_recorded_goes_at_once():
    there = Installation()
    async with there.running():
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until(QUEUE, "Reconciling", "ReferenceNotFound")
        there.kube.remove(QUEUE)
    assert there.gone(QUEUE)


async def test_deletion_of_what_somebody_deleted_in_aws_already_ends_at_once():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        there.aws().delete_scheduling_policy(arn=there.status(POLICY)["arn"])
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=1)
    assert there.changes() == []


async def test_an_object_that_broke_its_schema_is_deleted_all_the_same():
    there = Installation()
    async with there.running():
        await started(there, POLICY)
        body = there.kube.objects.get(POLICY)
        there.kube.objects.save(POLICY, {**body, "spec": {"fairsharePolicy": 7}})
        await there.until(POLICY, "Stalled", "InvalidSpec")
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
    assert left_in_aws(there)["policies"] == 0


async def test_something_foreign_of_the_same_name_is_refused_and_survives_our_deletion():
    there = Installation()
    aws = there.aws()
    theirs = aws.create_scheduling_policy(name="shared", fairsharePolicy={"shareDecaySeconds": 60})
    async with there.running():
        there.apply(POLICY, manifests.policy(awsName="shared"))
        message = await there.until(POLICY, "Stalled", "AlreadyExists")
        assert f"shared in account {ACCOUNT}, region eu-central-1" in message
        await there.clock.advance(1300)
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=1)
    assert there.changes() == []
    assert aws.describe_scheduling_policies(arns=[theirs["arn"]])["schedulingPolicies"]


async def test_a_second_object_for_the_same_aws_name_is_refused():
    there = Installation()
    second = ObjectKey("SchedulingPolicy", NAMESPACE, "second")
    async with there.running():
        there.apply(POLICY, manifests.policy(awsName="shared"))
        await there.until_ready(POLICY)
        there.apply(second, manifests.policy("3", awsName="shared"))
        await there.until(second, "Stalled", "AlreadyExists")
        there.kube.remove(second)
        await there.until_gone(second)
    assert left_in_aws(there)["policies"] == 1


async def test_another_cluster_with_the_same_names_is_foreign():
    there = Installation()
    async with there.running():
        await started(there, POLICY, SchedulingPolicy=manifests.policy(awsName="shared"))
    rival = Installation(simulator=there.simulator, cluster_id="another")
    async with rival.running():
        rival.apply(POLICY, manifests.policy("3", awsName="shared"))
        await rival.until(POLICY, "Stalled", "AlreadyExists")
    assert rival.changes() == []
