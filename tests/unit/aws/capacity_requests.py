"""Requests that launch, tag and end: what `change` of the ports of EC2 and ECS can be asked for."""

TAGS = [{"ResourceType": "instance", "Tags": [{"Key": "awsbatch.dev/owner-uid", "Value": "u"}]}]
TEMPLATE = {"LaunchTemplateId": "lt-1", "Version": "1"}
LAUNCH = {"MinCount": 1, "MaxCount": 1, "ClientToken": "t", "TagSpecifications": TAGS}
FLEET = {
    "Type": "instant",
    "ClientToken": "t",
    "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": TEMPLATE}],
    "TargetCapacitySpecification": {"TotalTargetCapacity": 1},
}
RESERVATION = {
    "ClientToken": "t",
    "InstanceType": "m5.large",
    "InstancePlatform": "Linux/UNIX",
    "AvailabilityZone": "eu-central-1a",
    "InstanceCount": 1,
}
CAPACITY_CHANGES: dict[str, dict[str, dict]] = {
    "ec2": {
        "RunInstances": LAUNCH,
        "CreateFleet": FLEET,
        "TerminateInstances": {"InstanceIds": ["i-1"]},
        "CreateLaunchTemplate": {
            "LaunchTemplateName": "n",
            "LaunchTemplateData": {},
            "ClientToken": "t",
        },
        "DeleteLaunchTemplate": {"LaunchTemplateId": "lt-1"},
        "CreateCapacityReservation": RESERVATION,
        "CancelCapacityReservation": {"CapacityReservationId": "cr-1"},
        "DeleteVolume": {"VolumeId": "vol-1"},
        "CreatePlacementGroup": {"GroupName": "g", "Strategy": "cluster"},
        "DeletePlacementGroup": {"GroupName": "g"},
    },
    "ecs": {
        "UpdateContainerInstancesState": {
            "cluster": "c",
            "containerInstances": ["a"],
            "status": "DRAINING",
        },
        "DeregisterContainerInstance": {"cluster": "c", "containerInstance": "a", "force": True},
    },
}
# What `send` of ImagePort can be asked for, and how.
_PARAMETER = {"ResourceType": "Parameter", "ResourceId": "/p"}
IMAGE_CHANGES: dict[str, dict] = {
    "ec2:CreateImage": {"InstanceId": "i-1", "Name": "name"},
    "ec2:CreateTags": {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "b"}]},
    "ec2:CopyImage": {
        "Name": "name",
        "SourceImageId": "ami-1",
        "SourceRegion": "eu-west-1",
        "ClientToken": "t",
    },
    "ec2:EnableImageDeprecation": {"ImageId": "ami-1", "DeprecateAt": "2030-01-01T00:00:00Z"},
    "ec2:DisableImageDeprecation": {"ImageId": "ami-1"},
    "ec2:DeregisterImage": {"ImageId": "ami-1"},
    "ec2:DeleteSnapshot": {"SnapshotId": "snap-1"},
    "ecs:CreateCluster": {"clusterName": "c"},
    "ecs:DeleteCluster": {"cluster": "c"},
    "ssm:PutParameter": {"Name": "/p", "Value": "ami-1", "Type": "String"},
    "ssm:DeleteParameter": {"Name": "/p"},
    "ec2:DeleteTags": {"Resources": ["ami-1"], "Tags": [{"Key": "a"}]},
    "ssm:AddTagsToResource": {**_PARAMETER, "Tags": [{"Key": "a", "Value": "b"}]},
    "ssm:RemoveTagsFromResource": {**_PARAMETER, "TagKeys": ["a"]},
}
