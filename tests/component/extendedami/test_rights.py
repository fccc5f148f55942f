"""Making images takes the operator's policy and that of images, and all of the latter."""

from dataclasses import replace

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean
from tests.support import rights
from tests.support.image_guests import Tale
from tests.support.one_process import CLUSTER

from awsbatch_operator.aws.image_calls import IMAGE_CALLS, SHARED

HOUR, DAY = 3600, 86_400
PUBLISHED = {"ssmParameter": "/images/atmos"}
ABROAD = "eu-west-1"
# What a life of images has no need of, and why the policy gives it all the same.
BESIDES = {
    "EC2's API asks for them where a spec names them": (
        "ec2:RunInstances",
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
    ),
    "for capacity alone, in the same row of the table": ("ec2:CreateTags", "ecs:DescribeClusters"),
    "only what a builder or a verifier has left behind": (
        "ec2:DeleteSnapshot",
        "ecs:DeregisterContainerInstance",
        "ecs:DescribeContainerInstances",
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


async def test_a_life_of_images_takes_its_policies_and_nothing_of_capacity():
    there = Darkroom(limited=False)
    rights.enforce(there.simulator, CLUSTER, parts=("operator", "image"))
    more = {
        "regions": ["eu-west-1"],
        "publish": {"ssmParameter": "/images/atmos"},
        "retention": {"keep": 1, "minAgeDays": 0},
    }
    async with there.running():
        there.apply(IMAGE, image(**more))
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        there.apply(IMAGE, image(tags={"team": "climate"}, **more))
        await there.run_until(lambda: there.images()[0].tags.get("team") == "climate")
        there.apply(IMAGE, image(packages=["jq"], **more))
        await there.until_ready(IMAGE, within=HOUR)
        await there.run_until(lambda: len(there.images()) == 1, within=DAY)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()
    assert rights.denied(there.simulator) == []
    left = {action for action, _, _ in rights.unused(there.simulator, CLUSTER, "image")}
    assert left <= {action for some in BESIDES.values() for action in some}


async def test_a_whole_life_takes_the_calls_of_its_policy_and_no_others():
    there = Darkroom(limited=False)
    parts = ("operator", "image")
    documents = [rights.document(part, CLUSTER) for part in parts]
    world = there.simulator.world
    policies = {there.simulator.key.principal: documents}
    world.change(world.settings.patched({"policies": policies}))
    abroad = world.region(replace(there.simulator.place, region=ABROAD)).ec2
    there.guests.verifiers = [Tale.WELL, Tale.FAILS]
    wide = {
        "rootVolume": {"sizeGiB": 60, "initializationRateMiBps": 300},
        "publish": PUBLISHED,
        "regions": [ABROAD],
        "retention": {"keep": 2, "minAgeDays": 0},
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
    table = {f"{each.service}:{each.operation}" for each in IMAGE_CALLS} | SHARED
    calls = {each.replace(":Try", ":") for each in there.calls}
    assert calls - table == {"sts:GetCallerIdentity"}
    # Made where a verifier has ended itself before it was ended (test_failures.py).
    assert table - calls == {"ecs:DeregisterContainerInstance"}


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
    documents = [rights.document(part, CLUSTER) for part in ("operator", "image")]
    for statement in (each for document in documents for each in document["Statement"]):
        statement["Action"] = [each for each in statement["Action"] if each != without] or ["ec2:X"]
    world = there.simulator.world
    policies = {there.simulator.key.principal: documents}
    world.change(world.settings.patched({"policies": policies}))
