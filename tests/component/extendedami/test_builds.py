"""From a spec to an image that is built, tried and used; and away again.

Builders and verifiers really run their user data, in throw-away roots.
"""

from typing import Any

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image

from awsbatch_simulator.host import execution
from awsbatch_simulator.host.boots import Boots
from awsbatch_simulator.hosting import UserDataMode

HOUR = 3600

pytestmark = pytest.mark.skipif(
    bool(execution.trouble()), reason="user data cannot be executed here"
)


class Real(Darkroom):
    """An installation whose hosts run what they are given."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        world = self.simulator.world
        world.boots = Boots(world.post)
        world.change(world.settings.patched({"hosts": {"userData": UserDataMode.EXECUTE.value}}))


async def test_an_image_is_built_tried_and_ready_and_nothing_else_is_left():
    there = Real()
    async with there.running():
        there.apply(IMAGE, image(rootVolume={"sizeGiB": 111}))
        await there.until_ready(IMAGE, within=HOUR)
        [made] = there.images()
        status = there.status(IMAGE)
        assert status["imageId"] == made.id
        assert status["measured"]["rootGiB"] == 111
        assert "htop" in made.baked.packages
        assert [each["state"] for each in status["images"]] == ["Available"]
        await there.run_until(lambda: not there.alive(), within=900)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


async def test_a_package_that_does_not_exist_is_told_with_step_code_and_console():
    there = Real()
    async with there.running():
        there.apply(IMAGE, image(packages=["no-such-package"]))
        await there.run_until(lambda: there.told("BuildAttemptFailed") != [], within=HOUR)
        build = there.build()
        assert build["step"] == "packages"
        assert build["exitCode"] == 1
        assert any("no-such-package" in line for line in build["consoleTail"])
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


async def test_repositories_that_cannot_be_reached_are_told_and_nothing_is_left():
    there = Real()
    there.fault(
        effect="world", service="*", name="no_way_to_host", match={"host": "al2023-repos-*"}
    )
    async with there.running():
        there.apply(IMAGE, image())
        said = await there.until(IMAGE, "Stalled", "BuildFailed", within=8 * HOUR)
        assert "in step packages" in said
        await there.run_until(there.nothing_left, within=HOUR)
