"""Rules of compute environments."""

from awsbatch_operator.schema.rules import Rule, at_most_one, exactly_one, none_of, present

# CreateComputeEnvironment's reference says of each of these that Fargate does not take it.
NOT_FARGATE = (
    "instanceTypes",
    "instanceRole",
    "allocationStrategy",
    "minvCpus",
    "desiredvCpus",
    "imageId",
    "ec2KeyPair",
    "placementGroup",
    "bidPercentage",
    "spotIamFleetRole",
    "launchTemplate",
    "ec2Configuration",
    "scalingPolicy",
    "tags",
)
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
        cel=f"!({_FARGATE}) || ({none_of(NOT_FARGATE)})",
        message=(
            "Fargate has no instances, so members that describe instances are refused. Remove "
            f"those of {', '.join(NOT_FARGATE)}, or set type to EC2 or SPOT."
        ),
        words=f"""'Fargate has no instances, so members that describe instances are refused. '
            + 'Remove' + {present(NOT_FARGATE)} + ', or set type to EC2 or SPOT.'""",
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
        cel=f"""!({_INSTANCES}) || (has(self.subnets) && size(self.subnets) >= 1
            && has(self.instanceRole) && has(self.instanceTypes)
            && size(self.instanceTypes) >= 1)""",
        message=(
            "AWS Batch cannot launch EC2 instances without knowing which, where and with what "
            "profile. Set instanceTypes, subnets and instanceRole."
        ),
    ),
    Rule(
        id="spot-only-members",
        cel="""self.type == 'SPOT' || (!has(self.bidPercentage) && !has(self.spotIamFleetRole)
            && !(has(self.allocationStrategy)
                 && self.allocationStrategy.startsWith('SPOT_')))""",
        message=(
            "bidPercentage, spotIamFleetRole and the SPOT_… allocation strategies are about Spot "
            "Instances. Remove them, or set type to SPOT."
        ),
    ),
    Rule(
        id="spot-fleet-role",
        cel="""self.type != 'SPOT' || has(self.spotIamFleetRole)
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
        cel="""(self.type == 'ECS_MANAGED_INSTANCES') == has(self.managedInstancesProvider)
            && (self.type == 'ECS_MANAGED_INSTANCES' || !has(self.capacityTags))""",
        message=(
            "managedInstancesProvider describes capacity of type ECS_MANAGED_INSTANCES and no "
            "other, and so does capacityTags. Set it with that type, remove it with the others."
        ),
    ),
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
        id="unmanaged-needs-role",
        cel="self.type != 'UNMANAGED' || has(self.serviceRole)",
        message=(
            "AWS Batch uses its service-linked role for MANAGED environments only. Set serviceRole."
        ),
    ),
    Rule(
        id="unmanaged-vcpus",
        cel="self.type == 'UNMANAGED' || !has(self.unmanagedvCpus)",
        message=(
            "unmanagedvCpus says how much you bring; in a MANAGED environment that is "
            "computeResources.maxvCpus. Remove unmanagedvCpus."
        ),
        field=".unmanagedvCpus",
    ),
    at_most_one(
        "ecs-or-eks",
        ("ecsSettings", "eksConfiguration"),
        "An environment runs its jobs on ECS or on EKS. Remove ecsSettings or eksConfiguration.",
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
)
