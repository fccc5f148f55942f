"""What the cases of ComputeEnvironment are made of."""

PROFILE = "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole"
ROLE = "arn:aws:iam::111122223333:role/batch-service"
SPOT_FLEET = "arn:aws:iam::111122223333:role/spot-fleet"
CLUSTER = "arn:aws:eks:eu-central-1:111122223333:cluster/research"
STRATEGY = "SPOT_PRICE_CAPACITY_OPTIMIZED"

BASE = {
    "type": "MANAGED",
    "computeResources": {
        "type": "EC2",
        "maxvCpus": 64,
        "instanceTypes": ["m7i", "c7i"],
        "subnets": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
        "instanceRole": PROFILE,
    },
}
NO_INSTANCES = {"instanceTypes": None, "instanceRole": None}
UNMANAGED = {"type": "UNMANAGED", "computeResources": None, "serviceRole": ROLE}
EKS = {"eksClusterArn": CLUSTER, "kubernetesNamespace": "batch"}
PROVIDER = {
    "infrastructureRoleArn": ROLE,
    "instanceLaunchTemplate": {
        "ec2InstanceProfileArn": PROFILE,
        "networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    },
}


def resources(**members):
    return {"computeResources": members}


def fargate(**members):
    return resources(type="FARGATE", **(NO_INSTANCES | members))


def image(**members):
    return resources(ec2Configuration=[{"imageType": "ECS_AL2023", **members}])


def template(**members):
    return resources(launchTemplate=members)
