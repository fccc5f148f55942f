"""Images and launch templates of ExtendedAMIs, in the spec of an environment."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.environments import environment_of, managed
from tests.unit.kinds.values import NOW, owner, resource, targets

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.engine.significance import significance
from awsbatch_operator.kinds.architectures import architecture_of
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.desired import desired_environment
from awsbatch_operator.kinds.computeenvironment.following import acted_upon, followed
from awsbatch_operator.kinds.computeenvironment.own_images import (
    filled,
    pool_with_image,
)
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.terms import Terms

IMAGE, BASE = "ami-0123456789abcdef0", "ami-0aaaaaaaaaaaaaaaa"
TEMPLATE: dict[str, Any] = {"id": "lt-0123456789abcdef0", "version": 3}
OLD = "ami-0cccccccccccccccc"
BARE = {"imageType": "ECS_AL2023"}
FAMILY = {"family": "AL2023"}


def made(name: str = "atmos", *, base: dict[str, Any] | None = None, **status: Any) -> Resource:
    """An ExtendedAMI with that status."""
    shown = {"imageId": IMAGE, "bake": {"needed": True}, **status}
    return resource("ExtendedAMI", {"base": base or FAMILY}, name=name, status=shown)


def unbaked(name: str = "atmos", *, base: dict[str, Any] | None = None, **status: Any) -> Resource:
    """One for which no image had to be made."""
    return made(name, base=base, bake={"needed": False}, **{"imageId": BASE, **status})


def entry(name: str = "atmos", kind: str = "ECS_AL2023") -> dict[str, Any]:
    return {"imageType": kind, "amiRef": {"name": name}}


def content(*entries: dict[str, Any], **resources: Any) -> dict[str, Any]:
    members = {"instanceTypes": ["m7i"], "ec2Configuration": list(entries), **resources}
    return {"type": "MANAGED", "computeResources": members}


def answer(given: dict[str, Any], *images: Resource) -> tuple[dict[str, Any], list[str]]:
    """The members of computeResources that came of it, and what does not fit, in words."""
    found = {image.key: image for image in images}
    filled_in = filled(given, images[0].key.namespace if images else "science", found)
    told = [f"{each.reason.name}: {each.message}" for each in filled_in.misfits]
    return filled_in.content["computeResources"], told


def test_an_image_stands_where_the_reference_did_and_nothing_else_changes():
    members, told = answer(content(entry(), maxvCpus=4), made())
    assert told == []
    assert members == {
        "instanceTypes": ["m7i"],
        "maxvCpus": 4,
        "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": IMAGE}],
    }


def test_a_spec_without_references_stays_the_very_same():
    given = content({"imageType": "ECS_AL2023", "imageIdOverride": BASE})
    assert filled(given, "science", {}).content is given


def test_a_base_by_family_that_needs_no_image_is_left_to_aws_batch_with_the_launch_template():
    members, told = answer(content(entry()), unbaked(launchTemplate=TEMPLATE))
    assert told == []
    assert members["ec2Configuration"] == [{"imageType": "ECS_AL2023"}]
    assert members["launchTemplate"] == {"launchTemplateId": TEMPLATE["id"], "version": "3"}


def test_a_base_by_id_that_needs_no_image_is_used_itself():
    members, told = answer(content(entry()), unbaked(base={"amiId": BASE}))
    assert (members["ec2Configuration"][0]["imageIdOverride"], told) == (BASE, [])
    assert "launchTemplate" not in members


@pytest.mark.parametrize("own", [True, False], ids=["the spec's own", "another image's"])
def test_two_launch_templates_are_told_and_nothing_is_chosen(own):
    first = unbaked(launchTemplate=TEMPLATE)
    other = unbaked("other", launchTemplate={"id": "lt-2", "version": 1})
    given = content(entry()) if own else content(entry(), entry("other", "ECS_AL2023_NVIDIA"))
    if own:
        given["computeResources"]["launchTemplate"] = {"launchTemplateName": "mine"}
    _, told = answer(given, first, other)
    assert any(each.startswith("TwoLaunchTemplates: ") for each in told)
    assert all("ec2Configuration[0].amiRef (atmos)" in each for each in told if "Two" in each)


def test_one_launch_template_for_two_entries_is_one():
    twice = content(entry(), entry("atmos", "ECS_AL2023"))
    members, told = answer(twice, unbaked(launchTemplate=TEMPLATE))
    assert (members["launchTemplate"]["launchTemplateId"], told) == (TEMPLATE["id"], [])


@pytest.mark.parametrize(
    ("base", "types", "kind", "words"),
    [
        ({}, ["m7g.large"], "ECS_AL2023", "m7g.large in spec.computeResources.instanceTypes"),
        ({}, ["m7i", "default_arm64"], "ECS_AL2023", "default_arm64 in spec"),
        ({"architecture": "arm64"}, ["optimal"], "ECS_AL2023", "is an image for arm64"),
        ({"variant": "gpu"}, ["g5"], "ECS_AL2023", "made from the gpu image"),
        ({}, ["m7i"], "ECS_AL2023_NVIDIA", "made from the standard image"),
        ({}, ["m7i"], "ECS_AL2", "would use it for ECS_AL2."),
        ({}, ["m7i"], "EKS_AL2023", "would use it for EKS_AL2023."),
        ({"variant": "gpu"}, ["g5"], "ECS_AL2_NVIDIA", "made from the gpu image"),
    ],
)
def test_what_could_not_boot_or_lacks_its_drivers_is_told_before_aws_finds_out(
    base, types, kind, words
):
    image = made(base={**FAMILY, **base})
    _, [told] = answer(content(entry(kind=kind), instanceTypes=types), image)
    assert told.startswith("ImageUnfit: spec.computeResources.ec2Configuration[0].amiRef: ")
    assert words in told


def told_of(image: Resource, architecture: str, **base: str) -> Resource:
    """The same with what its status says of its architecture and of its base."""
    return replace(image, status={**image.status, "architecture": architecture, "base": base})


def test_what_ec2_says_of_an_image_counts_however_the_spec_names_its_base():
    by_id = told_of(made(base={"amiId": BASE}), "arm64")
    _, [told] = answer(content(entry()), by_id)
    assert "atmos is an image for arm64, and m7i in spec" in told
    gpu = {"family": "AL2023", "variant": "gpu"}
    upon = told_of(made(base={"amiRef": {"name": "drivers"}}), "arm64", **gpu)
    _, [told] = answer(content(entry(), instanceTypes=["g5g"]), upon)
    assert "made from the gpu image" in told
    nvidia = content(entry(kind="ECS_AL2023_NVIDIA"), instanceTypes=["g5g"])
    assert answer(nvidia, upon)[1] == []
    edited = told_of(
        made(base=FAMILY), "arm64", **gpu
    )  # of another base, of which there is no image yet
    assert answer(nvidia, edited)[1] == []


def test_what_fits_is_not_told():
    gpu = made(base={**FAMILY, "variant": "gpu"})
    assert answer(content(entry(kind="ECS_AL2023_NVIDIA"), instanceTypes=["g5"]), gpu)[1] == []
    arm = made(base={**FAMILY, "architecture": "arm64"})
    assert answer(content(entry(), instanceTypes=["m7g", "default_arm64"]), arm)[1] == []
    by_id = made(base={"amiId": BASE})
    assert answer(content(entry(kind="ECS_AL2023_NVIDIA"), instanceTypes=["m7g"]), by_id)[1] == []


def test_an_architecture_shows_in_the_name_of_a_type():
    arm = (
        "m7g.large c6gn x2gd.metal im4gn is4gen a1 a1.large hpc7g t4g r8gd g5g.xlarge default_arm64"
    )
    x86 = "m7i.large g5 g4dn.xlarge g6e gr6 p5 inf2 trn1 c5 u-6tb1.112xlarge hpc7a d3en optimal"
    assert {architecture_of(each) for each in arm.split()} == {"arm64"}
    assert {architecture_of(each) for each in x86.split()} == {"x86_64"}


@pytest.mark.parametrize(
    ("image", "used"),
    [(made(), IMAGE), (unbaked(), BASE), (unbaked(base={"amiId": BASE}), BASE)],
    ids=["made", "the base by its family", "the base by its id"],
)
def test_a_pool_gets_the_id_beside_its_reference(image, used):
    reference = {"amiRef": {"name": "atmos"}}
    body = {"name": "main", "image": reference}
    assert pool_with_image(body, image)["image"] == {**reference, "amiId": used}


@pytest.mark.parametrize("image", [None, unbaked(launchTemplate=TEMPLATE), made(imageId="")])
def test_a_pool_is_left_alone_where_there_is_no_image_that_it_could_use(image):
    body = {"name": "main", "image": {"amiRef": {"name": "atmos"}}}
    assert pool_with_image(body, image) is body


def test_another_version_of_the_launch_template_wakes_whoever_uses_it():
    digest = significance()
    first, second = (unbaked(launchTemplate={**TEMPLATE, "version": version}) for version in (3, 4))
    assert digest(first) != digest(second)
    assert digest(first) == digest(unbaked(launchTemplate=dict(TEMPLATE)))


@pytest.mark.parametrize("there", [True, False], ids=["an environment that serves", "none yet"])
def test_of_what_does_not_fit_nothing_is_sent_and_what_aws_has_stays(there):
    arm = made(base={**FAMILY, "architecture": "arm64"})
    spec = managed(ec2Configuration=[entry()])
    of = resource("ComputeEnvironment", spec)
    wanted = desired_environment(of, targets(arm), owner(of))
    observed = environment_of(managed()).observed() if there else None
    plan = plan_environment(wanted, observed, NOW)
    assert plan.steps == ()
    assert [finding.reason.name for finding in plan.findings] == ["ImageUnfit"]


def test_a_newer_image_is_taken_over_as_any_other_image_is():
    spec = managed(ec2Configuration=[entry()])
    of = resource("ComputeEnvironment", spec)
    before = desired_environment(of, targets(made()), owner(of))
    aws = environment_of(dict(before.content))
    assert not compare(before, aws.observed()).fields
    after = desired_environment(of, targets(made(imageId="ami-0fedcba9876543210")), owner(of))
    found = compare(after, aws.observed())
    assert found.fields == ("computeResources.ec2Configuration",)
    assert found.change is Change.INFRASTRUCTURE


def moved(shows: str, *entries: dict[str, Any], **spec: Any) -> tuple[Any, Any, Any]:
    """What is desired with the image, what AWS has with another one, and how the two differ.

    The ExtendedAMI had the image OLD before; `shows` is the image that AWS has.
    """
    image = made(images=[{"imageId": IMAGE}, {"imageId": OLD}])
    of = resource("ComputeEnvironment", managed(ec2Configuration=[entry()]) | spec)
    wanted = desired_environment(of, targets(image), owner(of))
    have = managed(ec2Configuration=list(entries) or [{**BARE, "imageIdOverride": shows}])
    observed = environment_of(have).observed()
    return wanted, observed, compare(wanted, observed)


@pytest.mark.parametrize(
    ("shows", "follows"), [(OLD, True), (IMAGE, False), ("ami-0bbbbbbbbbbbbbbbb", False)]
)
def test_another_image_of_the_same_one_is_followed_and_any_other_is_a_drift(shows, follows):
    wanted, observed, found = moved(shows)
    assert bool(found.fields) is (shows != IMAGE)
    assert bool(followed(wanted, observed, found).fields) is follows
    reports = replace(wanted, terms=Terms(reports=True))
    assert bool(acted_upon(reports, observed, found).fields) is follows
    taken_over = replace(wanted, terms=Terms(reports=True, taking_over=True))
    assert not acted_upon(taken_over, observed, found).fields


def test_an_environment_in_which_more_than_the_image_differs_has_drifted():
    wanted, observed, found = moved(OLD, {"imageType": "ECS_AL2", "imageIdOverride": OLD})
    assert found.fields
    assert not followed(wanted, observed, found).fields
