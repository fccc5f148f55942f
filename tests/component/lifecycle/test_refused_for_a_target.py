"""What AWS refuses because of what an object refers to is not called a fault of its spec."""

import pytest
from tests.component.batchjob.runs import JOB, SPEC, ready, submits
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

LONG = 320  # seconds: by then all that AWS has was read, and it is believed for a while
OTHER_QUEUE = ObjectKey("JobQueue", NAMESPACE, "other")


async def deregister(there):
    arn = there.status(DEFINITION)["arn"]
    there.aws().deregister_job_definition(jobDefinition=arn)


async def disable(there):
    name = there.status(QUEUE)["awsName"]
    there.aws().update_job_queue(jobQueue=name, state="DISABLED")


async def delete_queue(there):
    name = there.status(QUEUE)["awsName"]
    await unseen(there, lambda aws: aws.update_job_queue(jobQueue=name, state="DISABLED"))
    await unseen(there, lambda aws: aws.delete_job_queue(jobQueue=name))


async def unseen(there, change):
    """AWS does it at once, as far as the operator's clock goes."""
    change(there.aws())
    there.simulator.world.advance(20)


def told(there, key):
    """The reasons of all conditions that the object ever shows from now on, as they come."""
    found: list[str] = []

    def seen(_, body):
        if body["kind"] == key.kind and body["metadata"]["name"] == key.name:
            conditions = body.get("status", {}).get("conditions", ())
            found.extend(each["reason"] for each in conditions if each["status"] == "True")

    there.kube.subscribe(seen)
    return found


@pytest.mark.parametrize("undo", [deregister, disable, delete_queue])
async def test_a_job_waits_while_what_it_needs_is_mended_and_runs_then(undo):
    there = Installation()
    async with there.running():
        await ready(there)
        await there.clock.advance(LONG)
        await undo(there)
        reasons = told(there, JOB)
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=60)
        assert submits(there) == 2
        assert "CheckingReferences" in reasons
        assert "InvalidRequest" not in reasons
        assert there.ready(QUEUE, DEFINITION)


async def test_a_definition_that_was_deregistered_just_after_its_registration_is_mended_for_a_job():
    """Nothing had been read of the revision when it went."""
    there = Installation()
    async with there.running():
        await ready(there)
        await deregister(there)
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=60)
        assert there.status(JOB)["jobDefinition"]["revision"] == 2


async def test_a_refusal_of_the_spec_itself_is_told_after_a_second_try_and_then_stays_told():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, {**SPEC, "shareIdentifier": "team"})  # the queue shares nothing
        words = await there.until(JOB, "Stalled", "InvalidRequest", within=20)
        assert "shareIdentifier can't be specified" in words
        assert submits(there) == 2
        version = there.kube.see(JOB)["metadata"]["resourceVersion"]
        await there.clock.advance(3000)
        assert submits(there) > 3
        assert there.kube.see(JOB)["metadata"]["resourceVersion"] == version


async def test_a_queue_waits_while_its_environment_is_made_again():
    there = Installation()
    async with there.running():
        await ready(there)
        there.kube.remove(QUEUE)
        await there.until_gone(QUEUE)
        await there.clock.advance(LONG)
        name = there.status(ENVIRONMENT)["awsName"]
        environment = {"computeEnvironment": name}
        await unseen(
            there, lambda aws: aws.update_compute_environment(state="DISABLED", **environment)
        )
        await unseen(there, lambda aws: aws.delete_compute_environment(**environment))
        reasons = told(there, OTHER_QUEUE)
        there.apply(OTHER_QUEUE, manifests.queue("pool"))
        await there.until_ready(OTHER_QUEUE, within=120)
        assert "CheckingReferences" in reasons
        assert "InvalidRequest" not in reasons


async def test_a_job_waits_for_a_paused_definition_and_goes_on_when_it_is_mended():
    there = Installation()
    async with there.running():
        await ready(there)
        there.kube.annotate(DEFINITION, **{PAUSED: "true"})
        await there.clock.advance(LONG)
        await deregister(there)
        there.apply(JOB, SPEC)
        await there.clock.advance(700)
        assert there.is_true(JOB, "Reconciling")
        there.kube.annotate(DEFINITION, **{PAUSED: None})
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=60)
