"""Conformance: what AWS never made, and what it still needs, when the object is deleted."""

import pytest
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, hidden, script
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.made_elsewhere import FOREIGN, make, spec_of, tags_of
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import PAUSED, RESOLVED, ObjectKey
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS

MAKES = {
    ENVIRONMENT: "CreateComputeEnvironment",
    QUEUE: "CreateJobQueue",
    POLICY: "CreateSchedulingPolicy",
    DEFINITION: "RegisterJobDefinition",
}


async def refused(there: Installation, key: ObjectKey) -> None:
    """An object with our finalizer, of which AWS has refused to make anything."""
    if key == QUEUE:
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
    there.fault(effect="deny", service="batch", operation=MAKES[key])
    there.apply(key, SPECS[key])
    await there.until(key, "Stalled", "PermissionDenied")
    assert there.kube.see(key)["metadata"]["finalizers"]


@pytest.mark.parametrize("key", MAKES, ids=lambda key: key.kind)
async def test_what_was_never_made_is_let_go_at_once(key):
    there = Installation()
    async with there.running():
        await there.clock.advance(APPEARING_SECONDS)
        await refused(there, key)
        there.kube.remove(key)
        await there.until_gone(key, within=1)


@pytest.mark.parametrize("key", [POLICY, DEFINITION], ids=lambda key: key.kind)
async def test_whoever_has_just_begun_to_lead_looks_a_while_for_what_another_may_have_made(key):
    """The other one's last call may have been any, until the moment at which it led no more."""
    there = Installation()
    async with there.running():
        await refused(there, key)
    there.mend()
    there.fault(effect="deny", service="batch", operation=MAKES[key])
    async with there.running():
        there.kube.remove(key)
        doubt = "OutcomeUnknown" if key == DEFINITION else "Settling"
        await there.until(key, "Reconciling", doubt, within=5)
        took = await there.until_gone(key)
    assert APPEARING_SECONDS - 10 <= took <= APPEARING_SECONDS + 5


async def with_a_job(there: Installation, **spec: object) -> None:
    """A job that would run for ever, and all that it needs."""
    script(there, FOR_EVER)
    for key in (ENVIRONMENT, QUEUE):
        there.apply(key, SPECS[key])
    there.apply(DEFINITION, SPECS[DEFINITION])
    await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION)
    there.apply(JOB, manifests.job(**spec))


def active(there: Installation) -> list[int]:
    """Numbers of the revisions that new jobs and further attempts can use."""
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    return sorted(definition["revision"] for definition in found)


async def test_a_definition_is_kept_until_the_jobs_that_run_it_have_ended_and_names_them():
    there = Installation()
    async with there.running():
        await with_a_job(there)
        await there.run_until(lambda: there.status(JOB).get("awsStatus") == "RUNNING", within=900)
        there.apply(DEFINITION, manifests.definition("false"))
        await there.until_ready(DEFINITION)
        there.kube.remove(DEFINITION)
        message = await there.until(DEFINITION, "DeletionBlocked", "StillInUse", within=20)
        assert f"{NAMESPACE}/{JOB.name}" in message
        await there.clock.advance(120)
        assert active(there) == [1, 2]
        there.aws().terminate_job(jobId=there.status(JOB)["jobId"], reason="enough")
        await there.until(JOB, "Failed", within=300)
        await there.until_gone(DEFINITION, within=20)
    assert active(there) == []


async def test_a_definition_that_goes_together_with_its_jobs_waits_for_nobody():
    there = Installation()
    async with there.running():
        await with_a_job(there)
        await there.run_until(lambda: "jobId" in there.status(JOB), within=900)
        for key in (DEFINITION, JOB):
            there.kube.remove(key)
        await there.until_gone(DEFINITION, within=10)
        assert not there.is_true(DEFINITION, "DeletionBlocked")
        await there.until_gone(JOB)
    assert alive(there) == 0


async def test_a_definition_waits_for_a_job_whose_deletion_is_paused():
    there = Installation()
    async with there.running():
        await with_a_job(there)
        await there.run_until(lambda: "jobId" in there.status(JOB), within=900)
        there.kube.annotate(JOB, **{PAUSED: "true"})
        for key in (DEFINITION, JOB):
            there.kube.remove(key)
        await there.until(DEFINITION, "DeletionBlocked", "StillInUse", within=20)
        there.kube.annotate(JOB, **{PAUSED: None})
        await there.until_gone(DEFINITION, JOB)


async def test_a_definition_does_not_wait_for_a_job_that_waits_to_be_submitted():
    """That one waits for the definition."""
    there = Installation()
    async with there.running():
        await with_a_job(there, jobQueueRef={"name": "none"})
        await there.until(JOB, "Reconciling", "ReferenceNotFound")
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION, within=10)


async def test_a_queue_waits_for_a_job_that_was_submitted_a_moment_ago_and_is_not_listed_yet():
    there = Installation()
    async with there.running():
        await with_a_job(there)
        hidden(there, 50)
        await there.run_until(lambda: "jobId" in there.status(JOB), within=900)
        there.kube.remove(QUEUE)
        message = await there.until(QUEUE, "Reconciling", "WaitsForJobs", within=30)
        assert f"BatchJobs {NAMESPACE}/{JOB.name}." in message
        await there.until(QUEUE, "DeletionBlocked", "JobsActive", within=120)
        assert alive(there) == 1
        assert there.status(QUEUE)["jobs"] == {"runnable": 0, "running": 1}
        there.kube.remove(JOB)
        await there.until_gone(QUEUE, JOB)


async def test_a_queue_that_does_not_wait_for_jobs_ends_those_that_are_not_listed_yet():
    there = Installation()
    async with there.running():
        await with_a_job(there)
        there.apply(QUEUE, manifests.queue(drain={"policy": "Terminate"}))
        await there.until_ready(QUEUE)
        hidden(there, 50)
        await there.run_until(lambda: "jobId" in there.status(JOB), within=900)
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE, within=60)
    assert alive(there) == 0


RETAIN = {"deletionPolicy": "Retain"}


@pytest.mark.parametrize("key", [ENVIRONMENT, POLICY], ids=lambda key: key.kind)
async def test_what_a_queue_of_somebody_else_uses_goes_when_aws_may_keep_it(key):
    """The remedy that the message gives, with which a namespace goes, too."""
    there = Installation()
    async with there.running():
        for each in (ENVIRONMENT, POLICY):
            there.apply(each, SPECS[each])
        await there.until_ready(ENVIRONMENT, POLICY)
        there.aws().create_job_queue(
            jobQueueName="theirs",
            priority=1,
            computeEnvironmentOrder=[
                {"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}
            ],
            schedulingPolicyArn=there.status(POLICY)["arn"],
        )
        there.calls.clear()
        await there.clock.advance(40)
        there.kube.remove(key)
        message = await there.until(key, "DeletionBlocked", "StillInUse", within=20)
        assert "Or set spec.deletionPolicy to Retain" in message
        there.apply(key, SPECS[key] | RETAIN)
        await there.until_gone(key, within=5)
    assert there.changes() == []
    assert len(there.batch.environments) == len(there.batch.policies) == 1


async def test_what_was_adopted_is_free_for_the_next_owner_though_its_record_was_lost():
    """Only its tags say by then that it was there before; they are read, and then taken off."""
    there = Installation(allow_adoption=True)
    await make(there, POLICY)
    async with there.running():
        there.apply(POLICY, spec_of(POLICY, adoptionPolicy="AdoptOrCreate"))
        await there.until_ready(POLICY)
    there.kube.annotate(POLICY, **{RESOLVED: None})
    there.remove(POLICY)
    there.calls.clear()
    async with there.running():
        await there.until_gone(POLICY, within=300)
    assert there.changes() == ["batch:UntagResource"]
    assert tags_of(there, POLICY) == FOREIGN
