"""What CreateComputeEnvironment and UpdateComputeEnvironment refuse.

Sources: the field descriptions of the Batch API reference, and the user guide's pages "Updating
compute environments" and "Infrastructure updates".
"""

import re
from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch import environment_kinds
from awsbatch_simulator.batch.limits import check_tags, refusal
from awsbatch_simulator.batch.model import FARGATE_TYPES, MANAGED_TYPE, Environment
from awsbatch_simulator.batch.stored_form import IMAGES, KUBERNETES_IMAGES, updated_resources
from awsbatch_simulator.ec2.types import architectures, known

SERVICE_LINKED = "/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
NOT_ON_FARGATE = (
    *("minvCpus", "desiredvCpus", "instanceTypes", "imageId", "ec2KeyPair", "instanceRole"),
    *("placementGroup", "bidPercentage", "spotIamFleetRole", "launchTemplate", "ec2Configuration"),
    *("allocationStrategy", "scalingPolicy", "tags"),
)
INFRASTRUCTURE = frozenset(
    {
        *("allocationStrategy", "bidPercentage", "ec2Configuration", "ec2KeyPair", "imageId"),
        *("instanceRole", "instanceTypes", "launchTemplate", "placementGroup"),
        *("securityGroupIds", "subnets", "tags", "type", "updateToLatestImageVersion"),
    }
)
UPDATABLE_STRATEGIES = frozenset(
    {
        *("BEST_FIT_PROGRESSIVE", "BEST_FIT_PROGRESSIVE_ORDERED", "SPOT_CAPACITY_OPTIMIZED"),
        *("SPOT_CAPACITY_OPTIMIZED_PRIORITIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"),
    }
)
# Ec2Configuration.imageType for ECS; those of EKS are for environments on EKS.
IMAGE_TYPES = frozenset({"ECS_AL2", "ECS_AL2_NVIDIA", "ECS_AL2023", "ECS_AL2023_NVIDIA"})
KUBERNETES_IMAGE_TYPES = frozenset({name.replace("ECS", "EKS") for name in IMAGE_TYPES})
ENDED_IMAGE_TYPES = frozenset({"ECS_AL2", "ECS_AL2_NVIDIA"})
IMAGE_ID = re.compile(r"ami-[0-9a-f]{1,17}")
FARGATE_SUBNETS, FARGATE_GROUPS, LAUNCH_OVERRIDES = 16, 5, 10
FULL_PRICE = 100  # per cent of the On-Demand price
SCALE_DOWN_MINUTES = range(20, 10_081)


def service_linked(role: str) -> bool:
    """Whether a service role is Batch's service-linked role."""
    return role.endswith(SERVICE_LINKED)


def check_creation(request: Mapping[str, Any]) -> None:
    """All that can be refused before anything is looked up."""
    if request.get("state", "ENABLED") != "ENABLED":
        raise refusal("A compute environment must be created in the ENABLED state")
    resources = request.get("computeResources")
    if request["type"] == "UNMANAGED":
        if "eksConfiguration" in request:
            raise refusal("eksConfiguration is only supported for MANAGED compute environments")
        if resources is not None:
            raise refusal("computeResources cannot be set for an UNMANAGED compute environment")
        if not request.get("serviceRole"):
            raise refusal("serviceRole is required for an UNMANAGED compute environment")
        return
    if "unmanagedvCpus" in request:
        raise refusal("unmanagedvCpus is only supported for UNMANAGED compute environments")
    if not resources:
        raise refusal("computeResources must be provided for a MANAGED compute environment")
    check_resources(resources, kubernetes="eksConfiguration" in request)


def check_support(resources: Mapping[str, Any], *, own_image: bool) -> None:
    """Since June 30, 2026 no environment is made on an image of Amazon Linux 2 from Batch.

    `own_image`: a launch template names one. Source: Ec2Configuration.imageType.
    """
    for each in resources.get("ec2Configuration", ()):
        own = own_image or each.get("imageIdOverride") or resources.get("imageId")
        if each["imageType"] in ENDED_IMAGE_TYPES and not own:
            raise refusal(f"imageType {each['imageType']} is not supported any more")


def check_resources(resources: Mapping[str, Any], *, kubernetes: bool = False) -> None:
    """The computeResources of a MANAGED environment, complete; `kubernetes`: on EKS."""
    if resources["type"] == MANAGED_TYPE:
        environment_kinds.check_managed_instances(resources)
    elif resources["type"] in FARGATE_TYPES:
        _check_fargate(resources)
    else:
        _check_instances(resources, kubernetes=kubernetes)
        _check_strategy(resources)
    given = [name for name in environment_kinds.ONLY_MANAGED_INSTANCES if name in resources]
    if given and resources["type"] != MANAGED_TYPE:
        raise refusal(f"{', '.join(given)} can only be set for {MANAGED_TYPE}")
    if resources["maxvCpus"] < 1:
        raise refusal("maxvCpus must be at least 1")


def _check_fargate(resources: Mapping[str, Any]) -> None:
    given = [name for name in NOT_ON_FARGATE if name in resources]
    if given:
        raise refusal(f"{', '.join(given)} cannot be set for Fargate compute environments")
    if not 1 <= len(resources.get("subnets", ())) <= FARGATE_SUBNETS:
        raise refusal(f"subnets: Fargate compute resources need 1 to {FARGATE_SUBNETS}")
    if not 1 <= len(resources.get("securityGroupIds", ())) <= FARGATE_GROUPS:
        raise refusal(f"securityGroupIds: Fargate compute resources need 1 to {FARGATE_GROUPS}")


def _check_instances(resources: Mapping[str, Any], *, kubernetes: bool) -> None:
    if not resources.get("subnets"):
        raise refusal("subnets is required for EC2 and SPOT compute resources")
    if not resources.get("instanceRole"):
        raise refusal("instanceRole is required for EC2 and SPOT compute resources")
    template = resources.get("launchTemplate")
    if not resources.get("securityGroupIds") and not template:
        raise refusal("securityGroupIds must be specified, here or in a launch template")
    if template and ("launchTemplateId" in template) == ("launchTemplateName" in template):
        raise refusal("launchTemplate needs either launchTemplateId or launchTemplateName")
    if template and len(template.get("overrides", ())) > LAUNCH_OVERRIDES:
        raise refusal(f"launchTemplate can have up to {LAUNCH_OVERRIDES} overrides")
    check_tags(resources.get("tags", {}))  # EC2 would not start instances with any other
    check_images(resources, KUBERNETES_IMAGE_TYPES if kubernetes else IMAGE_TYPES)
    check_types(resources.get("instanceTypes", ["optimal"]))
    check_sizes(resources)
    delay = resources.get("scalingPolicy", {}).get("minScaleDownDelayMinutes", 0)
    if delay and delay not in SCALE_DOWN_MINUTES:
        raise refusal("minScaleDownDelayMinutes must be 0 or between 20 and 10080")


def check_images(resources: Mapping[str, Any], types: frozenset[str]) -> None:
    """One or two image types, and image ids that look like some."""
    configurations = resources.get("ec2Configuration", ())
    if len(configurations) > 2:  # noqa: PLR2004 - "One or two values can be provided"
        raise refusal("ec2Configuration can have one or two values")
    for each in configurations:
        if each["imageType"] not in types:
            raise refusal(f"imageType must be one of {sorted(types)}, not {each['imageType']}")
    named = [each["imageIdOverride"] for each in configurations if "imageIdOverride" in each]
    for image in (*named, resources.get("imageId") or "ami-0"):
        if not IMAGE_ID.fullmatch(image):
            raise refusal(f"{image[:100]!r} is not the id of an image")


def check_types(names: list[str]) -> None:
    """Instance types that exist, of one architecture."""
    unknown = [name for name in names if not known(name)]
    if unknown:
        # AWS goes on with the whole list (Netflix/metaflow#70); ours stops at what was wrong.
        raise refusal(f"Instance type can only be one of those there are, not {', '.join(unknown)}")
    if len(architectures(names)) != 1:
        raise refusal(f"Instance types {names} must share one architecture")


def check_sizes(resources: Mapping[str, Any]) -> None:
    """0 <= min <= desired <= max."""
    least, most = resources.get("minvCpus", 0), resources["maxvCpus"]
    if not 0 <= least <= most:
        raise refusal(f"minvCpus must be between 0 and maxvCpus ({most}), not {least}")
    wanted = resources.get("desiredvCpus", least)
    if not least <= wanted <= most:
        raise refusal(
            f"desiredvCpus must be between minvCpus ({least}) and maxvCpus ({most}), not {wanted}"
        )


def _check_strategy(resources: Mapping[str, Any]) -> None:
    kind = resources["type"]
    strategy = resources.get("allocationStrategy", "BEST_FIT")
    ordered = strategy == "BEST_FIT_PROGRESSIVE_ORDERED"
    if (strategy.startswith("SPOT_") and kind != "SPOT") or (ordered and kind != "EC2"):
        # The words: seqeralabs/nf-tower#262.
        raise refusal(f"Invalid compute resource allocation strategy {strategy} for type {kind}")
    if kind == "SPOT" and strategy == "BEST_FIT" and not resources.get("spotIamFleetRole"):
        raise refusal("spotIamFleetRole is required for SPOT with the BEST_FIT strategy")
    if kind != "SPOT" and {"bidPercentage", "spotIamFleetRole"} & resources.keys():
        raise refusal("bidPercentage and spotIamFleetRole are only for SPOT compute resources")
    if not 1 <= resources.get("bidPercentage", FULL_PRICE) <= FULL_PRICE:
        raise refusal("bidPercentage must be between 1 and 100")


def check_update(environment: Environment, request: Mapping[str, Any]) -> None:
    """What an update of that environment may not say."""
    role = request.get("serviceRole")
    if role and service_linked(role) != service_linked(environment.service_role):
        raise refusal(
            "serviceRole cannot be changed between the service-linked role and another role"
        )
    environment_kinds.check_kubernetes_update(environment, request)
    changes = request.get("computeResources")
    if not environment.managed:
        if changes is not None or "updatePolicy" in request:
            raise refusal("computeResources cannot be set for an UNMANAGED compute environment")
        return
    if "unmanagedvCpus" in request:
        raise refusal("unmanagedvCpus is only supported for UNMANAGED compute environments")
    if changes is not None and not changes:
        raise refusal("computeResources must not be empty")
    if changes:
        _check_resource_update(environment, changes, role or environment.service_role)


def _check_resource_update(environment: Environment, changes: Mapping[str, Any], role: str) -> None:
    current = environment.resources or {}
    wanted, desired = changes.get("desiredvCpus"), current.get("desiredvCpus")
    if wanted is not None and desired is not None and wanted < desired:
        raise refusal(
            f"desiredvCpus can only be raised: {wanted} is less than the current {desired}"
        )
    kind = changes.get("type", current["type"])
    if kind != current["type"] and MANAGED_TYPE in {kind, current["type"]}:
        raise refusal(f"type cannot be changed to or from {MANAGED_TYPE}")
    if (kind in FARGATE_TYPES) != environment.fargate:
        raise refusal("type cannot be changed between Fargate and EC2 compute resources")
    if environment.fargate and kind != current["type"]:
        raise refusal("type cannot be changed for Fargate compute environments")
    kubernetes = environment.kubernetes is not None
    merged = updated_resources(current, changes, kubernetes=kubernetes)
    infrastructure = [name for name in changes if is_infrastructure(name, current, changes)]
    movable = environment.fargate or environment.kind == MANAGED_TYPE
    movable = movable or infrastructure_updatable(role, current, merged)
    if infrastructure and not movable:
        raise refusal(
            f"{', '.join(infrastructure)}: an infrastructure update needs the service-linked role "
            "AWSServiceRoleForBatch and an allocation strategy other than BEST_FIT"
        )
    if wanted is None:
        merged.pop("desiredvCpus", None)
    check_resources(merged, kubernetes=kubernetes)


def is_infrastructure(name: str, current: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Whether a change of that member replaces instances: not where it changes nothing."""
    if name not in INFRASTRUCTURE:
        return False
    if name == "updateToLatestImageVersion":
        return orders_newest_image(current, changes)
    return bool(_meaning(name, changes[name]) != _meaning(name, current.get(name)))


def orders_newest_image(current: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Whether updateToLatestImageVersion counts: it is ignored with an image id of the user's.

    One of the launch template does not count here: only with this order is it read anew.
    """
    wanted = changes.get("updateToLatestImageVersion", False)
    return bool(wanted) and not _names_image({**current, **changes})


def _names_image(resources: Mapping[str, Any]) -> bool:
    """With an image id of the user's, updateToLatestImageVersion is ignored."""
    configurations = resources.get("ec2Configuration") or ()
    return bool(resources.get("imageId")) or any(
        each.get("imageIdOverride") for each in configurations
    )


def _meaning(name: str, value: Any) -> Any:
    """A member's value with what AWS takes for the same: empty is not there, and the defaults."""
    match name:
        case "launchTemplate":
            given = {key: entry for key, entry in (value or {}).items() if entry not in ("", [])}
            named = given.keys() & {"launchTemplateId", "launchTemplateName"}
            return {"version": "$Default", **given} if named else None
        case "ec2Configuration":
            defaults: tuple[list[Any], ...] = (
                [],
                [dict(each) for each in IMAGES],
                [dict(e) for e in KUBERNETES_IMAGES],
            )
            return None if (value or []) in defaults else value
        case "bidPercentage":
            return value or FULL_PRICE
        case _:
            return value or None


def infrastructure_updatable(
    role: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> bool:
    """Whether AWS would replace the instances in place."""
    return service_linked(role) and all(
        each.get("allocationStrategy") in UPDATABLE_STRATEGIES for each in (before, after)
    )
