"""Many things are deleted with one command: what goes by itself in the end calls for nobody."""

from typing import Any

import pytest
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, script
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import (
    DEFAULT_ACCOUNT,
    DEFINITION,
    ENVIRONMENT,
    POLICY,
    QUEUE,
    SPECS,
)

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

ALL = (DEFAULT_ACCOUNT, ENVIRONMENT, POLICY, QUEUE, DEFINITION, JOB)
APART = 0.2  # seconds between two deletions of one command
LAG = 30.0  # seconds
TOGETHER = 5.0  # seconds within which nobody is called


async def started(there: Installation) -> None:
    """One of each kind, and a job that would run for ever."""
    script(there, FOR_EVER)
    there.apply(DEFAULT_ACCOUNT, {})
    for key in (ENVIRONMENT, POLICY, DEFINITION):
        there.apply(key, SPECS[key])
    there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": POLICY.name}))
    await there.until_ready(ENVIRONMENT, POLICY, QUEUE, DEFINITION, within=900)
    there.apply(JOB, manifests.job(shareIdentifier="team"))
    await there.clock.run_until(
        lambda: there.status(JOB).get("awsStatus") == "RUNNING", within=3600
    )
    there.kube.events.clear()


def blocked(there: Installation) -> list[str]:
    """Whoever is said to need a person, as soon as that is written."""
    said: list[str] = []

    def written(_: Any, body: Any) -> None:
        said.extend(
            f"{body['kind']}: {condition['message']}"
            for condition in body.get("status", {}).get("conditions", ())
            if condition["type"] in {"DeletionBlocked", "Stalled"} and condition["status"] == "True"
        )

    there.kube.subscribe(written)
    return said


@pytest.mark.parametrize("keys", [ALL, ALL[::-1]], ids=["targets first", "users first"])
async def test_deleting_everything_with_one_command_calls_for_nobody(keys):
    there = Installation()
    async with there.running():
        await started(there)
        said = blocked(there)
        for key in keys:
            there.kube.remove(key)
            await there.clock.advance(APART)
        await there.until_gone(*ALL, within=1800)
    assert said == []
    told = {event["reason"] for event in there.kube.events.values() if event["type"] == "Warning"}
    assert told == set()
    assert alive(there) == 0


@pytest.mark.parametrize(
    ("key", "going", "reason", "named"),
    [
        (ENVIRONMENT, QUEUE, "StillInUse", "JobQueue science/main"),
        (POLICY, QUEUE, "StillInUse", "JobQueue science/main"),
        (QUEUE, JOB, "JobsActive", "1 RUNNING"),
        (DEFAULT_ACCOUNT, JOB, "StillInUse", "JobQueue science/main"),
    ],
    ids=lambda each: each.kind if isinstance(each, ObjectKey) else "",
)
async def test_a_deletion_calls_for_a_person_if_what_it_waits_for_stays(key, going, reason, named):
    """It stays, too, if it is being deleted and paused; and no longer than that."""
    there = Installation()
    async with there.running():
        await started(there)
        there.kube.remove(key)
        await there.clock.advance(TOGETHER - 1)
        assert there.is_true(key, "Reconciling")
        assert not there.is_true(key, "DeletionBlocked")
        assert named in await there.until(key, "DeletionBlocked", reason, within=20)
        there.kube.annotate(going, **{PAUSED: "true"})
        there.kube.remove(going)
        await there.clock.advance(30)
        assert there.is_true(key, "DeletionBlocked", reason)
        there.kube.annotate(going, **{PAUSED: None})
        for each in ALL:
            there.kube.remove(each)
        await there.until_gone(*ALL, within=1800)


async def test_what_waits_for_aws_to_forget_a_relation_says_so_and_calls_for_nobody():
    """AWS counts a queue as using its environments for a while after it is gone."""
    there = Installation()
    there.fault(effect="world", name="relation_lag", seconds=LAG)
    async with there.running():
        await started(there)
        said = blocked(there)
        for key in ALL:
            there.kube.remove(key)
        await there.until(ENVIRONMENT, "Reconciling", "WaitsForDeletions")
        assert "JobQueue science/main" in there.condition(ENVIRONMENT, "Reconciling")["message"]
        await there.until_gone(QUEUE, within=900)
        forgotten = there.clock.monotonic() + LAG
        message = await there.until(ENVIRONMENT, "Reconciling", "AWSBusy", within=15)
        assert "It is in no queue any more, and disabled, but AWS does not delete it yet" in message
        assert "JobQueue relationship" in message
        await there.clock.advance(forgotten - there.clock.monotonic() - 2)
        assert there.is_true(ENVIRONMENT, "Reconciling", "AWSBusy")
        await there.until_gone(*ALL, within=60)
    assert said == []
    assert there.calls.count("batch:DeleteComputeEnvironment") < LAG


async def test_a_name_that_another_object_is_about_to_free_calls_for_nobody():
    there = Installation()
    second = ObjectKey("JobQueue", NAMESPACE, "second")
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, manifests.queue(awsName="shared"))
        await there.until_ready(ENVIRONMENT, QUEUE)
        said = blocked(there)
        there.kube.remove(QUEUE)
        there.apply(second, manifests.queue(awsName="shared"))
        message = await there.until(second, "Reconciling", "WaitsForDeletions")
        assert "JobQueue science/main" in message
        await there.until_ready(second, within=900)
    assert said == []


async def test_an_account_does_not_wait_for_what_only_others_keep():
    """Our finalizer is gone from it, and with that all it had in AWS."""
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        await there.until_ready(DEFAULT_ACCOUNT)
        there.apply(POLICY, SPECS[POLICY], finalizers=["example.com/another"])
        await there.until_ready(POLICY)
        there.kube.remove(DEFAULT_ACCOUNT)
        await there.until(DEFAULT_ACCOUNT, "DeletionBlocked", "StillInUse")
        there.kube.remove(POLICY)
        await there.until_gone(DEFAULT_ACCOUNT, within=30)
        assert there.kube.see(POLICY)["metadata"]["finalizers"] == ["example.com/another"]
