"""Image types with which AWS makes no new environment: told before the call, and kept elsewhere."""

import pytest
from tests.unit.kinds.environments import Model, best_fit, desired, managed
from tests.unit.kinds.values import NOW

from awsbatch_operator.kinds.computeenvironment.changes import Change, compare, left_words
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment

FIRST = "spec.computeResources.ec2Configuration[0]"
OWN_IMAGE = f"or name an image of your own in {FIRST}.imageIdOverride."


@pytest.mark.parametrize(
    ("entry", "resources", "remedy"),
    [
        ({"imageType": "ECS_AL2"}, {}, f"Set {FIRST}.imageType to ECS_AL2023, {OWN_IMAGE}"),
        (
            {"imageType": "ECS_AL2_NVIDIA", "imageIdOverride": ""},
            {},
            f"Set {FIRST}.imageType to ECS_AL2023_NVIDIA, {OWN_IMAGE}",
        ),
        ({"imageType": "ECS_AL1"}, {"imageId": "ami-1"}, f"Set {FIRST}.imageType to ECS_AL2023."),
        ({"imageType": "ECS_AL2", "imageIdOverride": "ami-1"}, {}, ""),
        ({"imageType": "ECS_AL2"}, {"imageId": "ami-1"}, ""),
        (
            {"imageType": "ECS_AL2"},
            {"launchTemplate": {"launchTemplateId": "lt-1", "version": "1"}},
            "",
        ),
        ({"imageType": "EKS_AL2"}, {}, ""),
        ({"imageType": "ECS_AL2023"}, {}, ""),
        ({"imageType": "ECS_AL2030"}, {}, ""),  # newer than this operator
    ],
)
def test_an_image_type_that_aws_has_ended_is_told_before_the_call(entry, resources, remedy):
    spec = managed(ec2Configuration=[entry], **resources)
    plan = plan_environment(desired(spec), None, NOW)
    assert bool(plan.steps) is (remedy == "")
    assert [finding.remedy for finding in plan.findings] == ([remedy] if remedy else [])


def test_an_environment_that_has_an_ended_image_type_goes_on_and_is_not_removed_for_good():
    """AWS would not make it again, so it is not made anew before its image type is another one."""
    model = Model()
    model.converge(best_fit())
    old = best_fit(ec2Configuration=[{"imageType": "ECS_AL2"}])
    model.detail["computeResources"] |= old["computeResources"]
    assert plan_environment(desired(old), model.observed(), NOW).findings == ()
    reason = "CLIENT_ERROR - The subnet ID 'subnet-1' does not exist"
    model.detail |= {"status": "INVALID", "statusReason": reason}
    image = old["computeResources"]["ec2Configuration"]
    corrected = best_fit(subnets=["subnet-9"], ec2Configuration=image)
    plan = plan_environment(desired(corrected), model.observed(), NOW)
    assert not plan.steps
    assert f"Set {FIRST}.imageType to ECS_AL2023" in plan.findings[0].remedy
    mended = best_fit(subnets=["subnet-9"])
    assert plan_environment(desired(mended), model.observed(), NOW).steps


def in_aws_with(*kinds, types=("m7i.large",), **entry):
    """An environment that AWS has with these image types."""
    model = Model()
    model.converge(managed())
    listed = [{"imageType": kind, **entry} for kind in kinds]
    resources = {"ec2Configuration": listed, "instanceTypes": list(types)}
    model.detail["computeResources"] |= resources
    return managed(instanceTypes=list(types)), model.observed()


@pytest.mark.parametrize(
    ("kinds", "types", "told"),
    [
        (["ECS_AL2023"], ["m7i.large"], ""),
        (["ECS_AL2023"], ["optimal"], ""),
        (["ECS_AL2023_NVIDIA"], ["g6.xlarge"], ""),
        (["ECS_AL2023", "ECS_AL2023_NVIDIA"], ["g6.xlarge", "m7i.large"], ""),
        (["EKS_AL2023"], ["m7i.large"], ""),
        (["ECS_AL2030"], ["m7i.large"], ""),  # newer than this operator
        (["ECS_AL2"], ["m7i.large"], "ECS_AL2"),
        (["EKS_AL2_NVIDIA"], ["p5.48xlarge"], "EKS_AL2_NVIDIA"),
        (["ECS_AL2023_NVIDIA"], ["m7i.large"], "ECS_AL2023_NVIDIA"),
        (["ECS_AL2023"], ["gr6.4xlarge"], "ECS_AL2023"),
    ],
)
def test_an_image_type_that_left_the_spec_is_told_and_kept(kinds, types, told):
    """AWS keeps it, and the operator does not know whether a spec has ever named it."""
    spec, observed = in_aws_with(*kinds, types=types)
    found = compare(desired(spec), observed)
    assert (found.change, found.fields) == (Change.NONE, ())
    path = "computeResources.ec2Configuration"
    words = f"The spec says nothing of {path} any more, or never did; AWS keeps the image type "
    assert left_words(observed, found) == ((f"{words}{told}.",) if told else ())
    plan = plan_environment(desired(spec), observed, NOW)
    assert not plan.steps
    assert [each.reason.name for each in plan.findings] == (["LeftAsItIs"] if told else [])


def test_an_image_of_ones_own_that_left_the_spec_is_taken_away_with_its_type():
    spec, observed = in_aws_with("ECS_AL2", imageIdOverride="ami-1")
    assert compare(desired(spec), observed).fields == ("computeResources.ec2Configuration",)
