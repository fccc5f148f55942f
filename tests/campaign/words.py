"""Words and numbers that mean something in AWS, for the fields of the campaign.

`{object}` in a word stands for the name of the object that it is applied to; `sg-0a1b`,
`sg-0a1c`, `lt-0a1b`, `lt-0a1c` and IMAGES for ids that are only known once the world is made
(`ground.py`).
"""

from collections.abc import Mapping
from typing import Any

from tests.support.manifests import PROFILE, ROLE

_ROLES = "arn:aws:iam::111122223333:role"
_BATCH = "arn:aws:batch:eu-central-1:111122223333"
_EKS = "arn:aws:eks:eu-central-1:111122223333:cluster"
IMAGES = ("ami-0a1b2c3d", "ami-0d3c2b1a")
_OPTIMIZED = "/aws/service/ecs/optimized-ami"
_MIME = (
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=parts\n\n"
    "--parts\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n{}\n--parts--\n"
)
PARAMETERS = (  # that name IMAGES
    f"{_OPTIMIZED}/amazon-linux-2023/recommended/image_id",
    f"{_OPTIMIZED}/amazon-linux-2/recommended/image_id",
)

# Words by the member's name, or by its parent's and its own, the first ones tried first.
WORDS: Mapping[str, tuple[str, ...]] = {
    "accountRef.name": ("research", "other"),
    "adoptionPolicy": ("AdoptOrCreate", "Create"),
    "allocationStrategy": ("BEST_FIT_PROGRESSIVE_ORDERED", "SPOT_CAPACITY_OPTIMIZED", "BEST_FIT"),
    "amiId": IMAGES,
    "awsName": ("one-{object}", "two-{object}"),
    "cloudConfig": ("#cloud-config\npackages: [htop]\n", "#cloud-config\npackages: [jq]\n"),
    "command": ("true", "sleep"),
    "computeEnvironmentRef.arn": (f"{_BATCH}:compute-environment/outside",),
    "computeEnvironmentRef.name": ("second", "third"),
    "consumableResource": ("licences", "seats"),
    "containerName": ("main",),
    "dependsOn.name": ("main",),
    "ec2InstanceProfileArn": (f"{PROFILE}2", f"{PROFILE}3"),
    "ec2KeyPair": ("first-key", "second-key"),
    "eksClusterArn": (f"{_EKS}/one-{{object}}", f"{_EKS}/two-{{object}}"),
    "families": ("m7i", "c7i", "r7i"),
    "image": ("busybox:1.37", "amazonlinux:2023"),
    "imageId": IMAGES,
    "imageIdOverride": IMAGES,
    "imageType": ("ECS_AL2023", "ECS_AL2023_NVIDIA"),
    "infrastructureRoleArn": (f"{_ROLES}/service-role/ours", f"{_ROLES}/other"),
    "instanceProfile": (f"{PROFILE}2", f"{PROFILE}3"),
    "instanceRole": (f"{PROFILE}2", f"{PROFILE}3"),
    "instanceType": ("m7i.large", "c7i.large"),
    "instanceTypes": ("c7i.large", "r7i.large"),
    "jobDefinitionRef.name": ("other", "another"),
    "jobQueueRef.name": ("later-still", "later-too"),
    "keyName": ("first-key", "second-key"),
    "launchTemplateId": ("lt-0a1b", "lt-0a1c"),
    "launchTemplateName": ("wide", "deep", "web"),
    "launchTemplate.version": ("2", "$Latest", "$Default"),
    "logDriver": ("awslogs", "splunk"),
    "onExitCode": ("1", "13*"),
    "overrides.version": ("2", "$Latest", "$Default"),
    "placementGroup": ("near", "far"),
    "userData.mime": (_MIME.format("true"), _MIME.format("false")),
    "placement.groupName": ("far", "near"),
    "reason": (
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    ),
    "region": ("eu-west-1", "us-east-1"),
    "resourceRequirements.value": ("2", "4"),
    "resourceRequirements.type": ("GPU",),
    "schedulingPolicyRef.name": ("fairer", "fairest"),
    "securityGroupIds": ("sg-0a1b", "sg-0a1c"),
    "securityGroups": ("sg-0a1b", "sg-0a1c"),
    "serviceRole": (f"{_ROLES}/service-role/ours", ROLE, f"{_ROLES}/other"),
    "ssmParameter": PARAMETERS,
    "sizeLimit": ("1Gi", "2Gi"),
    "sourceVolume": ("data", "more"),
    "spotIamFleetRole": (f"{_ROLES}/AmazonEC2SpotFleetTaggingRole", f"{_ROLES}/fleet"),
    "state": ("DISABLED", "ENABLED", "RUNNABLE"),
    "subnets": ("subnet-2", "subnet-3"),
    "targetNodes": ("0:1", ":1", "0:"),
    "volumeMounts.name": ("data", "more"),
    "weightFactor": ("2", "0.5"),
    "ulimits.name": ("nofile", "memlock"),
}
# What a person may mean by such a member and does not exist.
MISTAKES: Mapping[str, Any] = {
    "computeEnvironmentRef.name": "polo",
    "instanceProfile": f"{PROFILE}-none",
    "instanceRole": f"{PROFILE}-none",
    "instanceTypes": ["m7i.lagre"],
    "launchTemplateName": "wbe",
    "placementGroup": "neer",
    "schedulingPolicyRef.name": "fiar",
    "securityGroupIds": ["sg-none"],
    "serviceRole": f"{_ROLES}/service-role/none",
    "subnets": ["subnet-none"],
}
MAPS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "ecsConfig": (
        {"ECS_LOGLEVEL": "debug"},
        {"ECS_LOGLEVEL": "info", "ECS_RESERVED_MEMORY": "256"},
    ),
    "limits": ({"cpu": "2", "memory": "2048Mi"}, {"cpu": "1", "memory": "4096Mi"}),
    "options": ({"awslogs-group": "/one"}, {"awslogs-group": "/two"}),
    "requests": ({"cpu": "0.5"}, {"cpu": "0.25"}),
}
ANY_MAP: tuple[Mapping[str, str], ...] = ({"team": "climate"}, {"team": "ocean", "year": "2027"})
# Words for members of no particular meaning: the first that the schema allows.
ANY_WORDS = (
    *("alpha", "beta", "ALPHA", "/alpha", "/beta", "10", "20", "0.5", "1.5", "alpha.large"),
    *("#!/bin/sh\ntrue\n", f"{_ROLES}/alpha", f"{_ROLES}/beta", PROFILE, "sg-0a1b", "pg-0a1b"),
    *("subnet-1", "subnet-0a1b", "lt-0a1b", "ami-0a1b2c3d", "ami-0d3c2b1a", "snap-0a1b", "snap-0b"),
    *("ephemeral0", "ephemeral1", "eu-west-1", "0:", f"{_BATCH}:compute-environment/outside"),
    *(f"{_BATCH}:scheduling-policy/outside", f"{_BATCH}:scheduling-policy/other"),
    *(f"{_BATCH}:job-queue/outside", f"{_BATCH}:job-queue/other"),
    *(f"{_BATCH}:job-definition/outside:1", f"{_BATCH}:job-definition/other:1"),
    "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666",
)
AMOUNTS: Mapping[str, tuple[int, ...]] = {
    "acceleratorCount": (1, 4),  # as g4dn has them
    "memoryMiB.max": (16_384, 65_536),
    "attemptDurationSeconds": (86_400, 172_800),  # longer than a job of the campaign is looked at
}
NUMBERS = (
    *(2, 3, 1, 4, 5, 10, 20, 25, 30, 60, 90, 100, 120, 125, 200, 250, 300, 500, 600, 900, 1000),
    *(1024, 3000, 3600, 4000, 7200),
)
