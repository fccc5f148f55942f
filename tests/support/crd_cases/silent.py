"""Members of computeResources that are there and say nothing, and such that say something."""

# Members that say nothing, as a Describe call may return them, and what contradicts Fargate.
SAYS_NOTHING = {
    "minvCpus": 0,
    "desiredvCpus": 0,
    "instanceTypes": [],
    "ec2Configuration": [],
    "tags": {},
    "imageId": "",
    "ec2KeyPair": "",
    "placementGroup": "",
    "instanceRole": "",
    "spotIamFleetRole": "",
    "updateToLatestImageVersion": False,
    "managedPlacementGroup": False,
}
SAYS_SOMETHING = {
    "minvCpus": 1,
    "desiredvCpus": 1,
    "instanceTypes": ["m7i"],
    "ec2Configuration": [{"imageType": "ECS_AL2023"}],
    "tags": {"a": "b"},
    "imageId": "ami-0a1b2c3d",
    "placementGroup": "near",
    "instanceRole": "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole",
    "spotIamFleetRole": "arn:aws:iam::111122223333:role/spot-fleet",
}
