"""What is wrong with ComputeEnvironments, and each remedy that the message gives."""

from typing import Any

from tests.support.installation import NAMESPACE
from tests.support.manifests import ENVIRONMENT, PROFILE, QUEUE, best_fit, environment, fargate
from tests.support.remedies.deeds import (
    ANEW,
    DROP_PROFILE,
    DROP_ROLE,
    MAKE_FOLLOWED,
    MAKE_PROFILE,
    MAKE_ROLE,
    MAKE_TEMPLATE,
    OTHER_PROFILE,
    OTHER_ROLE,
    ROLE,
    SECOND,
    drop_cluster,
    with_role,
)
from tests.support.remedies.rows import (
    Deed,
    Fault,
    apply,
    gone,
    one_after_another,
    queue,
    ready,
    remove,
)


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
REFUSED = {"replacement": {"policy": "Refuse"}}  # no other environment may take its place
PROFILE_GONE = used(best_fit(instanceRole=OTHER_PROFILE), DROP_PROFILE, MAKE_PROFILE)
CORRECTED = one_after_another(
    PROFILE_GONE,
    lambda there: there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid"),
    apply(ENVIRONMENT, best_fit(instanceRole=PROFILE) | REFUSED),
)
ROLE_GONE = one_after_another(
    MAKE_ROLE, apply(ENVIRONMENT, with_role()), ready(ENVIRONMENT), DROP_ROLE
)
UNDELETABLE = one_after_another(ROLE_GONE, remove(ENVIRONMENT))


WEB = {"launchTemplateName": "web"}
MADE_ANEW: tuple[Fault, ...] = (
    *(
        Fault(
            id=f"a-{field}-that-does-not-exist",
            broken=apply(ENVIRONMENT, best_fit(**{field: wrong})),
            reason="EnvironmentInvalid",
            says=(f"Correct spec.computeResources.{field}. ", ANEW),
            without=("VALID by itself",),
            remedy=apply(ENVIRONMENT, best_fit()),
        )
        for field, wrong in (("subnets", ["subnet-none"]), ("securityGroupIds", ["sg-none"]))
    ),
    Fault(
        id="a-placement-group-that-does-not-exist",
        broken=apply(ENVIRONMENT, best_fit(placementGroup="near")),
        reason="EnvironmentInvalid",
        says=("or correct spec.computeResources.placementGroup. ", ANEW),
        remedy=apply(ENVIRONMENT, best_fit()),
    ),
    Fault(
        id="a-profile-that-does-not-exist",
        broken=apply(ENVIRONMENT, best_fit(instanceRole=OTHER_PROFILE)),
        reason="EnvironmentInvalid",
        says=("or correct spec.computeResources.instanceRole. ", ANEW),
        remedy=apply(ENVIRONMENT, best_fit()),
    ),
)
VALID_AGAIN: tuple[Fault, ...] = (
    Fault(
        id="a-profile-that-is-made-again",
        broken=apply(ENVIRONMENT, environment(instanceRole=OTHER_PROFILE)),
        reason="EnvironmentInvalid",
        says=("Make the instance profile, and it becomes VALID by itself",),
        remedy=MAKE_PROFILE,
    ),
    Fault(
        id="a-launch-template-that-is-made",
        broken=apply(ENVIRONMENT, environment(launchTemplate=WEB | {"version": "1"})),
        reason="EnvironmentInvalid",
        says=("Make a launch template of that name, and it becomes VALID by itself",),
        remedy=MAKE_TEMPLATE,
    ),
    Fault(
        id="a-word-for-a-launch-template-that-is-made",
        broken=apply(ENVIRONMENT, environment(launchTemplate={"launchTemplateName": "followed"})),
        reason="LaunchTemplateNotFound",
        says=("Make the launch template, or correct the name",),
        remedy=MAKE_FOLLOWED,
    ),
    *(
        Fault(
            id=f"{field}-that-aws-exchanges-instances-for",
            broken=apply(ENVIRONMENT, environment(**{field: wrong})),
            reason="EnvironmentInvalid",
            says=(f"orrect spec.computeResources.{field}: AWS then exchanges the instances",),
            without=("anew",),
            remedy=apply(ENVIRONMENT, environment()),
        )
        for field, wrong in (
            ("subnets", ["subnet-none"]),
            ("securityGroupIds", ["sg-none"]),
            ("placementGroup", "near"),
            ("instanceRole", OTHER_PROFILE),
        )
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
USED: tuple[Fault, ...] = (
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
        for name, remedy in (
            ("out-of-the-order", OUT_OF_THE_ORDER),
            ("without-queue", QUEUE_AGAIN),
            ("and-replaced", apply(ENVIRONMENT, environment(instanceRole=PROFILE))),
        )
    ),
    Fault(
        id="not-corrected-yet",
        broken=PROFILE_GONE,
        reason="EnvironmentInvalid",
        says=(
            "or correct spec.computeResources.instanceRole. ",
            "A new environment then takes its place in its job queues by itself.",
        ),
        without=("Take it out",),
        remedy=apply(ENVIRONMENT, best_fit()),
        ready=(ENVIRONMENT, QUEUE),
    ),
    *(
        Fault(
            id=f"cluster-gone-{name}",
            broken=used(best_fit() | REFUSED, drop_cluster),
            reason="EnvironmentInvalid",
            says=("cluster that was deleted never comes back by itself", USES, ANEW),
            remedy=remedy,
            ready=(ENVIRONMENT, QUEUE),
        )
        for name, remedy in (("out-of-the-order", OUT_OF_THE_ORDER), ("without-queue", QUEUE_AGAIN))
    ),
)
NOT_REMOVED: tuple[Fault, ...] = (
    Fault(
        id="retained",
        broken=apply(ENVIRONMENT, best_fit(subnets=["subnet-none"]) | {"deletionPolicy": "Retain"}),
        reason="EnvironmentInvalid",
        says=("Correct spec.computeResources.subnets.", "set spec.deletionPolicy to Delete, and"),
        remedy=apply(ENVIRONMENT, best_fit() | {"deletionPolicy": "Delete"}),
    ),
    Fault(
        id="retained-and-corrected",
        broken=one_after_another(
            apply(ENVIRONMENT, best_fit(subnets=["subnet-none"]) | {"deletionPolicy": "Retain"}),
            lambda there: there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid"),
            apply(ENVIRONMENT, best_fit() | {"deletionPolicy": "Retain"}),
        ),
        reason="ReplacementNeeded",
        says=("set spec.deletionPolicy to Delete, and it is then made anew by itself",),
        remedy=apply(ENVIRONMENT, best_fit()),
    ),
    *(
        Fault(
            id=f"replacement-{name}",
            broken=one_after_another(
                apply(ENVIRONMENT, best_fit()),
                ready(ENVIRONMENT),
                apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]) | REFUSED),
            ),
            reason="ReplacementNeeded",
            says=("Undo the change, or set spec.replacement.policy to BlueGreen.",),
            remedy=remedy,
        )
        for name, remedy in (
            ("undone", apply(ENVIRONMENT, best_fit() | REFUSED)),
            ("allowed", apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]))),
        )
    ),
)
LACKING_ITS_ROLE: tuple[Fault, ...] = (
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
