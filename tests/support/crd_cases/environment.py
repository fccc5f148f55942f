"""ComputeEnvironment."""

from tests.support.crd_cases.cases import bound, case
from tests.support.crd_cases.environment_parts import (
    EKS,
    NO_INSTANCES,
    PROVIDER,
    ROLE,
    SPOT_FLEET,
    STRATEGY,
    UNMANAGED,
    fargate,
    resources,
    template,
)
from tests.support.crd_cases.silent import SAYS_NOTHING, SAYS_SOMETHING

CASES = {
    "type-immutable": case(before={}, accepts={"state": "DISABLED"}, refuses=UNMANAGED),
    "managed-needs-resources": case(accepts={}, refuses={"computeResources": None}),
    "unmanaged-without-resources": case(
        accepts=UNMANAGED,
        refuses=[
            {"type": "UNMANAGED", "serviceRole": ROLE},
            {**UNMANAGED, "updatePolicy": {"terminateJobsOnUpdate": True}},
            {**UNMANAGED, "eksConfiguration": EKS},
        ],
    ),
    "fargate-update-policy": case(
        accepts=[
            {"updatePolicy": {"terminateJobsOnUpdate": True}},
            {**fargate(), "updatePolicy": {}},
            {
                **fargate(),
                "updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30},
            },
        ],
        refuses=[
            {**fargate(), "updatePolicy": {"terminateJobsOnUpdate": True}},
            {**fargate(), "updatePolicy": {"jobExecutionTimeoutMinutes": 60}},
        ],
    ),
    "unmanaged-needs-role": case(
        accepts=UNMANAGED,
        refuses=[{**UNMANAGED, "serviceRole": None}, {**UNMANAGED, "serviceRole": ""}],
    ),
    "unmanaged-vcpus": case(
        accepts=[{**UNMANAGED, "unmanagedvCpus": 64}, {"unmanagedvCpus": 0}],
        refuses={"unmanagedvCpus": 64},
    ),
    "ecs-or-eks": case(
        accepts=[
            {"ecsSettings": {"containerInsights": "ENABLED"}},
            *(
                {
                    "ecsSettings": settings,
                    "eksConfiguration": EKS,
                    **resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
                }
                for settings in ({}, {"containerInsights": "DISABLED"})
            ),
        ],
        refuses={
            "ecsSettings": {"containerInsights": "ENABLED"},
            "eksConfiguration": EKS,
            **resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
        },
    ),
    "eks-resources": case(
        accepts={
            "eksConfiguration": EKS,
            **resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
        },
        refuses=[
            {"eksConfiguration": EKS},
            {"eksConfiguration": EKS, **resources(allocationStrategy="BEST_FIT")},
            {"eksConfiguration": EKS, **fargate()},
        ],
    ),
    "eks-namespace": case(
        accepts={
            "eksConfiguration": EKS,
            **resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
        },
        refuses=[
            {
                "eksConfiguration": {**EKS, "kubernetesNamespace": name},
                **resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
            }
            for name in ("default", "kube-system")
        ],
    ),
    "vcpus-ordered": case(
        accepts=[
            resources(minvCpus=64),
            resources(minvCpus=2, desiredvCpus=4, maxvCpus=8),
        ],
        refuses=[
            resources(minvCpus=65),
            resources(desiredvCpus=65),
            resources(minvCpus=4, desiredvCpus=2),
        ],
    ),
    "fargate-without-instances": case(
        accepts=[fargate(), fargate(**SAYS_NOTHING)],
        refuses=[
            fargate(allocationStrategy="BEST_FIT_PROGRESSIVE"),
            fargate(ec2KeyPair="me", tags={"a": "b"}),
            *(fargate(**{name: value}) for name, value in SAYS_SOMETHING.items()),
        ],
        says="members that describe instances are refused. Remove ",
    ),
    "fargate-network": case(
        accepts=fargate(subnets=[f"subnet-{n}" for n in range(16)]),
        refuses=[
            fargate(subnets=[f"subnet-{n}" for n in range(17)]),
            fargate(subnets=[]),
            fargate(securityGroupIds=None),
        ],
    ),
    "instances-needs": case(
        accepts=resources(securityGroupIds=None),
        refuses=[
            resources(instanceTypes=None),
            resources(subnets=[]),
            resources(instanceTypes=[]),
            resources(instanceRole=None),
            resources(instanceRole=""),
        ],
    ),
    "spot-only-members": case(
        accepts=[
            resources(type="SPOT", allocationStrategy=STRATEGY, bidPercentage=60),
            resources(spotIamFleetRole=""),
        ],
        refuses=[
            resources(bidPercentage=60),
            resources(spotIamFleetRole=SPOT_FLEET),
            resources(allocationStrategy=STRATEGY),
        ],
    ),
    "spot-fleet-role": case(
        accepts=[
            resources(type="SPOT", allocationStrategy=STRATEGY),
            resources(type="SPOT", spotIamFleetRole=SPOT_FLEET),
        ],
        refuses=[
            resources(type="SPOT"),
            resources(type="SPOT", spotIamFleetRole=""),
            resources(type="SPOT", allocationStrategy="BEST_FIT"),
        ],
    ),
    "ordered-on-demand": case(
        accepts=resources(allocationStrategy="BEST_FIT_PROGRESSIVE_ORDERED"),
        refuses=resources(type="SPOT", allocationStrategy="BEST_FIT_PROGRESSIVE_ORDERED"),
    ),
    "managed-instances-provider": case(
        accepts=[
            resources(
                type="ECS_MANAGED_INSTANCES",
                **NO_INSTANCES,
                managedInstancesProvider=PROVIDER,
                capacityTags={"a": "b"},
            ),
            resources(capacityTags={}),
        ],
        refuses=[
            resources(type="ECS_MANAGED_INSTANCES", **NO_INSTANCES),
            resources(managedInstancesProvider=PROVIDER),
            resources(capacityTags={"a": "b"}),
        ],
    ),
    "launch-template-named-once": case(
        accepts=[template(launchTemplateName="base"), template(launchTemplateId="lt-0a1b2c3d")],
        refuses=[
            template(version="$Latest"),
            template(launchTemplateName="base", launchTemplateId="lt-0a1b2c3d"),
        ],
    ),
    "launch-template-override-named-once": case(
        accepts=template(
            launchTemplateName="base",
            overrides=[{"launchTemplateName": "big", "targetInstanceTypes": ["m7i.8xlarge"]}],
        ),
        refuses=template(
            launchTemplateName="base", overrides=[{"targetInstanceTypes": ["m7i.8xlarge"]}]
        ),
    ),
    "scale-down-delay": case(
        accepts=[
            resources(scalingPolicy={"minScaleDownDelayMinutes": minutes})
            for minutes in (0, 20, 10080)
        ],
        refuses=resources(scalingPolicy={"minScaleDownDelayMinutes": 19}),
    ),
}

EMPTY_LISTS = [resources(ec2Configuration=[]), resources(tags={})]
BOUNDS = (
    bound(
        "spec.computeResources.ec2Configuration",
        accepts=[resources(ec2Configuration=[{"imageType": "ECS_AL2023"}]), *EMPTY_LISTS],
        refuses=resources(
            ec2Configuration=[{"imageType": f"ECS_{name}"} for name in ("A", "B", "C")]
        ),
    ),
    bound(
        "spec.computeResources.bidPercentage",
        accepts={},
        refuses=resources(type="SPOT", allocationStrategy=STRATEGY, bidPercentage=101),
    ),
    bound(
        "spec.updatePolicy.jobExecutionTimeoutMinutes",
        accepts={"updatePolicy": {"jobExecutionTimeoutMinutes": 7200}},
        refuses={"updatePolicy": {"jobExecutionTimeoutMinutes": 7201}},
    ),
    bound(
        "spec.computeResources.type",
        accepts={},
        refuses=resources(type="ec2"),
    ),
    bound(
        "spec.tags",
        accepts={"tags": {f"k{n}": "" for n in range(40)}},
        refuses={"tags": {f"k{n}": "" for n in range(41)}},
    ),
    bound(
        "spec.awsName",
        accepts={"awsName": "shared_spot-1"},
        refuses=[{"awsName": "shared.spot"}, {"awsName": "n" * 129}, {"awsName": "-x"}],
    ),
)
