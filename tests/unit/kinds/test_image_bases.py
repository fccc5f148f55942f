"""What is wrong with an ExtendedAMI that only the operator can see: with its settings, its base."""

import pytest
from tests.support.crd_cases.image import VOLUME
from tests.unit.kinds.images import desired, image

from awsbatch_operator.api import catalogue, image_reasons
from awsbatch_operator.kinds.extendedami.refused import base_faults, spec_faults

AL2023 = {
    "ImageId": "ami-0a1b",
    "Name": "al2023-ami-ecs-hvm-2023.0.20261101-kernel-6.1-x86_64",
    "Architecture": "x86_64",
    "RootDeviceName": "/dev/xvda",
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}],
}
BY_ID = {"amiId": "ami-0a1b"}
AL2 = "amzn2-ami-ecs-hvm-2.0.20260601-x86_64-ebs"
AL1 = "amzn-ami-2018.03.20250901-amazon-ecs-optimized"
BOTTLEROCKET = "bottlerocket-aws-ecs-2-x86_64-v1.40.0-abc"


def told(members, **base):
    return [
        (finding.reason, finding.text())
        for finding in base_faults(desired(**members), {**AL2023, **base})
    ]


def test_a_base_that_fits_is_not_spoken_of():
    assert told({"rootVolume": {"sizeGiB": 111}, "cpu": {"threadsPerCore": 1}}) == []
    assert told({"base": BY_ID, "volumes": [VOLUME]}, Architecture="arm64") == []


def test_hyper_threading_of_an_arm64_base_cannot_be_switched_off():
    wish = {"base": BY_ID, "cpu": {"threadsPerCore": 1}}
    assert told(wish, Architecture="arm64") == [
        (
            image_reasons.BASE_UNFIT,
            (
                f"The base ami-0a1b ({AL2023['Name']}) is for arm64, where a core has one thread: "
                "there is none to switch off. Remove spec.cpu.threadsPerCore, or name a base for "
                "x86_64."
            ),
        )
    ]


def test_a_base_of_another_architecture_than_its_family_promises_is_refused():
    ((reason, text),) = told({}, Architecture="arm64")
    assert reason is image_reasons.BASE_UNFIT
    assert "is for arm64, and spec.base asks for x86_64" in text


def test_a_root_volume_smaller_than_that_of_the_base_is_refused_with_its_size():
    wish = {"base": BY_ID, "rootVolume": {"sizeGiB": 8}}
    ((reason, text),) = told(wish)
    assert reason is image_reasons.BASE_UNFIT
    assert text.startswith(f"The root volume of the base ami-0a1b ({AL2023['Name']}) has 30 GiB,")
    assert text.endswith("Set spec.rootVolume.sizeGiB to 30 or more, or remove it.")
    assert told({**wish, "rootVolume": {"sizeGiB": 30}}) == []
    assert told(wish, BlockDeviceMappings=[]) == []


def test_a_device_that_the_base_has_itself_is_refused():
    taken = [*AL2023["BlockDeviceMappings"], {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 22}}]
    ((reason, text),) = told({"base": BY_ID, "volumes": [VOLUME]}, BlockDeviceMappings=taken)
    assert reason is image_reasons.BASE_UNFIT
    assert "has a volume at /dev/sdf itself. Give the volume in spec.volumes another" in text


@pytest.mark.parametrize(
    ("name", "parameter", "system", "ended"),
    [
        (AL2, "", "Amazon Linux 2", "2026-06-30"),
        ("golden", "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id", "2", ""),
        (AL1, "", "Amazon Linux 1", "2025-09-15"),
    ],
)
def test_a_base_whose_support_has_ended_is_taken_with_a_warning(name, parameter, system, ended):
    base = {"ssmParameter": parameter} if parameter else BY_ID
    ((reason, text),) = told({"base": base, "packages": ["htop"]}, Name=name)
    assert reason is image_reasons.BASE_ENDED
    assert reason.warning
    assert f"{system}, whose support ended on {ended}" in text


def test_nothing_can_be_made_of_bottlerocket_but_it_can_have_a_launch_template():
    wish = {"base": BY_ID, "rootVolume": {"sizeGiB": 111}}
    assert told(wish, Name=BOTTLEROCKET) == []
    ((reason, text),) = told({**wish, "packages": ["htop"], "files": []}, Name=BOTTLEROCKET)
    assert reason is image_reasons.BASE_UNFIT
    assert "is Bottlerocket, whose root volume cannot be changed" in text
    assert text.endswith("Set spec.base.family to AL2023, or remove packages.")


def test_the_image_of_al2023_is_not_taken_for_an_older_system():
    assert told({"base": {"family": "AL2023", "variant": "gpu"}}) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ECS_CLUSTER", "x", "may not be set"),
        ("AWS_SECRET_ACCESS_KEY", "x", "may not be set"),
        ("ECS_LOGLVL", "debug", "Did you mean ECS_LOGLEVEL?"),
        ("ECS_LOGLEVEL", "loud", "must be one of"),
        ("ECS_IMAGE_CLEANUP_INTERVAL", "1s", "at least 600 seconds"),
        ("ECS_AVAILABLE_LOGGING_DRIVERS", '["syslog"]', "lacks awslogs"),
    ],
)
def test_settings_of_the_agent_are_held_to_the_same_rules_as_those_of_a_pool(name, value, words):
    (finding,) = spec_faults(image(ecsConfig={name: value}))
    assert finding.reason is catalogue.INVALID_SPEC
    assert finding.message.startswith(f"spec.ecsConfig.{name}: ")
    assert words in finding.text()


def test_builders_of_another_architecture_than_the_base_are_refused_before_any_is_launched():
    wish = {"base": BY_ID, "builder": {"instanceTypes": ["m7g.large", "c7i.xlarge"]}}
    ((reason, text),) = told(wish)
    assert reason is image_reasons.BASE_UNFIT
    assert "is for x86_64, and m7g.large in spec.builder.instanceTypes are of another" in text
    assert told({**wish, "builder": {"instanceTypes": ["c7i.xlarge"]}}) == []
    assert told({**wish, "builder": {"instanceTypes": ["m7g.large"]}}, Architecture="arm64") == []


def test_sound_settings_and_none_at_all_are_nothing_to_speak_of():
    assert spec_faults(image(ecsConfig={"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"})) == ()
    assert spec_faults(image()) == ()
