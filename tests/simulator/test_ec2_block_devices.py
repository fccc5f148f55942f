"""An instance's volumes: those of its image, and what the request says over them."""

import pytest
from tests.simulator.cloud import Cloud, ready
from tests.simulator.instances import fleet_request, instance, override, refused, run, template
from tests.simulator.pictures import disk, image, made, running, stopped


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def volumes(cloud: Cloud, instance_id: str) -> dict[str, dict[str, object]]:
    """Volumes of an instance by device."""
    found = cloud(
        "DescribeVolumes",
        Filters=[{"Name": "attachment.instance-id", "Values": [instance_id]}],
    )["Volumes"]
    return {each["Attachments"][0]["Device"]: each for each in found}


def test_an_instance_of_an_image_has_its_volumes_and_those_of_the_request(cloud):
    source = stopped(
        cloud,
        BlockDeviceMappings=[
            disk("/dev/xvda", VolumeSize=111),
            disk("/dev/sdf", VolumeSize=50, VolumeType="gp3", Iops=4000, Throughput=300),
            disk("/dev/sdg", VolumeSize=20),
        ],
    )
    image_id = made(cloud, instance_id=source)
    [launched] = run(
        cloud,
        ImageId=image_id,
        BlockDeviceMappings=[
            disk("/dev/xvda", VolumeSize=120, DeleteOnTermination=False),
            {"DeviceName": "/dev/sdg", "NoDevice": ""},
            disk("/dev/sdh", VolumeSize=9),
        ],
    )
    found = volumes(cloud, launched)
    assert {device: each["Size"] for device, each in found.items()} == {
        "/dev/xvda": 120,
        "/dev/sdf": 50,
        "/dev/sdh": 9,
    }
    assert (found["/dev/sdf"]["Iops"], found["/dev/sdf"]["Throughput"]) == (4000, 300)
    assert found["/dev/xvda"]["VolumeType"] == "gp3"
    shown = {
        each["DeviceName"]: each["Ebs"]["SnapshotId"]
        for each in image(cloud, image_id)["BlockDeviceMappings"]
    }
    assert found["/dev/xvda"]["SnapshotId"] == shown["/dev/xvda"]
    assert found["/dev/sdh"]["SnapshotId"] == ""
    cloud("TerminateInstances", InstanceIds=[launched])
    cloud.step(20)
    left = cloud("DescribeVolumes", Filters=[{"Name": "status", "Values": ["available"]}])
    assert [each["Size"] for each in left["Volumes"]] == [120]


def test_another_type_of_volume_has_not_the_figures_of_the_images(cloud):
    root = disk("/dev/xvda", VolumeType="gp2")
    [launched] = run(cloud, BlockDeviceMappings=[root])
    found = volumes(cloud, launched)["/dev/xvda"]
    assert (found["VolumeType"], found["Size"], "Iops" in found) == ("gp2", 30, False)


@pytest.mark.parametrize(
    ("mappings", "expected"),
    [
        ([disk("/dev/xvda", VolumeSize=29)], "InvalidBlockDeviceMapping: Volume of size 29GB is"),
        ([disk("/dev/sdf")], "InvalidBlockDeviceMapping: Either snapshot ID or volume size must"),
        ([disk("/dev/sdf", VolumeSize=9)] * 2, "InvalidBlockDeviceMapping: The device '/dev/sdf'"),
        ([{"DeviceName": "/dev/xvda", "NoDevice": ""}], "InvalidBlockDeviceMapping"),
        ([disk("/dev/xvda", SnapshotId="snap-1")], "InvalidBlockDeviceMapping: snapshotId cannot"),
        ([disk("/dev/sdf", SnapshotId="snap-1")], "InvalidSnapshot.NotFound"),
        ([disk("/dev/sdf", SnapshotId="snapshot")], "InvalidSnapshotID.Malformed"),
        ([disk("/dev/sdf", VolumeSize=9, KmsKeyId="k")], "InvalidParameterDependency"),
        ([disk("/dev/sdf", VolumeSize=9, VolumeType="gp9")], "InvalidParameterValue"),
        ([disk("/dev/sdf", VolumeSize=124, VolumeType="st1")], "InvalidParameterValue"),
        ([disk("/dev/sdf", VolumeSize=16_385)], "InvalidParameterValue"),
        ([disk("/dev/sdf", VolumeSize=9, VolumeType="io1")], "MissingParameter"),
        ([disk("/dev/sdf", VolumeSize=9, Throughput=200)], "InvalidParameterCombination"),
    ],
)
def test_mappings_that_cannot_be_are_refused(cloud, mappings, expected):
    assert refused(cloud, BlockDeviceMappings=mappings).startswith(expected)
    assert cloud.region.ec2.volumes == {}


def test_a_template_and_a_fleet_meet_the_same_rules(cloud):
    small = template(cloud, BlockDeviceMappings=[disk("/dev/xvda", VolumeSize=8)])
    specification = {"LaunchTemplateId": small, "Version": "1"}
    request = fleet_request(cloud, override("m5.large"))
    request["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"] = specification
    [error] = cloud("CreateFleet", **request)["Errors"]
    assert error["ErrorCode"] == "InvalidBlockDeviceMapping"
    assert "smaller than snapshot" in error["ErrorMessage"]
    again = refused(cloud, LaunchTemplate=specification)
    assert again.startswith("InvalidBlockDeviceMapping")


def test_volumes_of_encrypted_snapshots_are_encrypted_whatever_is_asked(cloud):
    copied = cloud(
        "CopyImage",
        SourceImageId=made(cloud),
        SourceRegion="eu-central-1",
        Name="copy",
        Encrypted=True,
        KmsKeyId="1234abcd",
    )["ImageId"]
    cloud.step(60)
    [launched] = run(cloud, ImageId=copied)
    root = volumes(cloud, launched)["/dev/xvda"]
    assert root["Encrypted"]
    assert str(root["KmsKeyId"]).endswith(":key/1234abcd")
    plain = [disk("/dev/xvda", Encrypted=False)]
    assert refused(cloud, ImageId=copied, BlockDeviceMappings=plain).startswith("InvalidBlockDev")


ABROAD = "arn:aws:kms:ap-south-1:111122223333:key/1234abcd"


@pytest.mark.parametrize("key", ["alias/mine", ABROAD])
def test_an_instance_whose_key_may_not_be_used_ends_before_it_runs(cloud, key):
    cloud.fault("key_without_grant", kmsKeyId="alias/mine")
    mapping = [disk("/dev/xvda", Encrypted=True, KmsKeyId=key)]
    [launched] = run(cloud, BlockDeviceMappings=mapping)
    assert instance(cloud, launched)["State"]["Name"] == "pending"
    cloud.step(20)
    found = instance(cloud, launched)
    assert found["State"]["Name"] == "shutting-down"
    assert found["StateReason"]["Code"] == "Client.InternalError"
    assert found["StateReason"]["Message"] == "Client.InternalError: Client error on launch"
    [other] = run(cloud)
    cloud.step(20)
    assert instance(cloud, other)["State"]["Name"] == "running"


def test_one_that_was_stopped_is_stopped_again(cloud):
    mapping = [disk("/dev/xvda", Encrypted=True, KmsKeyId="alias/mine")]
    launched = stopped(cloud, BlockDeviceMappings=mapping)
    cloud.fault("key_without_grant")
    cloud("StartInstances", InstanceIds=[launched])
    cloud.step(40)
    found = instance(cloud, launched)
    assert (found["State"]["Name"], found["StateReason"]["Code"]) == (
        "stopped",
        "Client.InternalError",
    )


def test_an_image_without_imds_support_demands_no_tokens(cloud):
    old = stopped(cloud)
    cloud.region.ec2.instances[old].imds_v2 = False
    image_id = made(cloud, instance_id=old)
    launched = running(cloud, ImageId=image_id)
    options = instance(cloud, launched)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("optional", 1)
    cloud("ModifyImageAttribute", ImageId=image_id, ImdsSupport={"Value": "v2.0"})
    assert instance(cloud, launched)["MetadataOptions"]["HttpTokens"] == "optional"
    modern = instance(cloud, running(cloud, ImageId=image_id))["MetadataOptions"]
    assert (modern["HttpTokens"], modern["HttpPutResponseHopLimit"]) == ("required", 2)


def test_a_template_with_too_small_a_volume_for_its_image_makes_an_environment_invalid():
    cloud = ready()
    image_id = made(cloud)
    small = template(cloud, ImageId=image_id, BlockDeviceMappings=[disk("/dev/xvda", VolumeSize=8)])
    named = {"launchTemplateId": small, "version": "1"}
    cloud.environment("small", launchTemplate=named)
    cloud.step(60)
    answer = cloud("DescribeComputeEnvironments", computeEnvironments=["small"])
    [found] = answer["computeEnvironments"]
    assert found["status"] == "INVALID"
    assert "Volume of size 8GB is smaller than snapshot" in found["statusReason"]


def test_batch_launches_with_an_image_of_the_accounts_own_until_it_is_deregistered():
    cloud = ready()
    image_id = made(cloud)
    cloud.environment("own", imageId=image_id, minvCpus=2)
    cloud.step(60)
    own = [each for each in cloud.region.ec2.instances.values() if each.image_id == image_id]
    assert own
    assert (
        cloud("DescribeComputeEnvironments", computeEnvironments=["own"])["computeEnvironments"][0][
            "status"
        ]
        == "VALID"
    )
    cloud("DeregisterImage", ImageId=image_id)
    cloud.step(60)
    [found] = cloud("DescribeComputeEnvironments", computeEnvironments=["own"])[
        "computeEnvironments"
    ]
    assert found["status"] == "INVALID"
    assert f"The image id '[{image_id}]' does not exist" in found["statusReason"]
