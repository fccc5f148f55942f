"""Which field of the spec is named when EC2 refuses what is made of it."""

import pytest

from awsbatch_operator.kinds.extendedami.pointing import field_meant

ROOT = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50, "Iops": 100, "KmsKeyId": "k"}}
SCRATCH = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "Throughput": 1000, "Iops": 3000}}
BOTH = {"BlockDeviceMappings": [ROOT, SCRATCH]}
TEMPLATE = {"LaunchTemplateData": BOTH}


@pytest.mark.parametrize(
    ("operation", "code", "message", "field"),
    [
        (
            "RunInstances",
            "InvalidSubnetID.NotFound",
            "The subnet ID 'subnet-0ffff' does not exist",
            "spec.builder.subnets",
        ),
        (
            "RunInstances",
            "InvalidGroup.NotFound",
            "The security group 'sg-1' does not exist",
            "spec.builder.securityGroupIds",
        ),
        (
            "RunInstances",
            "InvalidParameter",
            "Security group sg-1 and subnet subnet-1 belong to different networks.",
            "spec.builder.securityGroupIds",
        ),
        (
            "RunInstances",
            "InvalidParameterValue",
            (
                "Value (none) for parameter iamInstanceProfile.name is invalid. Invalid IAM "
                "Instance Profile name"
            ),
            "spec.builder.instanceProfile",
        ),
        (
            "RunInstances",
            "InvalidParameterValue",
            "Invalid value 'm7i.huge' for InstanceType.",
            "spec.builder.instanceTypes",
        ),
        (
            "RunInstances",
            "InvalidParameterValue",
            (
                "The architecture 'arm64' of the specified instance type does not match the "
                "architecture 'x86_64' of the specified AMI."
            ),
            "spec.builder.instanceTypes",
        ),
        (
            "RunInstances",
            "Unsupported",
            "The requested configuration is currently not supported.",
            "spec.builder.instanceTypes",
        ),
        (
            "RunInstances",
            "InvalidAMIID.NotFound",
            "The image id '[ami-1]' does not exist",
            "spec.base",
        ),
        (
            "RunInstances",
            "InvalidParameterValue",
            "User data is limited to 16384 bytes",
            "spec.files and spec.scripts",
        ),
        (
            "RunInstances",
            "InvalidParameterCombination",
            "The parameter iops is not supported for gp2 volumes.",
            "spec.rootVolume.iops or spec.volumes[deviceName=/dev/sdf].iops",
        ),
        (
            "RunInstances",
            "InvalidParameterValue",
            "Throughput (MiBps) to iops ratio of 0.33 is too high; maximum is 0.25 MiBps per iops.",
            "spec.volumes[deviceName=/dev/sdf].throughput",
        ),
        (
            "RunInstances",
            "InvalidBlockDeviceMapping",
            "Volume of size 8GB is smaller than snapshot 'snap-1', expect size >= 30GB: /dev/xvda",
            "spec.rootVolume.sizeGiB",
        ),
        (
            "RunInstances",
            "InvalidParameterDependency",
            "The parameter KmsKeyId requires the parameter Encrypted to be set.",
            "spec.rootVolume.kmsKeyId",
        ),
        (
            "CreateLaunchTemplate",
            "InvalidParameterCombination",
            "The parameter throughput is not supported for gp2 volumes.",
            "spec.volumes[deviceName=/dev/sdf].throughput",
        ),
        (
            "RunInstances",
            "TagLimitExceeded",
            "More than 50 tags specified",
            "spec.tags",
        ),
        (
            "CreateImage",
            "InvalidParameterValue",
            "Tag keys starting with 'aws:' are reserved for internal use",
            "spec.tags",
        ),
        (
            "CopyImage",
            "OptInRequired",
            "You are not subscribed to this service.",
            "spec.regions",
        ),
        (
            "PutParameter",
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels.",
            "spec.publish.ssmParameter",
        ),
        ("RunInstances", "InvalidParameterValue", "MinCount 1 and MaxCount 0 do not fit", ""),
        ("CreateImage", "IncorrectInstanceState", "The instance is not in a state", ""),
    ],
)
def test_a_refusal_names_the_field_that_its_words_are_about(operation, code, message, field):
    request = TEMPLATE if operation == "CreateLaunchTemplate" else BOTH
    assert field_meant(operation, code, message, request) == field
