"""Each remedy that the message of a JobQueue which does not come about gives is carried out."""

from tests.component.remedies.faults import (
    Fault,
    apply,
    gone,
    made_again,
    one_after_another,
    queue,
    ready,
    remove,
    table,
)
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE, environment

from awsbatch_operator.api.metadata import ObjectKey

SECOND = ObjectKey("ComputeEnvironment", NAMESPACE, "second")
POLICED = queue(schedulingPolicyRef={"name": "fair"}, deletionPolicy="Retain")
THERE = (QUEUE, queue())
RETAINED = one_after_another(
    apply(ENVIRONMENT, environment(), (POLICY, manifests.policy()), (QUEUE, POLICED)),
    ready(ENVIRONMENT, POLICY, QUEUE),
    remove(QUEUE),
    gone(QUEUE),
    apply(QUEUE, queue(deletionPolicy="Delete")),
)


async def somebody_has_the_name(there: Installation) -> None:
    apply_both = apply(ENVIRONMENT, environment())
    await apply_both(there)
    await there.until_ready(ENVIRONMENT)
    order = [{"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}]
    there.aws().create_job_queue(jobQueueName="shared", priority=1, computeEnvironmentOrder=order)
    await there.clock.advance(30)
    there.apply(QUEUE, queue(awsName="shared"))


async def the_name_becomes_free(there: Installation) -> None:
    there.aws().update_job_queue(jobQueue="shared", state="DISABLED")
    await there.clock.advance(30)
    there.aws().delete_job_queue(jobQueue="shared")


@table(
    *(
        Fault(
            id=f"environment-missing-{name}",
            of=QUEUE,
            condition="Reconciling",
            broken=apply(QUEUE, queue("second"), (ENVIRONMENT, environment())),
            reason="ReferenceNotFound",
            says=("Create it, or correct the name; this object goes on at once.",),
            remedy=remedy,
        )
        for name, remedy in (
            ("created", apply(SECOND, environment())),
            ("name-corrected", apply(QUEUE, queue("pool"))),
        )
    ),
    *(
        Fault(
            id=f"environment-invalid-{name}",
            of=QUEUE,
            condition="Reconciling",
            broken=one_after_another(
                apply(ENVIRONMENT, environment(subnets=["subnet-none"]), THERE),
                lambda there: there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid"),
                lambda there: there.clock.advance(1),
            ),
            reason="ReferenceNotReady",
            says=(
                "ComputeEnvironment pool (INVALID) is not VALID yet",
                "its own conditions say what it",
            ),
            remedy=remedy,
        )
        for name, remedy in (
            ("corrected", apply(ENVIRONMENT, environment())),
            ("made-again", made_again(ENVIRONMENT, environment())),
        )
    ),
    *(
        Fault(
            id=f"policy-stays-{name}",
            of=QUEUE,
            broken=RETAINED,
            reason="PolicyNotRemovable",
            says=("this one has arn:aws:batch:", "Delete this object and create it again"),
            remedy=remedy,
        )
        for name, remedy in (
            (
                "with-it",
                one_after_another(
                    apply(QUEUE, queue(deletionPolicy="Retain")), made_again(QUEUE, POLICED)
                ),
            ),
            ("without-it", made_again(QUEUE, queue())),
        )
    ),
    *(
        Fault(
            id=f"name-taken-{name}",
            of=QUEUE,
            broken=somebody_has_the_name,
            reason="AlreadyExists",
            says=("Remove what has the name", "create it again with another awsName"),
            remedy=remedy,
        )
        for name, remedy in (
            ("freed", the_name_becomes_free),
            ("another", made_again(QUEUE, queue(awsName="mine"))),
        )
    ),
)
async def test_a_queue_that_does_not_come_about_is_mended_as_it_says(fault):
    await fault.happens_and_heals()


async def test_a_new_queue_takes_an_environment_that_is_valid_although_its_object_is_stalled():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, environment(instanceTypes=["c7i"]))
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
    kept = {"deletionPolicy": "Retain"}
    async with there.running():
        there.apply(ENVIRONMENT, environment() | kept)
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, environment(instanceTypes=["c7i"]) | kept)
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
