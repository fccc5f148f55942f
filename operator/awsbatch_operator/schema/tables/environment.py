"""Compute environments: CreateComputeEnvironment, and what only its update knows."""

from awsbatch_operator.schema.additions import (
    LIST,
    Additions,
    OwnMember,
    Struct,
    arn,
    many,
    number,
    plain,
    text,
    words,
)
from awsbatch_operator.schema.forms import NAMESPACE, TEMPLATE_ID
from awsbatch_operator.schema.references import AmiRef
from awsbatch_operator.schema.tables import environment_rules as rules

_TEMPLATE_MEMBERS = {
    "launchTemplateId": text("Launch template by id.", form=TEMPLATE_ID),
    "launchTemplateName": text("Launch template by name."),
    "version": text("Template version: a number, $Latest or $Default (AWS's default)."),
    "userdataType": plain("How an EKS node with a custom image starts."),
}

SHAPES: Additions = {
    "CreateComputeEnvironmentRequest": Struct(
        members={
            "type": plain("MANAGED: AWS Batch runs the instances. UNMANAGED: you bring them."),
            "state": plain("ENABLED (default) takes jobs; DISABLED lets running ones finish."),
            "unmanagedvCpus": number("vCPUs to reserve for new share identifiers. UNMANAGED only."),
            "computeResources": plain("The instances or Fargate capacity. MANAGED only."),
            "serviceRole": arn(
                "Role that AWS Batch acts with, by ARN, or by name with its path. Unset: its "
                "service-linked role. Required for UNMANAGED.",
                low=0,
            ),
            "eksConfiguration": plain("The EKS cluster that runs the jobs, instead of ECS."),
            "ecsSettings": plain("Settings of the ECS cluster that runs the jobs."),
        },
    ),
    "ComputeResource": Struct(
        members={
            "type": plain("Kind of capacity."),
            "allocationStrategy": plain("How instance types are chosen. AWS's default: BEST_FIT."),
            "minvCpus": number("vCPUs kept running even without jobs."),
            "maxvCpus": number("vCPUs that the environment may grow to.", 1),
            "desiredvCpus": number("vCPUs to start with; AWS Batch changes it from then on."),
            "instanceTypes": many(
                "Instance types, families, or default_x86_64, default_arm64, optimal.",
                length=(1, 64),
            ),
            "imageId": text("Machine image. Deprecated by AWS: use ec2Configuration.", low=0),
            "subnets": many("Subnets to launch in.", length=(1, 64)),
            "securityGroupIds": many("Security groups of the instances.", length=(1, 64)),
            "ec2KeyPair": text("Key pair for SSH to the instances.", low=0),
            "instanceRole": arn("Instance profile of the instances, by ARN or name.", low=0),
            "tags": many(
                "Tags for the instances, besides the operator's own.", (0, 40), length=(0, 256)
            ),
            "placementGroup": text("Placement group of the instances.", low=0),
            "bidPercentage": number(
                "Highest Spot price, as a percentage of the On-Demand price.", 1, 100
            ),
            "spotIamFleetRole": arn(
                "Spot Fleet role, by ARN; needed for SPOT with BEST_FIT.", low=0
            ),
            "launchTemplate": plain("Launch template of the instances."),
            "ec2Configuration": many("Machine images, one entry an image type.", (0, 2)),
            "scalingPolicy": plain("How soon idle instances go."),
            "managedInstancesProvider": plain("Capacity of type ECS_MANAGED_INSTANCES."),
            "capacityTags": many(
                "Tags for the capacity provider and instances of ECS_MANAGED_INSTANCES.",
                (0, 40),
                length=(0, 256),
            ),
        },
        flags={
            "updateToLatestImageVersion": "True means the same as imageUpdates: Track.",
            "managedPlacementGroup": (
                "A cluster placement group that the operator makes for the instances, and removes "
                "with the environment; instead of placementGroup."
            ),
        },
        rules=(*rules.COMPUTE_RESOURCE, rules.IMAGE),
    ),
    "LaunchTemplateSpecification": Struct(
        members={
            **_TEMPLATE_MEMBERS,
            "overrides": many("Other launch templates for some instance types.", (0, 10)),
        },
        rules=(rules.TEMPLATE,),
    ),
    "LaunchTemplateSpecificationOverride": Struct(
        members={
            **_TEMPLATE_MEMBERS,
            "targetInstanceTypes": many(
                "Instance types or families that get this template.", (1, LIST), length=(1, 64)
            ),
        },
        required=("targetInstanceTypes",),
        rules=(rules.TEMPLATE_OVERRIDE,),
    ),
    "Ec2Configuration": Struct(
        members={
            "imageType": text(
                "Image type, such as ECS_AL2023 or ECS_AL2023_NVIDIA. AWS makes no new environment "
                "with ECS_AL2 or ECS_AL2_NVIDIA any more, but with an image of your own."
            ),
            "imageIdOverride": text(
                "Machine image to use instead of AWS's newest of the type.", low=0
            ),
            "imageKubernetesVersion": text("Kubernetes version of an EKS image."),
        },
        omit={"batchImageStatus": "only returned by AWS"},
        own={"amiRef": OwnMember(doc="The image that an ExtendedAMI has made.", model=AmiRef)},
        rules=(rules.IMAGE_OVERRIDE, rules.IMAGE_TYPE, rules.ONE_IMAGE),
    ),
    "ComputeScalingPolicy": Struct(
        members={
            "minScaleDownDelayMinutes": number(
                "Minutes that an idle instance stays: 20 to 10080, or 0 for AWS's own.", 0, 10080
            ),
        },
        rules=(rules.SCALE_DOWN,),
    ),
    "ManagedInstancesProvider": Struct(
        members={
            "propagateTags": words(
                "Whether instances get the capacity provider's tags.", "CAPACITY_PROVIDER", "NONE"
            ),
            "infrastructureRoleArn": arn("Role that ECS manages the instances with."),
            "instanceLaunchTemplate": plain("How the instances are launched."),
            "infrastructureOptimization": plain("What happens to idle instances."),
        },
    ),
    "InstanceLaunchTemplate": Struct(
        members={
            "ec2InstanceProfileArn": arn("Instance profile of the instances."),
            "networkConfiguration": plain("Where the instances are launched."),
            "instanceRequirements": plain("Which instance types may be launched."),
            "capacityOptionType": words("On-Demand (default) or Spot.", "ON_DEMAND", "SPOT"),
            "storageConfiguration": plain("The root volume."),
            "monitoring": words("CloudWatch monitoring of the instances.", "BASIC", "DETAILED"),
            "fipsEnabled": plain("Whether FIPS 140-2 validated modules are used."),
            "capacityReservations": plain("Capacity reservations to use."),
            "instanceMetadataTagsPropagation": plain("Whether instances can read their tags."),
            "localStorageConfiguration": plain("Use of instance store volumes."),
        },
    ),
    "ManagedInstancesNetworkConfiguration": Struct(
        members={
            "subnets": many("Subnets to launch in.", (1, LIST), length=(1, 64)),
            "securityGroups": many("Security groups of the instances.", (1, LIST), length=(1, 64)),
        },
    ),
    "InstanceRequirementsRequest": Struct(
        members={
            "allowedInstanceTypes": many(
                "Instance types, wildcards allowed, that may be launched.", (0, 400), length=(1, 64)
            ),
        },
    ),
    "ManagedInstancesStorageConfiguration": Struct(
        members={"storageSizeGiB": number("Size of the root volume in GiB.", 1, 65536)},
    ),
    "CapacityReservationRequest": Struct(
        members={
            "reservationGroupArn": arn("Group of capacity reservations."),
            "reservationPreference": words(
                "How reservations are preferred.",
                "RESERVATIONS_ONLY",
                "RESERVATIONS_FIRST",
                "RESERVATIONS_EXCLUDED",
            ),
        },
    ),
    "ManagedInstancesLocalStorageConfiguration": Struct(
        members={"useLocalStorage": plain("Whether containers may use instance store volumes.")},
    ),
    "InfrastructureOptimization": Struct(
        members={
            "scaleInAfter": number("Seconds that an instance may be idle; -1: for ever.", -1, 3600),
        },
    ),
    "EksConfiguration": Struct(
        members={
            "eksClusterArn": arn("The EKS cluster."),
            "kubernetesNamespace": text(
                "Namespace in that cluster for the pods; not default and not kube-….",
                63,
                form=NAMESPACE,
            ),
            "accessEntry": plain("How AWS Batch is authenticated by the cluster."),
        },
        rules=(rules.EKS_NAMESPACE,),
    ),
    "EksAccessEntry": Struct(
        members={"desiredState": plain("Whether AWS Batch makes an access entry in the cluster.")},
        omit={"status": "only returned by AWS"},
    ),
    "EcsSettings": Struct(
        members={"containerInsights": plain("CloudWatch Container Insights. Default: DISABLED.")},
    ),
    "UpdatePolicy": Struct(
        members={
            "terminateJobsOnUpdate": plain(
                "Whether an infrastructure update ends running jobs. Default: false."
            ),
            "jobExecutionTimeoutMinutes": number(
                "Minutes that jobs may run on during an infrastructure update. Default: 30.",
                1,
                7200,
            ),
        },
    ),
}
