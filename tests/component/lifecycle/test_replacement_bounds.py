"""What a replacement waits for, is forbidden by, and leaves: queues of others, limits, policies."""

from typing import Any

import pytest
from tests.component.batchjob import runs
from tests.component.lifecycle.test_replacement import (
    CREATE,
    NEW,
    OLD,
    begin,
    environments,
    order,
    reasons,
    shown,
    with_a_job,
    with_replacement,
)
from tests.support import rights
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, QUEUE, environment, unmanaged
from tests.support.one_process import CLUSTER
from tests.support.remedies.deeds import drop_cluster

from awsbatch_operator.api.metadata import ObjectKey

SECOND = ObjectKey("ComputeEnvironment", NAMESPACE, "second")
BY_ARN = ObjectKey("JobQueue", NAMESPACE, "by-arn")


async def with_a_foreign_queue(there: Installation) -> tuple[str, str]:
    """A queue of somebody else has two environments, ours second; the names of both."""
    old = await begin(there)
    there.apply(SECOND, environment())
    await there.until_ready(SECOND)
    names = [str(there.status(key)["awsName"]) for key in (SECOND, ENVIRONMENT)]
    entries = [{"order": at, "computeEnvironment": each} for at, each in enumerate(names, start=1)]
    there.aws().create_job_queue(jobQueueName="theirs", priority=1, computeEnvironmentOrder=entries)
    await there.clock.advance(60)
    there.calls.clear()
    return old, names[0]


async def test_a_queue_of_somebody_else_blocks_a_replacement_until_it_may_be_changed():
    there = Installation()
    async with there.running():
        old, second = await with_a_foreign_queue(there)
        there.apply(ENVIRONMENT, NEW)
        message = await there.until(ENVIRONMENT, "Stalled", "ReplacementBlocked")
        assert "theirs (no JobQueue of this operator)" in message
        assert "spec.replacement.foreignQueues to Swap" in message
        await there.clock.advance(120)
        assert there.changes() == []
        there.apply(ENVIRONMENT, with_replacement(NEW, foreignQueues="Swap"))
        message = await there.until(ENVIRONMENT, "Stalled", "PermissionDenied", within=900)
        assert "AWS refuses batch:UpdateJobQueue" in message
        assert f"theirs, a job queue of others, keeps {old}" in message
        assert "deploy/iam/foreign-queues-policy.json" in message
        assert order(there, "theirs") == [second, old]
        rights.enforce(there.simulator, CLUSTER, besides="foreign-queues")
        await there.until_ready(ENVIRONMENT, within=1800)
        new = str(there.status(ENVIRONMENT)["awsName"])
        assert old not in environments(there)
        assert order(there, "theirs") == [second, new]
    assert "Swapped" in reasons(there)


async def test_a_queue_of_ours_that_names_it_by_arn_blocks_it_until_it_names_the_object():
    there = Installation()
    async with there.running():
        old = await begin(there)
        arn = there.status(ENVIRONMENT)["arn"]
        entry = {"order": 1, "computeEnvironmentRef": {"arn": arn}}
        there.apply(BY_ARN, {"priority": 5, "computeEnvironmentOrder": [entry]})
        await there.until_ready(BY_ARN)
        there.calls.clear()
        there.apply(ENVIRONMENT, with_replacement(NEW, foreignQueues="Swap"))
        message = await there.until(ENVIRONMENT, "Stalled", "ReplacementBlocked")
        assert f"(JobQueue {NAMESPACE}/by-arn)" in message
        assert "computeEnvironmentRef.name" in message
        assert there.changes() == []
        entry = {"order": 1, "computeEnvironmentRef": {"name": ENVIRONMENT.name}}
        there.apply(BY_ARN, {"priority": 5, "computeEnvironmentOrder": [entry]})
        await there.until_ready(ENVIRONMENT, BY_ARN, within=900)
        assert old not in environments(there)


async def test_refuse_names_the_fields_and_sends_nothing():
    there = Installation()
    async with there.running():
        await begin(there)
        there.apply(ENVIRONMENT, with_replacement(NEW, policy="Refuse"))
        message = await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        assert "computeResources.subnets" in message
        await there.clock.advance(120)
        assert there.changes() == []
        assert there.status(ENVIRONMENT)["plan"]["action"] == "Replacement"
        there.apply(ENVIRONMENT, with_replacement(NEW, policy="BlueGreen"))
        await there.until_ready(ENVIRONMENT, within=900)
        assert len(environments(there)) == 1


async def test_an_account_without_room_for_a_second_environment_is_told_before_anything_is_sent():
    there = Installation()
    async with there.running():
        await begin(there)
        for number in range(49):
            there.aws().create_compute_environment(
                computeEnvironmentName=f"other-{number}", **unmanaged()
            )
            await there.clock.advance(0.1)
        await there.clock.advance(60)
        there.apply(ENVIRONMENT, NEW)
        message = await there.until(ENVIRONMENT, "Stalled", "AccountLimitReached")
        assert "50 compute environments" in message
        assert there.changes() == []
        name = {"computeEnvironment": "other-1"}
        there.aws().update_compute_environment(state="DISABLED", **name)
        await there.clock.advance(60)
        there.aws().delete_compute_environment(**name)
        await there.until_ready(ENVIRONMENT, within=900)


async def test_after_the_drain_timeout_the_old_environment_is_deleted_with_its_jobs_and_told():
    there = Installation()
    async with there.running():
        old = await begin(there)
        await with_a_job(there, runs.FOR_EVER)
        there.apply(ENVIRONMENT, with_replacement(NEW, drainTimeoutSeconds=200))
        await there.clock.run_until(lambda: shown(there).get("runningJobs") == 1, within=300)
        await there.clock.advance(60)
        assert old in environments(there)
        await there.clock.run_until(lambda: old not in environments(there), within=400)
        await there.until_ready(ENVIRONMENT)
        (note,) = [note for reason, note in there.events(ENVIRONMENT) if reason == "DrainTimedOut"]
        assert "1 task still ran" in note


async def test_what_is_to_be_kept_stays_in_aws_and_is_nobodys_any_more():
    there = Installation()
    async with there.running():
        old = await begin(there)
        there.apply(ENVIRONMENT, {**NEW, "deletionPolicy": "Retain"})
        await there.until_ready(ENVIRONMENT, within=900)
        kept = environments(there)[old]
        assert kept.state.value == "ENABLED"
        assert not [tag for tag in kept.tags if tag.startswith("awsbatch.dev/")]
        new = str(there.status(ENVIRONMENT)["awsName"])
        assert order(there) == [new]
        there.remove(QUEUE)
        there.apply(ENVIRONMENT, {**NEW, "deletionPolicy": "Delete"})
        await there.until_ready(ENVIRONMENT)
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT, QUEUE)
        assert list(environments(there)) == [old]
    assert "Retained" in reasons(there)


async def test_an_unmanaged_environment_is_not_replaced_and_says_why():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, unmanaged())
        await there.until_ready(ENVIRONMENT)
        there.calls.clear()
        folder = "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com"
        linked = f"{folder}/AWSServiceRoleForBatch"
        there.apply(ENVIRONMENT, {**unmanaged(), "serviceRole": linked})
        message = await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
        assert "stay in the cluster that they have joined" in message
        await there.clock.advance(300)
        assert there.changes() == []


async def test_an_environment_whose_cluster_was_deleted_is_replaced_under_its_queue():
    there = Installation()
    async with there.running():
        old = await begin(there)
        await drop_cluster(there)
        await there.clock.run_until(lambda: CREATE in there.calls, within=900)
        await there.until_ready(ENVIRONMENT, QUEUE, within=900)
        assert old not in environments(there)
        assert order(there) == [there.status(ENVIRONMENT)["awsName"]]


async def test_a_new_environment_that_aws_refuses_leaves_the_old_one_and_an_edit_back_heals():
    there = Installation(limited=False)
    async with there.running():
        old = await begin(there)
        refused: dict[str, Any] = environment(
            allocationStrategy="BEST_FIT", spotIamFleetRole="arn:aws:iam::111122223333:role/fleet"
        )
        there.apply(ENVIRONMENT, refused)
        message = await there.until(ENVIRONMENT, "Stalled", "InvalidRequest")
        assert message.startswith(f"{old} stays in service; ")
        there.apply(ENVIRONMENT, OLD)
        await there.until_ready(ENVIRONMENT)
        assert list(environments(there)) == [old]
        assert "replacement" not in there.status(ENVIRONMENT)


@pytest.mark.parametrize("lost", ["record", "all of it"])
async def test_an_object_whose_record_is_lost_keeps_what_has_replaced_its_first_environment(lost):
    there = Installation()
    async with there.running():
        await begin(there)
        there.apply(ENVIRONMENT, NEW)
        await there.until_ready(ENVIRONMENT, within=900)
        new = str(there.status(ENVIRONMENT)["awsName"])
        there.calls.clear()
        if lost == "record":
            names = there.kube.see(ENVIRONMENT)["metadata"]["annotations"]
            there.kube.annotate(ENVIRONMENT, **dict.fromkeys(names))
        else:  # the cluster is built anew from Git
            there.kube.strip_finalizers(ENVIRONMENT)
            there.remove(ENVIRONMENT)
            await there.clock.advance(60)
            there.apply(ENVIRONMENT, NEW)
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(120)
        assert there.ready(ENVIRONMENT, QUEUE)
        assert list(environments(there)) == [new]
        assert order(there) == [new]
        assert set(there.changes()) <= {"batch:TagResource"}
