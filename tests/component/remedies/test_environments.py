"""Each remedy that the message of a broken ComputeEnvironment gives is carried out, and heals."""

import json
from typing import Any

from tests.component.remedies.faults import (
    Deed,
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
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, PROFILE, QUEUE, environment, fargate

from awsbatch_operator.api.metadata import ObjectKey

SECOND = ObjectKey("ComputeEnvironment", NAMESPACE, "second")
BATCH_ROLE = "service-role/ours"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{BATCH_ROLE}"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/AWSBatchServiceRole"
OTHER_PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/other"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "batch.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ANEW = "made anew by itself"
REMADE = ["UpdateComputeEnvironment", "DeleteComputeEnvironment", "CreateComputeEnvironment"]


def iam(operation: str, **request: Any) -> Deed:
    """Somebody changes IAM."""

    async def do(there: Installation) -> None:
        getattr(there.aws("iam"), operation)(**request)

    return do


MAKE_PROFILE = iam("create_instance_profile", InstanceProfileName="other")
DROP_PROFILE = iam("delete_instance_profile", InstanceProfileName="other")
MAKE_ROLE = iam(
    "create_role",
    RoleName="ours",
    Path="/service-role/",
    AssumeRolePolicyDocument=json.dumps(TRUST),
)
DROP_ROLE = iam("delete_role", RoleName="ours")


def with_role(**changes: Any) -> dict[str, Any]:
    return environment(**changes) | {"serviceRole": ROLE}


async def drop_cluster(there: Installation) -> None:
    """Somebody deletes the ECS cluster of the environment."""
    await there.until_ready(ENVIRONMENT)
    there.aws("ecs").delete_cluster(cluster=there.status(ENVIRONMENT)["ecsClusterArn"])


def used(spec: dict[str, Any], broken: Deed, before: Deed | None = None) -> Deed:
    """A queue uses the environment when it breaks."""
    first = () if before is None else (before,)
    return one_after_another(
        *first,
        apply(ENVIRONMENT, spec, (QUEUE, queue("pool")), (SECOND, environment())),
        ready(ENVIRONMENT, QUEUE, SECOND),
        broken,
    )


OUT_OF_THE_ORDER = one_after_another(
    apply(QUEUE, queue("second")), ready(ENVIRONMENT, QUEUE), apply(QUEUE, queue("pool"))
)
QUEUE_AGAIN = one_after_another(
    remove(QUEUE), gone(QUEUE), ready(ENVIRONMENT), apply(QUEUE, queue("pool"))
)
USES = f"(JobQueue {NAMESPACE}/main). Take it out of their computeEnvironmentOrder, or delete them"
PROFILE_GONE = used(environment(instanceRole=OTHER_PROFILE), DROP_PROFILE, MAKE_PROFILE)
CORRECTED = one_after_another(
    PROFILE_GONE,
    lambda there: there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid"),
    apply(ENVIRONMENT, environment(instanceRole=PROFILE)),
)
ROLE_GONE = one_after_another(
    MAKE_ROLE, apply(ENVIRONMENT, with_role()), ready(ENVIRONMENT), DROP_ROLE
)
UNDELETABLE = one_after_another(ROLE_GONE, remove(ENVIRONMENT))


@table(
    *(
        Fault(
            id=f"a-{field}-that-does-not-exist",
            broken=apply(ENVIRONMENT, environment(**{field: wrong})),
            reason="EnvironmentInvalid",
            says=(f"Correct spec.computeResources.{field}. ", ANEW),
            without=("VALID by itself",),
            remedy=apply(ENVIRONMENT, environment()),
        )
        for field, wrong in (("subnets", ["subnet-none"]), ("securityGroupIds", ["sg-none"]))
    ),
    Fault(
        id="a-profile-that-does-not-exist",
        broken=apply(ENVIRONMENT, environment(instanceRole=OTHER_PROFILE)),
        reason="EnvironmentInvalid",
        says=("or correct spec.computeResources.instanceRole. ", ANEW),
        remedy=apply(ENVIRONMENT, environment()),
    ),
)
async def test_what_is_invalid_for_good_is_made_anew_once_its_typo_is_corrected(fault):
    there = await fault.happens_and_heals()
    assert there.changes()[1:] == [f"batch:{operation}" for operation in REMADE]
    assert "Remade" in [reason for reason, _ in there.events(ENVIRONMENT)]


@table(
    Fault(
        id="a-profile-that-is-made-again",
        broken=apply(ENVIRONMENT, environment(instanceRole=OTHER_PROFILE)),
        reason="EnvironmentInvalid",
        says=("Make the instance profile, and it becomes VALID by itself",),
        remedy=MAKE_PROFILE,
    ),
    Fault(
        id="a-subnet-of-fargate",
        broken=apply(ENVIRONMENT, fargate(subnets=["subnet-none"])),
        reason="EnvironmentInvalid",
        says=("Correct spec.computeResources.subnets: it is changed in place.",),
        without=("VALID by itself", "anew"),
        remedy=apply(ENVIRONMENT, fargate()),
    ),
    Fault(
        id="a-role-that-is-made-again",
        broken=ROLE_GONE,
        reason="EnvironmentInvalid",
        says=(f"Make the role {ROLE} again",),
        remedy=MAKE_ROLE,
    ),
    Fault(
        id="another-role",
        broken=ROLE_GONE,
        reason="EnvironmentInvalid",
        says=("or set spec.serviceRole to another role",),
        remedy=apply(ENVIRONMENT, environment() | {"serviceRole": OTHER_ROLE}),
    ),
)
async def test_what_can_become_valid_again_does_so_without_another_environment(fault):
    there = await fault.happens_and_heals()
    assert "batch:DeleteComputeEnvironment" not in there.changes()


@table(
    *(
        Fault(
            id=f"corrected-{name}",
            broken=CORRECTED,
            reason="ReplacementNeeded",
            says=("AWS cannot change computeResources.instanceRole", USES, ANEW),
            without=("Undo", "undo"),
            remedy=remedy,
            ready=(ENVIRONMENT, QUEUE),
        )
        for name, remedy in (("out-of-the-order", OUT_OF_THE_ORDER), ("without-queue", QUEUE_AGAIN))
    ),
    Fault(
        id="not-corrected-yet",
        broken=PROFILE_GONE,
        reason="EnvironmentInvalid",
        says=("or correct spec.computeResources.instanceRole. ", USES, ANEW),
        remedy=one_after_another(apply(ENVIRONMENT, environment()), OUT_OF_THE_ORDER),
        ready=(ENVIRONMENT, QUEUE),
    ),
    *(
        Fault(
            id=f"cluster-gone-{name}",
            broken=used(environment(), drop_cluster),
            reason="EnvironmentInvalid",
            says=("cluster that was deleted never comes back by itself", USES, ANEW),
            remedy=remedy,
            ready=(ENVIRONMENT, QUEUE),
        )
        for name, remedy in (("out-of-the-order", OUT_OF_THE_ORDER), ("without-queue", QUEUE_AGAIN))
    ),
)
async def test_what_a_queue_uses_is_made_anew_when_no_queue_uses_it_any_more(fault):
    there = await fault.happens_and_heals()
    assert there.changes().count("batch:DeleteComputeEnvironment") == 1


@table(
    Fault(
        id="retained",
        broken=apply(
            ENVIRONMENT, environment(subnets=["subnet-none"]) | {"deletionPolicy": "Retain"}
        ),
        reason="EnvironmentInvalid",
        says=("Correct spec.computeResources.subnets.", "set spec.deletionPolicy to Delete, and"),
        remedy=apply(ENVIRONMENT, environment() | {"deletionPolicy": "Delete"}),
    ),
    Fault(
        id="retained-and-corrected",
        broken=one_after_another(
            apply(ENVIRONMENT, environment(subnets=["subnet-none"]) | {"deletionPolicy": "Retain"}),
            lambda there: there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid"),
            apply(ENVIRONMENT, environment() | {"deletionPolicy": "Retain"}),
        ),
        reason="ReplacementNeeded",
        says=("set spec.deletionPolicy to Delete, and it is then made anew by itself",),
        remedy=apply(ENVIRONMENT, environment()),
    ),
    *(
        Fault(
            id=f"replacement-{name}",
            broken=one_after_another(
                apply(ENVIRONMENT, environment()),
                ready(ENVIRONMENT),
                apply(ENVIRONMENT, environment(instanceTypes=["c7i"])),
            ),
            reason="ReplacementNeeded",
            says=("Undo the change, or delete this object and create it again.",),
            remedy=remedy,
        )
        for name, remedy in (
            ("undone", apply(ENVIRONMENT, environment())),
            ("made-again", made_again(ENVIRONMENT, environment(instanceTypes=["c7i"]))),
        )
    ),
)
async def test_what_may_not_be_removed_says_what_else_helps(fault):
    await fault.happens_and_heals()


@table(
    *(
        Fault(
            id=name,
            broken=UNDELETABLE,
            condition="DeletionBlocked",
            reason="EnvironmentInvalid",
            says=(f"Make the role {ROLE} again", "or set spec.serviceRole to another role"),
            remedy=remedy,
            gone=(ENVIRONMENT,),
        )
        for name, remedy in (
            ("the-role-again", MAKE_ROLE),
            ("another-role", apply(ENVIRONMENT, environment() | {"serviceRole": OTHER_ROLE})),
        )
    ),
)
async def test_a_deletion_that_lacks_the_role_goes_on_with_one(fault):
    there = await fault.happens_and_heals()
    assert there.aws().describe_compute_environments()["computeEnvironments"] == []


async def test_an_environment_without_a_queue_whose_cluster_was_deleted_is_made_anew():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        there.calls.clear()
        await there.clock.run_until(lambda: len(there.changes()) == 3, within=600)
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == [f"batch:{operation}" for operation in REMADE]


async def test_no_environment_is_made_anew_over_and_over_for_one_and_the_same_spec():
    """Whatever the reason: here every new one loses its cluster at once."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        await there.clock.run_until(lambda: there.changes().count(CREATE) == 2, within=600)
        await drop_cluster(there)
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        await there.clock.advance(3600)
        assert there.changes().count(CREATE) == 2
        assert "delete this object and create it again" in message
        await made_again(ENVIRONMENT, environment())(there)
        await there.until_ready(ENVIRONMENT)


CREATE = "batch:CreateComputeEnvironment"


async def test_what_is_being_made_anew_goes_on_after_a_crash_though_aws_calls_it_valid_by_then():
    """Disabled, it needs no subnet: AWS may well call it VALID. Only the record tells."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment(instanceRole=OTHER_PROFILE))
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        there.fault(effect="deny", service="batch", operation="DeleteComputeEnvironment")
        there.apply(ENVIRONMENT, environment())
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
    there.aws("iam").create_instance_profile(InstanceProfileName="other")
    await there.clock.advance(120)
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert (found["status"], found["state"]) == ("VALID", "DISABLED")
    there.mend()
    async with there.running():
        await there.until_ready(ENVIRONMENT)
    (made,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert made["computeResources"]["instanceRole"] == PROFILE
    assert made["uuid"] != found["uuid"]


async def test_a_queue_that_takes_the_environment_in_the_meantime_keeps_it():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment(instanceRole=OTHER_PROFILE))
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        there.fault(effect="deny", service="batch", operation="DeleteComputeEnvironment")
        there.apply(ENVIRONMENT, environment())
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        there.aws("iam").create_instance_profile(InstanceProfileName="other")
        await there.clock.advance(120)
        order = [{"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}]
        there.aws().create_job_queue(
            jobQueueName="theirs", priority=1, computeEnvironmentOrder=order
        )
        there.mend()
        there.calls.clear()
        await there.until(ENVIRONMENT, "Stalled", "ReplacementNeeded", within=900)
        await there.clock.advance(1200)
    assert there.changes() == ["batch:UpdateComputeEnvironment"]
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert found["state"] == "ENABLED"


async def test_a_role_that_left_the_spec_stays_and_is_told():
    there = Installation()
    async with there.running():
        await MAKE_ROLE(there)
        there.apply(ENVIRONMENT, with_role())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        message = there.condition(ENVIRONMENT, "Ready")["message"]
        assert f"keeps {ROLE}" in message
        assert "Set the field again, or delete this object and create it again." in message
        await there.clock.advance(1)
        assert "LeftAsItIs" in [reason for reason, _ in there.events(ENVIRONMENT)]
        there.apply(ENVIRONMENT, with_role())
        await there.until_ready(ENVIRONMENT)
        assert "keeps" not in there.condition(ENVIRONMENT, "Ready")["message"]
        there.apply(ENVIRONMENT, environment())
        await made_again(ENVIRONMENT, environment())(there)
        await there.until_ready(ENVIRONMENT)
    assert "keeps" not in there.condition(ENVIRONMENT, "Ready")["message"]
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert "/aws-service-role/" in found["serviceRole"]
