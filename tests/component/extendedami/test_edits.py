"""Edits and deletions that do not do at once what somebody may expect: why, in plain words."""

from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.support.installation import NAMESPACE

from awsbatch_operator.api.metadata import ObjectKey

HOUR = 3600


async def test_an_edit_that_is_not_to_be_built_is_told_and_built_when_it_is_asked_for():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(rebuild={"when": []}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.told("SpecNotBuilt") == []
        there.apply(IMAGE, image(rebuild={"when": []}, packages=["jq"]))
        await there.run_until(lambda: there.told("SpecNotBuilt") != [])
        assert "the spec says another one" in there.condition(IMAGE, "Ready")["message"]
        assert there.ready(IMAGE)
        assert there.guests.built == 1
        there.apply(IMAGE, image(packages=["jq"]))
        await there.run_until(lambda: there.guests.built == 2, within=HOUR)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.condition(IMAGE, "Ready")["message"].endswith(" is in use.")
        assert len(there.told("SpecNotBuilt")) == 1


async def test_a_deletion_names_the_image_that_is_made_from_this_one_as_what_it_is():
    there = Darkroom()
    upon = ObjectKey("ExtendedAMI", NAMESPACE, "upon")
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        there.apply(upon, image(base={"amiRef": {"name": IMAGE.name}}))
        await there.until_ready(upon, within=HOUR)
        there.remove(IMAGE)
        said = await there.until(IMAGE, "DeletionBlocked", "ImageInUse")
        assert "ExtendedAMI science/upon" in said
        assert "environment" not in said
        there.remove(upon)
        await there.until_gone(upon, IMAGE)
        assert there.nothing_left()
