"""Why AWS calls a compute environment INVALID, in its words, and that it comes back by itself.

Sources: AWS Batch user guide, "INVALID compute environment"; the words are marked in
docs/simulator.md.
"""

import base64
from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, Cloud

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.faults import FaultSpec

ILL_FORMED = "CLIENT_ERROR - You must use a valid fully-formed launch template. "


def judged(cloud: Cloud, **resources: Any) -> tuple[str, str]:
    cloud.environment(**resources)
    cloud.step(30)
    return shown(cloud)


def shown(cloud: Cloud) -> tuple[str, str]:
    [detail] = cloud("DescribeComputeEnvironments", computeEnvironments=["main"])[
        "computeEnvironments"
    ]
    return detail["status"], detail["statusReason"]


def template(cloud: Cloud, content: str = "", name: str = "web") -> str:
    data = (
        {"UserData": base64.b64encode(content.encode()).decode()} if content else {"KeyName": "k"}
    )
    answer = cloud("CreateLaunchTemplate", LaunchTemplateName=name, LaunchTemplateData=data)
    return str(answer["LaunchTemplate"]["LaunchTemplateId"])


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"subnets": ["gone"]}, "CLIENT_ERROR - The subnet ID 'gone' does not exist"),
        ({"securityGroupIds": ["gone"]},
         "CLIENT_ERROR - The security group 'gone' does not exist"),
        ({"instanceRole": "gone"}, "CLIENT_ERROR - Invalid IAM Instance Profile name: gone"),
        ({"ec2KeyPair": "gone"}, f"{ILL_FORMED}The key pair 'gone' does not exist"),
        ({"placementGroup": "gone"}, f"{ILL_FORMED}The Placement Group 'gone' is unknown."),
        ({"imageId": "ami-0"}, f"{ILL_FORMED}The image id '[ami-0]' does not exist"),
        ({"ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-0"}]},
         f"{ILL_FORMED}The image id '[ami-0]' does not exist"),
        ({"type": "SPOT", "allocationStrategy": "BEST_FIT", "spotIamFleetRole": "gone"},
         "CLIENT_ERROR - Parameter: SpotFleetRequestConfig.IamFleetRole is invalid."),
        ({"launchTemplate": {"launchTemplateId": "lt-0"}},
         "CLIENT_ERROR - The specified launch template, with template ID lt-0, does not exist."),
        ({"launchTemplate": {"launchTemplateName": "gone"}},
         "CLIENT_ERROR - The specified launch template, with template name gone, does not exist."),
    ],
)  # fmt: skip
def test_an_environment_that_names_what_there_is_not_is_invalid(resources, reason):
    cloud = Cloud()
    cloud.known.missing |= {"gone", "ami-0"}
    assert judged(cloud, **resources) == ("INVALID", reason)


@pytest.mark.parametrize("place", ["launchTemplate", "overrides"])
def test_a_version_that_there_is_not_is_one_of_them(place):
    cloud = Cloud()
    named = {"launchTemplateId": template(cloud)}
    lost = named | {"version": "2"}
    given: dict[str, Any] = lost
    if place == "overrides":
        given = named | {"overrides": [lost | {"targetInstanceTypes": ["m7i.large"]}]}
    status, reason = judged(cloud, launchTemplate=given)
    assert status == "INVALID"
    assert reason.startswith("CLIENT_ERROR - Could not find the specified version 2 for the launch")
    cloud("CreateLaunchTemplateVersion", LaunchTemplateName="web", LaunchTemplateData={})
    cloud.step(60)
    assert shown(cloud)[0] == "VALID"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"KeyName": "gone"}, f"{ILL_FORMED}The key pair 'gone' does not exist"),
        (
            {"Placement": {"GroupName": "gone"}},
            f"{ILL_FORMED}The Placement Group 'gone' is unknown.",
        ),
        ({"ImageId": "ami-0"}, f"{ILL_FORMED}The image id '[ami-0]' does not exist"),
    ],
)
def test_what_a_launch_template_names_counts_as_well(data, reason):
    cloud = Cloud()
    cloud.known.missing |= {"gone", "ami-0"}
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData=data)
    template = {"launchTemplateName": "web"}
    assert judged(cloud, launchTemplate=template) == ("INVALID", reason)


def test_it_is_valid_with_all_that_it_names_and_invalid_once_something_goes():
    cloud = Cloud()
    cloud("CreatePlacementGroup", GroupName="near")
    latest = {"launchTemplateName": "web", "version": "$Latest"}
    template(cloud)
    status, _ = judged(
        cloud, ec2KeyPair="key", placementGroup="near", launchTemplate=latest, instanceRole=PROFILE
    )
    assert status == "VALID"
    cloud("DeletePlacementGroup", GroupName="near")
    cloud.step(60)
    assert shown(cloud) == ("INVALID", f"{ILL_FORMED}The Placement Group 'near' is unknown.")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("#!/bin/sh\necho hello\n", "INVALID"),
        ('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b--\n', "VALID"),
    ],
)
def test_user_data_of_a_launch_template_must_be_mime_multipart(content, status):
    """aws/aws-cdk#6427."""
    cloud = Cloud()
    found, reason = judged(cloud, launchTemplate={"launchTemplateId": template(cloud, content)})
    assert found == status
    assert (status == "VALID") != (
        reason == "CLIENT_ERROR - Launch Template UserData is not MIME multipart format"
    )


def test_instances_of_an_environment_are_in_its_placement_group():
    cloud = Cloud()
    cloud("CreatePlacementGroup", GroupName="near")
    cloud.environment(placementGroup="near", ec2KeyPair="key", minvCpus=2)
    cloud.step(30)
    [reservation] = cloud("DescribeInstances")["Reservations"]
    instance = reservation["Instances"][0]
    assert (instance["Placement"]["GroupName"], instance["KeyName"]) == ("near", "key")
    refusal = cloud.refused("DeletePlacementGroup", GroupName="near")
    assert refusal.startswith("InvalidPlacementGroup.InUse: ")


@pytest.mark.parametrize(
    ("data", "taken"), [({"ImageId": "ami-1"}, True), ({"KeyName": "k"}, False)]
)
def test_an_ended_image_type_is_taken_with_an_image_of_a_launch_template(data, taken):
    """Ec2Configuration.imageType: what is blocked are "Batch-provided Amazon Linux 2 AMIs"."""
    cloud = Cloud()
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData=data)
    resources: dict[str, Any] = {
        "launchTemplate": {"launchTemplateName": "web"},
        "ec2Configuration": [{"imageType": "ECS_AL2"}],
    }
    if taken:
        assert judged(cloud, **resources)[0] == "VALID"
        return
    with pytest.raises(AwsFailure, match="imageType ECS_AL2 is not supported any more"):
        cloud.environment(**resources)


def test_an_image_that_the_account_may_not_use_any_more_makes_it_invalid_until_it_may():
    cloud = Cloud()
    cloud.fault("image_not_allowed", image="ami-1")
    reason = f"{ILL_FORMED}Not authorized for images: [ami-1]"
    assert judged(cloud, imageId="ami-1") == ("INVALID", reason)
    cloud.world.faults.clear()
    cloud.step(60)
    assert shown(cloud)[0] == "VALID"


def test_a_fault_can_make_an_environment_invalid_in_any_words():
    cloud = Cloud()
    spec = {"effect": "world", "name": "environment_invalid", "message": "CLIENT_ERROR - no"}
    cloud.world.faults.add(FaultSpec.model_validate(spec))
    assert judged(cloud) == ("INVALID", "CLIENT_ERROR - no")
    cloud.world.faults.clear()
    cloud.step(60)
    assert shown(cloud)[0] == "VALID"


def test_a_fault_can_leave_an_update_invalid_until_the_next_one():
    cloud = Cloud()
    cloud.environment()
    cloud.step(30)
    spec = {"effect": "world", "name": "update_fails", "message": "CLIENT_ERROR - no", "times": 1,
            "match": {"computeEnvironment": "main"}}  # fmt: skip
    cloud.world.faults.add(FaultSpec.model_validate(spec))
    request = {"computeEnvironment": "main", "computeResources": {"instanceTypes": ["m7i"]}}
    cloud("UpdateComputeEnvironment", **request)
    assert shown(cloud)[0] == "UPDATING"
    cloud.step(300)
    assert shown(cloud) == ("INVALID", "CLIENT_ERROR - no")
    cloud("UpdateComputeEnvironment", computeEnvironment="main", computeResources={"maxvCpus": 8})
    cloud.step(10)
    assert shown(cloud)[0] == "VALID"
