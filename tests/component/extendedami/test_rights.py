"""Making images takes the operator's policy and those of images that it uses, and all of those."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean
from tests.support import rights
from tests.support.iam import allows
from tests.support.image_guests import Tale
from tests.support.one_process import CLUSTER

from awsbatch_operator.api.tags import CLUSTER as TAG
from awsbatch_operator.aws import image_calls
from awsbatch_operator.aws.calls import CLUSTER_ID

HOUR, DAY = 3600, 86_400
ABROAD = "eu-west-1"
PUBLISHED = {"publish": {"ssmParameter": "/images/atmos"}}
COPIED = {"regions": [ABROAD]}
UNTRIED: dict[str, Any] = {"verify": {"enabled": False}}
# What each part lets be done, by the fields that ask for it, and the field that does without.
PARTS: dict[str, dict[str, Any]] = {
    image_calls.PART: {},
    image_calls.VERIFY: {"verify": None},
    image_calls.COPIES: COPIED,
    image_calls.PUBLISH: PUBLISHED,
}
# What a life has no need of, and why the policy gives it all the same.
BESIDES = {
    "EC2's API asks for them where a spec names them": ("ec2:RunInstances", "iam:PassRole"),
    "for capacity alone, in the same row of the table": ("ec2:CreateTags",),
    "only what a builder or a verifier has left behind": (
        "ec2:DeleteSnapshot",
        "ecs:DeregisterContainerInstance",
        "ecs:ListClusters",  # of an object that is gone: test_orphan_images.py
    ),
    "where no image is needed: test_publishing.py": (
        "ec2:CreateLaunchTemplate",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteTags",
    ),
    "an image that was deprecated is used again: test_retirement.py": (
        "ec2:DisableImageDeprecation",
    ),
    "old images of a long time": ("ec2:EnableImageDeprecation",),
}


@pytest.mark.parametrize("part", PARTS)
async def test_a_life_takes_the_core_and_the_part_that_it_uses_and_all_of_that(part):
    there = Darkroom(limited=False)
    parts = {"operator", image_calls.PART, part}
    rights.enforce(there.simulator, CLUSTER, parts=sorted(parts))
    more = {**UNTRIED, **PARTS[part], "retention": {"keep": 1, "minAgeDays": 0}}
    async with there.running():
        there.apply(IMAGE, image(**more))
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        there.apply(IMAGE, image(tags={"team": "climate"}, **more))
        await there.run_until(lambda: there.images()[0].tags.get("team") == "climate")
        there.apply(IMAGE, image(**more))
        await there.run_until(lambda: "team" not in there.images()[0].tags)
        there.apply(IMAGE, image(packages=["jq"], **more))
        await there.until_ready(IMAGE, within=HOUR)
        await there.run_until(lambda: len(there.images()) == 1, within=DAY)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()
    assert rights.denied(there.simulator) == []
    left = {action for action, _, _ in rights.unused(there.simulator, CLUSTER, part)}
    assert left <= {action for some in BESIDES.values() for action in some}


@pytest.mark.parametrize("part", [each for each in PARTS if each != image_calls.PART])
async def test_a_part_that_is_not_given_is_missed_by_who_uses_it_and_told(part):
    there = Darkroom(limited=False)
    parts = sorted({"operator", *PARTS} - {part})
    rights.enforce(there.simulator, CLUSTER, parts=parts)
    more = {**UNTRIED, **PARTS[part]}
    async with there.running():
        there.apply(IMAGE, image(**more))
        said = await there.until(IMAGE, "Stalled", "PermissionDenied", within=HOUR)
    [service] = {each.partition(":")[0] for each in rights.denied(there.simulator)}
    assert f"AWS refuses {service}:" in said


async def test_an_image_is_taken_over_by_a_policy_of_its_own_and_only_what_nobody_has_marked():
    text = (rights.FOLDER / "image-adoption-policy.json").read_text()
    marks = {f"aws:RequestTag/{TAG}": CLUSTER_ID}
    for kind in ("image/ami-1", "snapshot/snap-1"):
        thing = f"arn:aws:ec2:eu-central-1::{kind}"
        assert allows(json.loads(text), "ec2:CreateTags", thing, marks)
        assert not allows(json.loads(text), "ec2:CreateTags", thing, {})
        theirs = {**marks, f"aws:ResourceTag/{TAG}": "another-cluster"}
        assert not allows(json.loads(text), "ec2:CreateTags", thing, theirs)
    for part in PARTS:
        thing = "arn:aws:ec2:eu-central-1::image/ami-1"
        given = rights.given_out(part, CLUSTER_ID)
        assert not allows(given, "ec2:CreateTags", thing, marks)


async def test_a_whole_life_takes_the_calls_of_its_policies_and_no_others():
    there = Darkroom(limited=False)
    rights.enforce(there.simulator, CLUSTER, parts=("operator", *PARTS))
    world = there.simulator.world
    abroad = world.region(replace(there.simulator.place, region=ABROAD)).ec2
    there.guests.verifiers = [Tale.WELL, Tale.FAILS]
    wide = {
        "rootVolume": {"sizeGiB": 60, "initializationRateMiBps": 300},
        "retention": {"keep": 2, "minAgeDays": 0},
        **PUBLISHED,
        **COPIED,
    }
    async with there.running():
        there.apply(IMAGE, image(**wide))
        await there.until_ready(IMAGE, within=HOUR)
        first = there.status(IMAGE)["imageId"]
        there.apply(IMAGE, image(**wide, scripts=[{"name": "a", "content": "true"}]))
        await there.until_ready(IMAGE, within=HOUR)
        there.apply(IMAGE, image(**wide, pin=first, tags={"team": "climate"}))
        await there.run_until(lambda: there.images()[0].tags.get("team") == "climate")
        there.apply(IMAGE, image(**wide, pin=first))
        await there.until_ready(IMAGE, within=HOUR)
        await there.clock.advance(HOUR)
        there.aws("ec2").deregister_image(ImageId=first)
        there.apply(IMAGE, image(**wide, packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE, within=HOUR)
    assert rights.denied(there.simulator) == []
    assert there.nothing_left()
    assert not abroad.images
    shared = {name for some in image_calls.SHARED.values() for name in some}
    rows = {f"{each.service}:{each.operation}" for each in image_calls.IMAGE_CALLS}
    table = rows | shared | image_calls.BESIDES
    calls = {each.replace(":Try", ":") for each in there.calls}
    assert calls - table == {"sts:GetCallerIdentity"}
    # Made where a verifier has ended itself before it was ended (test_failures.py), and where an
    # object is gone (test_orphan_images.py).
    assert table - calls == {"ecs:DeregisterContainerInstance", "ecs:ListClusters"}


@pytest.mark.parametrize("action", ["CreateImage", "TerminateInstances", "CopyImage"])
async def test_a_right_that_is_missing_is_told_while_the_builder_works(action):
    there = Darkroom(limited=False)
    allow(there, without=f"ec2:{action}")
    spec = image(regions=[ABROAD], verify={"enabled": False})
    async with there.running():
        there.apply(IMAGE, spec)
        said = await there.until(IMAGE, "Stalled", "PermissionDenied", within=60)
        assert f"AWS refuses ec2:{action}" in said
        assert there.guests.built == 0, "the builder has yet to end"
        allow(there)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.guests.built == 1
        tries = there.calls.count(f"ec2:Try{action}")
        await until_clean(there)
        await there.clock.advance(HOUR)
        assert there.calls.count(f"ec2:Try{action}") == tries > 1, "nothing is tried at rest"


def allow(there, *, without=""):
    """The operator may do what its policies say, that action aside."""
    documents = [rights.document(part, CLUSTER) for part in ("operator", *PARTS)]
    for statement in (each for document in documents for each in document["Statement"]):
        statement["Action"] = [each for each in statement["Action"] if each != without] or ["ec2:X"]
    world = there.simulator.world
    policies = {there.simulator.key.principal: documents}
    world.change(world.settings.patched({"policies": policies}))
