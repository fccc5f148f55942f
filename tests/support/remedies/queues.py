"""What is wrong with JobQueues that do not come about, and each remedy that the message gives."""

from collections.abc import Mapping
from typing import Any

from tests.support import manifests
from tests.support.installation import NAMESPACE
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE, environment
from tests.support.remedies.rows import (
    Fault,
    There,
    apply,
    gone,
    made_again,
    one_after_another,
    queue,
    ready,
    remove,
)

from awsbatch_operator.api.conditions import condition
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


async def somebody_has_the_name(there: There) -> None:
    there.apply(ENVIRONMENT, environment())
    await there.until_ready(ENVIRONMENT)
    order = [{"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}]
    name = there.named("shared")
    there.aws().create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)
    await settled(there, name)
    there.apply(QUEUE, queue(awsName="shared"))


async def the_name_becomes_free(there: There) -> None:
    name = there.named("shared")
    there.aws().update_job_queue(jobQueue=name, state="DISABLED")
    await settled(there, name)
    there.aws().delete_job_queue(jobQueue=name)


async def settled(there: There, queue_name: str) -> None:
    """AWS is done with what was asked for."""

    def is_valid() -> bool:
        (found,) = there.aws().describe_job_queues(jobQueues=[queue_name])["jobQueues"]
        return bool(found["status"] == "VALID")

    await there.run_until(is_valid)


async def the_environment_is_invalid(there: There) -> None:
    """Its queue has heard of it, too."""
    await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
    await there.run_until(lambda: "(INVALID)" in told(there.status(QUEUE), "Reconciling"))


def told(status: Mapping[str, Any], name: str) -> str:
    """What a condition says."""
    return str((condition(status, name) or {}).get("message"))


QUEUES: tuple[Fault, ...] = (
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
                the_environment_is_invalid,
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
            says=(
                "Set spec.adoptionPolicy to Adopt",
                "or remove it from AWS, and this object goes on",
                "create it again with another awsName",
            ),
            settings={"allow_adoption": True} if name == "adopted" else {},
            remedy=remedy,
        )
        for name, remedy in (
            ("adopted", apply(QUEUE, queue(awsName="shared", adoptionPolicy="Adopt"))),
            ("freed", the_name_becomes_free),
            ("another", made_again(QUEUE, queue(awsName="mine"))),
        )
    ),
)
