"""Rules of compute environments.

What a Describe call returns can be applied: a member that is there and says nothing (0, an empty
text, list or map, false) contradicts no other one.
"""

from awsbatch_operator.schema.rules import Rule, chosen, exactly_one, one_given, said

_ZERO, _TEXT, _ENTRIES = "0", "''", ""
# CreateComputeEnvironment's reference says of each of these that Fargate does not take it; with
# what says nothing, as `said` takes it; None: its presence says something.
_NOT_FARGATE: dict[str, str | None] = {
    "instanceTypes": _ENTRIES,
    "instanceRole": _TEXT,
    "allocationStrategy": None,
    "minvCpus": _ZERO,
    "desiredvCpus": _ZERO,
    "imageId": _TEXT,
    "ec2KeyPair": _TEXT,
    "placementGroup": _TEXT,
    "bidPercentage": None,
    "spotIamFleetRole": _TEXT,
    "launchTemplate": None,
    "ec2Configuration": _ENTRIES,
    "scalingPolicy": None,
    "tags": _ENTRIES,
}
NOT_FARGATE = tuple(_NOT_FARGATE)
_GIVEN = {
    name: f"has(self.{name})" if empty is None else said(name, empty)
    for name, empty in _NOT_FARGATE.items()
}
_NONE_GIVEN = " && ".join(f"!{given}" for given in _GIVEN.values())
_FARGATE = "self.type in ['FARGATE', 'FARGATE_SPOT']"
_INSTANCES = "self.type in ['EC2', 'SPOT']"

COMPUTE_RESOURCE = (
    Rule(
        id="vcpus-ordered",
        cel="""(!has(self.minvCpus) || self.minvCpus <= self.maxvCpus)
            && (!has(self.desiredvCpus) || self.desiredvCpus <= self.maxvCpus)
            && (!has(self.desiredvCpus) || !has(self.minvCpus)
                || self.desiredvCpus >= self.minvCpus)""",
        message=(
            "AWS Batch scales between minvCpus and maxvCpus, and desiredvCpus is where it starts. "
            "Make minvCpus <= desiredvCpus <= maxvCpus."
        ),
    ),
    Rule(
        id="fargate-without-instances",
        cel=f"!({_FARGATE}) || ({_NONE_GIVEN})",
        message=(
            "Fargate has no instances, so members that describe instances are refused. Remove "
            f"those of {', '.join(NOT_FARGATE)}, or set type to EC2 or SPOT."
        ),
        words=f"""'Fargate has no instances, so members that describe instances are refused. '
            + 'Remove' + {chosen(_GIVEN)} + ', or set type to EC2 or SPOT.'""",
    ),
    Rule(
        id="fargate-network",
        cel=f"""!({_FARGATE}) || (has(self.subnets) && size(self.subnets) >= 1
            && size(self.subnets) <= 16
            && has(self.securityGroupIds) && size(self.securityGroupIds) >= 1)""",
        message=(
            "Fargate needs to know the network that its tasks join. Set 1 to 16 subnets and at "
            "least one of securityGroupIds."
        ),
    ),
    Rule(
        id="instances-needs",
        cel=f"""!({_INSTANCES}) || ({said("subnets")}
            && {said("instanceRole", _TEXT)} && {said("instanceTypes")})""",
        message=(
            "AWS Batch cannot launch EC2 instances without knowing which, where and with what "
            "profile. Set instanceTypes, subnets and instanceRole."
        ),
    ),
    Rule(
        id="spot-only-members",
        cel=f"""self.type == 'SPOT' || (!has(self.bidPercentage)
            && !{said("spotIamFleetRole", _TEXT)} && !(has(self.allocationStrategy)
                 && self.allocationStrategy.startsWith('SPOT_')))""",
        message=(
            "bidPercentage, spotIamFleetRole and the SPOT_… allocation strategies are about Spot "
            "Instances. Remove them, or set type to SPOT."
        ),
    ),
    Rule(
        id="spot-fleet-role",
        cel=f"""self.type != 'SPOT' || {said("spotIamFleetRole", _TEXT)}
            || (has(self.allocationStrategy) && self.allocationStrategy != 'BEST_FIT')""",
        message=(
            "SPOT with the allocation strategy BEST_FIT (the default) goes through a Spot Fleet, "
            "which needs a role. Set allocationStrategy to SPOT_PRICE_CAPACITY_OPTIMIZED, or set "
            "spotIamFleetRole."
        ),
    ),
    Rule(
        id="ordered-on-demand",
        cel="""!has(self.allocationStrategy) || self.type == 'EC2'
            || self.allocationStrategy != 'BEST_FIT_PROGRESSIVE_ORDERED'""",
        message=(
            "AWS offers BEST_FIT_PROGRESSIVE_ORDERED for On-Demand instances only. For SPOT, use "
            "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED."
        ),
    ),
    Rule(
        id="managed-instances-provider",
        cel=f"""(self.type == 'ECS_MANAGED_INSTANCES') == has(self.managedInstancesProvider)
            && (self.type == 'ECS_MANAGED_INSTANCES' || !{said("capacityTags")})""",
        message=(
            "managedInstancesProvider describes capacity of type ECS_MANAGED_INSTANCES and no "
            "other, and so does capacityTags. Set it with that type, remove it with the others."
        ),
    ),
    Rule(
        id="one-placement-group",
        cel=f"""!{said("managedPlacementGroup", "false")}
            || ({_INSTANCES} && !{said("placementGroup", _TEXT)})""",
        message=(
            "managedPlacementGroup makes the one placement group that the instances of EC2 and "
            "SPOT are launched into. Remove it, or placementGroup; with another type, remove it."
        ),
    ),
)

_IMAGE_FORM = "^(ami-[0-9a-f]+)?$"
_IMAGE_WORDS = (
    "{} is the id of a machine image, such as ami-0123456789abcdef0, not its name. Look it up with "
    "aws ec2 describe-images."
)
IMAGE = Rule(
    id="image-id",
    cel=f"!has(self.imageId) || self.imageId.matches('{_IMAGE_FORM}')",
    message=_IMAGE_WORDS.format("imageId"),
    field=".imageId",
)
IMAGE_OVERRIDE = Rule(
    id="image-id-override",
    cel=f"!has(self.imageIdOverride) || self.imageIdOverride.matches('{_IMAGE_FORM}')",
    message=_IMAGE_WORDS.format("imageIdOverride"),
    field=".imageIdOverride",
)
IMAGE_TYPE = Rule(
    id="image-type",
    cel="self.imageType.matches('^(ECS|EKS)_[A-Z0-9_]+$')",
    message=(
        "imageType is one of AWS's words for an image of ECS or EKS, such as ECS_AL2023, "
        "ECS_AL2023_NVIDIA or EKS_AL2023. A machine image of your own goes into imageIdOverride, "
        "beside the type that it was made from."
    ),
    field=".imageType",
)

ONE_IMAGE = one_given(
    "one-image",
    {"amiRef": "has(self.amiRef)", "imageIdOverride": said("imageIdOverride", _TEXT)},
    "amiRef stands for the image that an ExtendedAMI has made, and imageIdOverride names another. "
    "Set one of the two, or neither for AWS's own image.",
)

TEMPLATE = exactly_one(
    "launch-template-named-once",
    ("launchTemplateId", "launchTemplateName"),
    "A launch template is found either by its id or by its name. Set exactly one of "
    "launchTemplateId and launchTemplateName.",
)
TEMPLATE_OVERRIDE = exactly_one(
    "launch-template-override-named-once",
    ("launchTemplateId", "launchTemplateName"),
    "A launch template is found either by its id or by its name. Set exactly one of "
    "launchTemplateId and launchTemplateName.",
)
SCALE_DOWN = Rule(
    id="scale-down-delay",
    cel="""!has(self.minScaleDownDelayMinutes) || self.minScaleDownDelayMinutes == 0
        || self.minScaleDownDelayMinutes >= 20""",
    message=(
        "AWS keeps idle instances for at least 20 minutes or not at all. Set "
        "minScaleDownDelayMinutes to 0, or to 20 up to 10080."
    ),
    field=".minScaleDownDelayMinutes",
)
EKS_NAMESPACE = Rule(
    id="eks-namespace",
    cel="self.kubernetesNamespace != 'default' && !self.kubernetesNamespace.startsWith('kube')",
    message=(
        "AWS Batch does not run pods in default or in system namespaces. Give it a namespace of "
        "its own in kubernetesNamespace."
    ),
    field=".kubernetesNamespace",
)

# --- on the whole spec ---

_NEWEST = said("updateToLatestImageVersion", "false", "self.computeResources")

SPEC = (
    Rule(
        id="type-immutable",
        cel="self.type == oldSelf.type",
        message=(
            "AWS cannot turn a MANAGED environment into an UNMANAGED one or back. Create another "
            "ComputeEnvironment and move the queues to it."
        ),
        field=".type",
    ),
    Rule(
        id="managed-needs-resources",
        cel="self.type != 'MANAGED' || has(self.computeResources)",
        message=(
            "A MANAGED environment needs to know what AWS Batch may launch. Set computeResources, "
            "or set type to UNMANAGED."
        ),
    ),
    Rule(
        id="unmanaged-without-resources",
        cel="""self.type != 'UNMANAGED' || (!has(self.computeResources)
            && !has(self.eksConfiguration) && !has(self.updatePolicy))""",
        message=(
            "In an UNMANAGED environment AWS launches nothing, so it takes no computeResources, "
            "eksConfiguration or updatePolicy. Remove them, or set type to MANAGED."
        ),
    ),
    Rule(
        id="fargate-update-policy",
        cel=f"""!has(self.updatePolicy) || !has(self.computeResources)
            || !({_FARGATE.replace("self.", "self.computeResources.")})
            || (!{said("terminateJobsOnUpdate", "false", "self.updatePolicy")}
                && !{said("jobExecutionTimeoutMinutes", "30", "self.updatePolicy")})""",
        message=(
            "updatePolicy is about how instances are exchanged; Fargate has none, and AWS ignores "
            "it there. Remove updatePolicy."
        ),
        field=".updatePolicy",
    ),
    Rule(
        id="unmanaged-needs-role",
        cel=f"self.type != 'UNMANAGED' || {said('serviceRole', _TEXT)}",
        message=(
            "AWS Batch uses its service-linked role for MANAGED environments only. Set serviceRole."
        ),
    ),
    Rule(
        id="unmanaged-vcpus",
        cel=f"self.type == 'UNMANAGED' || !{said('unmanagedvCpus', _ZERO)}",
        message=(
            "unmanagedvCpus says how much you bring; in a MANAGED environment that is "
            "computeResources.maxvCpus. Remove unmanagedvCpus."
        ),
        field=".unmanagedvCpus",
    ),
    Rule(
        id="ecs-or-eks",
        cel="""!has(self.eksConfiguration) || !has(self.ecsSettings)
            || !has(self.ecsSettings.containerInsights)
            || self.ecsSettings.containerInsights == 'DISABLED'""",
        message=(
            "An environment runs its jobs on ECS or on EKS. Remove ecsSettings or eksConfiguration."
        ),
    ),
    Rule(
        id="eks-resources",
        cel="""!has(self.eksConfiguration) || !has(self.computeResources)
            || (self.computeResources.type in ['EC2', 'SPOT']
                && has(self.computeResources.allocationStrategy)
                && self.computeResources.allocationStrategy != 'BEST_FIT')""",
        message=(
            "AWS Batch on EKS runs on EC2 and Spot instances with an allocation strategy of its "
            "own. Set computeResources.type to EC2 or SPOT and allocationStrategy to one other "
            "than BEST_FIT."
        ),
    ),
    Rule(
        id="image-updates-of-instances",
        cel=f"""(!(has(self.imageUpdates) && self.imageUpdates == 'Track')
            && !(has(self.computeResources) && {_NEWEST}))
            || (has(self.computeResources)
                && {_INSTANCES.replace("self.", "self.computeResources.")})""",
        message=(
            "imageUpdates: Track, and updateToLatestImageVersion: true, follow the machine images "
            "that AWS Batch provides for its instances of EC2 and SPOT. Remove them, or set "
            "computeResources.type to one of these."
        ),
    ),
    Rule(
        id="image-updates-said-once",
        cel=f"""!has(self.imageUpdates) || self.imageUpdates != 'Manual'
            || !has(self.computeResources) || !{_NEWEST}""",
        message=(
            "computeResources.updateToLatestImageVersion: true means imageUpdates: Track, which "
            "imageUpdates: Manual contradicts. Remove one of the two."
        ),
        field=".imageUpdates",
    ),
)
