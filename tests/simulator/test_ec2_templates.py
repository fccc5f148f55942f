"""Launch templates: made, given versions, found, and used to launch.

Sources: the operations on launch templates, LaunchTemplateSpecification and
RequestLaunchTemplateData in the EC2 API reference; "Error codes for the Amazon EC2 API".
"""

import base64
from typing import Any

import pytest
from tests.simulator.cloud import Cloud

DATA = {"ImageId": "ami-1", "InstanceType": "m7i.large"}
NOT_FOUND = "InvalidLaunchTemplateId.NotFound"
NO_VERSION = "InvalidLaunchTemplateId.VersionNotFound"


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud()
    made.known.missing.add("ami-0")
    return made


def made(cloud: Cloud, name: str = "web", **fields: Any) -> str:
    request = {"LaunchTemplateName": name, "LaunchTemplateData": DATA} | fields
    return str(cloud("CreateLaunchTemplate", **request)["LaunchTemplate"]["LaunchTemplateId"])


def version(cloud: Cloud, template: str, **fields: Any) -> dict[str, Any]:
    request = {"LaunchTemplateId": template, "LaunchTemplateData": {}} | fields
    return dict(cloud("CreateLaunchTemplateVersion", **request)["LaunchTemplateVersion"])


def numbers(cloud: Cloud, **fields: Any) -> list[int]:
    found = cloud("DescribeLaunchTemplateVersions", **fields)["LaunchTemplateVersions"]
    return [each["VersionNumber"] for each in found]


def names(cloud: Cloud, **fields: Any) -> list[str]:
    found = cloud("DescribeLaunchTemplates", **fields)["LaunchTemplates"]
    return [each["LaunchTemplateName"] for each in found]


def launched(cloud: Cloud, **fields: Any) -> dict[str, Any]:
    request = {"MinCount": 1, "MaxCount": 1} | fields
    return dict(cloud("RunInstances", **request)["Instances"][0])


def tagged(kind: str, **tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": kind, "Tags": pairs}]


def tags_of(thing: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in thing["Tags"]}


def test_a_template_is_made_with_its_first_version_as_default(cloud):
    template = made(
        cloud,
        VersionDescription="first",
        TagSpecifications=tagged("launch-template", team="a"),
    )
    [found] = cloud("DescribeLaunchTemplates", LaunchTemplateIds=[template])["LaunchTemplates"]
    assert (found["DefaultVersionNumber"], found["LatestVersionNumber"]) == (1, 1)
    assert found["CreatedBy"] == "arn:aws:iam::111122223333:user/test"
    assert tags_of(found) == {"team": "a"}
    [first] = cloud("DescribeLaunchTemplateVersions", LaunchTemplateName="web")[
        "LaunchTemplateVersions"
    ]
    assert first["LaunchTemplateData"] == DATA
    assert (first["DefaultVersion"], first["VersionDescription"]) == (True, "first")


def test_versions_are_numbered_and_inherit_from_a_source_all_but_its_snapshots(cloud):
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 9}}
    template = made(cloud, LaunchTemplateData=DATA | {"BlockDeviceMappings": [disk]})
    second = version(cloud, template, SourceVersion="1", LaunchTemplateData={"ImageId": "ami-2"})
    assert second["VersionNumber"] == 2
    bare = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9}}
    assert second["LaunchTemplateData"] == DATA | {
        "ImageId": "ami-2",
        "BlockDeviceMappings": [bare],
    }
    alone = version(cloud, template, LaunchTemplateData={"InstanceType": "m7i.xlarge"})
    assert alone["LaunchTemplateData"] == {"InstanceType": "m7i.xlarge"}
    [first] = cloud("DescribeLaunchTemplateVersions", LaunchTemplateId=template, Versions=["1"])[
        "LaunchTemplateVersions"
    ]
    assert first["LaunchTemplateData"]["BlockDeviceMappings"] == [disk]


def test_default_and_latest_are_asked_for_by_name(cloud):
    template = made(cloud)
    version(cloud, template)
    version(cloud, template)
    cloud("ModifyLaunchTemplate", LaunchTemplateId=template, DefaultVersion="2")
    assert numbers(cloud, LaunchTemplateId=template) == [3, 2, 1]
    assert numbers(cloud, LaunchTemplateId=template, Versions=["$Default"]) == [2]
    assert numbers(cloud, LaunchTemplateId=template, Versions=["$Latest", "1"]) == [3, 1]
    assert numbers(cloud, Versions=["$Latest", "$Default"]) == [3, 2]
    assert numbers(cloud, LaunchTemplateId=template, MinVersion="2") == [3, 2]
    assert numbers(cloud, LaunchTemplateId=template, MaxVersion="2") == [2, 1]


def test_a_deleted_version_leaves_its_number_and_the_default_one_stays(cloud):
    template = made(cloud)
    version(cloud, template)
    answer = cloud(
        "DeleteLaunchTemplateVersions", LaunchTemplateId=template, Versions=["1", "2", "7"]
    )
    gone = answer["SuccessfullyDeletedLaunchTemplateVersions"]
    left = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in gone] == [2]
    assert [(each["VersionNumber"], each["ResponseError"]["Code"]) for each in left] == [
        (1, "unexpectedError"),
        (7, "launchTemplateVersionDoesNotExist"),
    ]
    assert version(cloud, template)["VersionNumber"] == 3


def test_a_deleted_template_frees_its_name(cloud):
    made(cloud)
    cloud("DeleteLaunchTemplate", LaunchTemplateName="web")
    assert names(cloud) == []
    made(cloud)
    assert names(cloud) == ["web"]


def test_the_same_token_brings_the_same_template_and_version(cloud):
    template = made(cloud, ClientToken="t")
    assert made(cloud, ClientToken="t") == template
    assert version(cloud, template, ClientToken="t") == version(cloud, template, ClientToken="t")
    assert numbers(cloud, LaunchTemplateId=template) == [2, 1]
    request = {"LaunchTemplateName": "other", "LaunchTemplateData": DATA, "ClientToken": "t"}
    refusal = cloud.refused("CreateLaunchTemplate", **request)
    assert refusal.startswith("IdempotentParameterMismatch: ")
    assert names(cloud) == ["web"]


@pytest.mark.parametrize(
    ("operation", "fields", "code"),
    [
        ("CreateLaunchTemplate", {"LaunchTemplateName": "web", "LaunchTemplateData": DATA},
         "InvalidLaunchTemplateName.AlreadyExistsException"),
        ("CreateLaunchTemplate", {"LaunchTemplateName": "a b", "LaunchTemplateData": DATA},
         "InvalidLaunchTemplateName.MalformedException"),
        ("CreateLaunchTemplate", {"LaunchTemplateName": "new", "LaunchTemplateData": DATA,
                                  "TagSpecifications": tagged("instance", a="b")},
         "InvalidParameterValue"),
        ("CreateLaunchTemplate", {"LaunchTemplateName": "new", "LaunchTemplateData": DATA,
                                  "ClientToken": "t" * 129}, "InvalidParameterValue"),
        ("CreateLaunchTemplate", {"LaunchTemplateName": "new",
                                  "LaunchTemplateData": {"UserData": "#!/bin/sh"}},
         "InvalidUserData.Malformed"),
        ("CreateLaunchTemplateVersion", {"LaunchTemplateId": "lt-0", "LaunchTemplateData": {}},
         NOT_FOUND),
        ("CreateLaunchTemplateVersion",
         {"LaunchTemplateName": "web", "LaunchTemplateData": {}, "SourceVersion": "2"}, NO_VERSION),
        ("ModifyLaunchTemplate", {"LaunchTemplateName": "web", "DefaultVersion": "2"}, NO_VERSION),
        ("ModifyLaunchTemplate", {"LaunchTemplateName": "web", "DefaultVersion": "$Latest"},
         "InvalidParameterValue"),
        ("ModifyLaunchTemplate", {"DefaultVersion": "1"}, "MissingParameter"),
        ("DeleteLaunchTemplate", {"LaunchTemplateId": "web"}, "InvalidLaunchTemplateId.Malformed"),
        ("DeleteLaunchTemplate", {"LaunchTemplateName": "gone"},
         "InvalidLaunchTemplateName.NotFoundException"),
        ("DeleteLaunchTemplate", {"LaunchTemplateName": "web", "LaunchTemplateId": "lt-0"},
         "InvalidParameterCombination"),
        ("DeleteLaunchTemplateVersions", {"LaunchTemplateName": "web", "Versions": ["1"] * 201},
         "InvalidParameterValue"),
        ("DescribeLaunchTemplates", {"LaunchTemplateIds": ["lt-0"]}, NOT_FOUND),
        ("DescribeLaunchTemplates", {"Filters": [{"Name": "colour", "Values": ["red"]}]},
         "InvalidParameterValue"),
        ("DescribeLaunchTemplateVersions", {"LaunchTemplateName": "web", "Versions": ["9"]},
         NO_VERSION),
        ("DescribeLaunchTemplateVersions", {"Versions": ["1"]}, "InvalidParameterValue"),
        ("DescribeLaunchTemplateVersions", {}, "MissingParameter"),
        ("CreateTags", {"Resources": ["lt-0"], "Tags": [{"Key": "a"}]}, NOT_FOUND),
        ("RunInstances", {"MinCount": 1, "MaxCount": 1,
                          "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}},
         NO_VERSION),
    ],
)  # fmt: skip
def test_what_the_operations_refuse(cloud, operation, fields, code):
    made(cloud)
    assert cloud.refused(operation, **fields).startswith(f"{code}: ")
    assert names(cloud) == ["web"]


def test_a_missing_version_is_told_in_the_words_that_users_know(cloud):
    """eksctl-io/eksctl#7786."""
    template = made(cloud)
    refusal = cloud.refused(
        "DescribeLaunchTemplateVersions", LaunchTemplateId=template, Versions=["4"]
    )
    assert refusal == (
        f"{NO_VERSION}: Could not find the specified version 4 for the launch template with ID "
        f"{template}."
    )


def test_templates_and_versions_are_found_by_filters_and_in_pages(cloud):
    first = made(cloud, "a-1", TagSpecifications=tagged("launch-template", team="a"))
    made(cloud, "b-1", LaunchTemplateData={"ImageId": "ami-2"})
    by_tag = [{"Name": "tag:team", "Values": ["a*"]}]
    assert names(cloud, Filters=by_tag) == ["a-1"]
    assert names(cloud, Filters=[{"Name": "launch-template-name", "Values": ["b-?"]}]) == ["b-1"]
    page = cloud("DescribeLaunchTemplates", MaxResults=1)
    rest = cloud("DescribeLaunchTemplates", MaxResults=1, NextToken=page["NextToken"])
    shown = [*page["LaunchTemplates"], *rest["LaunchTemplates"]]
    assert {each["LaunchTemplateName"] for each in shown} == {"a-1", "b-1"}
    assert "NextToken" not in rest
    by_image = [{"Name": "image-id", "Values": ["ami-1"]}]
    assert numbers(cloud, LaunchTemplateId=first, Filters=by_image) == [1]
    assert numbers(cloud, Versions=["$Latest"], Filters=by_image) == [1]
    for number in range(2, 5):
        assert version(cloud, first)["VersionNumber"] == number
    page = cloud("DescribeLaunchTemplateVersions", LaunchTemplateId=first, MaxResults=3)
    following = {"LaunchTemplateId": first, "NextToken": page["NextToken"]}
    assert [each["VersionNumber"] for each in page["LaunchTemplateVersions"]] == [4, 3, 2]
    assert numbers(cloud, **following) == [1]


def test_tags_of_templates_change_like_those_of_instances(cloud):
    template = made(cloud)
    cloud("CreateTags", Resources=[template], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    cloud("DeleteTags", Resources=[template], Tags=[{"Key": "b"}])
    [tag] = cloud("DescribeTags")["Tags"]
    assert tag == {
        "Key": "a",
        "Value": "1",
        "ResourceId": template,
        "ResourceType": "launch-template",
    }


def test_an_instance_has_what_the_template_says_and_the_request_does_not(cloud):
    user_data = base64.b64encode(b"#!/bin/sh").decode()
    data = DATA | {
        "KeyName": "key",
        "UserData": user_data,
        "TagSpecifications": tagged("instance", team="a"),
        "MetadataOptions": {"HttpTokens": "optional"},
    }
    template = made(cloud, LaunchTemplateData=data)
    version(cloud, template, SourceVersion="1", LaunchTemplateData={"InstanceType": "m7i.xlarge"})
    chosen = {"LaunchTemplateName": "web"}
    instance = launched(cloud, LaunchTemplate=chosen)
    assert (instance["InstanceType"], instance["KeyName"]) == ("m7i.large", "key")
    assert instance["MetadataOptions"]["HttpTokens"] == "optional"
    assert tags_of(instance) == {
        "team": "a",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }
    latest = launched(cloud, LaunchTemplate=chosen | {"Version": "$Latest"}, KeyName="other")
    assert (latest["InstanceType"], latest["KeyName"]) == ("m7i.xlarge", "other")
    assert tags_of(latest)["aws:ec2launchtemplate:version"] == "2"


def test_a_template_is_held_to_the_rules_of_a_request(cloud):
    made(cloud, LaunchTemplateData={"ImageId": "ami-0", "InstanceType": "m7i.large"})
    made(cloud, "types", LaunchTemplateData={
        "ImageId": "ami-1",
        "InstanceRequirements": {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}},
    })  # fmt: skip
    once = {"MinCount": 1, "MaxCount": 1}
    refusal = cloud.refused("RunInstances", **once, LaunchTemplate={"LaunchTemplateName": "web"})
    assert refusal.startswith("InvalidAMIID.NotFound: ")
    refusal = cloud.refused("RunInstances", **once, LaunchTemplate={"LaunchTemplateName": "types"})
    assert refusal.startswith("InvalidParameterCombination: ")


def test_awss_own_tags_of_an_instance_stay_and_do_not_count(cloud):
    instance = launched(cloud, LaunchTemplate={"LaunchTemplateId": made(cloud)})["InstanceId"]
    cloud("CreateTags", Resources=[instance], Tags=[{"Key": f"k{n}"} for n in range(50)])
    cloud("DeleteTags", Resources=[instance])
    left = {tag["Key"] for tag in cloud("DescribeTags")["Tags"]}
    assert left == {"aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"}


def test_the_data_of_an_instance_launches_another_one_like_it(cloud):
    """GetLaunchTemplateData."""
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9, "VolumeType": "gp3"}}
    named = {"KeyName": "key", "SubnetId": "subnet-2", "BlockDeviceMappings": [disk]}
    first = launched(cloud, **DATA, **named, TagSpecifications=tagged("instance", team="a"))
    found = cloud("GetLaunchTemplateData", InstanceId=first["InstanceId"])["LaunchTemplateData"]
    assert found["TagSpecifications"] == tagged("instance", team="a")
    made(cloud, "like", LaunchTemplateData=found)
    second = launched(cloud, LaunchTemplate={"LaunchTemplateName": "like"})
    for member in ("ImageId", "InstanceType", "KeyName", "SubnetId", "CpuOptions"):
        assert second[member] == first[member], member
    assert len(second["BlockDeviceMappings"]) == 2
    refusal = cloud.refused("GetLaunchTemplateData", InstanceId="i-0")
    assert refusal.startswith("InvalidInstanceID.NotFound: ")
