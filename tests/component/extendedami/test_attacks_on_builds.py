"""Builds at bad moments: counted launches, storms, pauses, and many images at rest."""

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean
from tests.support.image_guests import Tale

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.ec2 import publishing
from awsbatch_simulator.ec2.publishing import Deed, Order

HOUR, DAY = 3600, 86_400
BASE = "ami-078b9e98c4449bf43"


async def test_launches_are_counted_over_days_and_each_reason_to_begin_anew_gives_three_more():
    there = Darkroom()
    there.guests.builders = [Tale.FAILS] * 99
    async with there.running():
        there.apply(IMAGE, image())
        await there.clock.advance(2 * DAY)
        assert there.guests.built == 3
        there.apply(IMAGE, image(), annotations={"awsbatch.dev/reconcile-at": "one"})
        await there.clock.advance(DAY)
        assert there.guests.built == 6
        assert "attempt 3 of 3" in there.condition(IMAGE, "Stalled")["message"]
        there.apply(IMAGE, image(packages=["jq"]))
        await there.clock.advance(DAY)
        assert there.guests.built == 9
        assert len(there.told("BuildFailed")) <= 3
        assert there.nothing_left()


async def test_a_build_after_a_good_one_of_the_same_image_has_three_attempts_of_its_own():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        await there.clock.advance(HOUR)
        there.guests.builders = [Tale.FAILS] * 9
        there.aws("ec2").deregister_image(ImageId=there.status(IMAGE)["imageId"])
        said = await there.until(IMAGE, "Stalled", "BuildFailed", within=4 * HOUR)
        assert "attempt 3 of 3" in said
        assert there.guests.built == 4


async def test_a_builder_that_is_stolen_is_followed_by_another_and_not_by_many():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        stolen = there.build()["instanceId"]
        keys = [{"Key": key} for key in there.ec2.instances[stolen].tags]
        there.aws("ec2").delete_tags(Resources=[stolen], Tags=keys)
        await there.until_ready(IMAGE, within=HOUR)
        await there.run_until(lambda: there.alive() == [stolen], within=HOUR)
        assert there.guests.built == 2
        assert len(there.told("BuildAttemptFailed")) == 1


@pytest.mark.parametrize("step", ["clean", "Imaging", "measure"])
async def test_a_pause_at_any_step_holds_and_the_build_goes_on_after_it(step):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        there.kube.annotate(IMAGE, **{"awsbatch.dev/paused": "true"})
        await there.clock.advance(60)
        there.calls.clear()
        await there.clock.advance(3 * HOUR)
        assert there.changes() == []
        there.kube.annotate(IMAGE, **{"awsbatch.dev/paused": None})
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)
        await there.clock.advance(HOUR)
        assert len(there.images()) == len(there.snapshots()) == 1


@pytest.mark.parametrize("step", ["Building", "clean", "Imaging", "measure"])
async def test_a_base_that_is_withdrawn_at_any_step_is_told_or_does_no_harm(step):
    there = Darkroom()
    world, region = there.simulator.world, there.simulator.place.region
    async with there.running():
        there.apply(IMAGE, image(base={"amiId": BASE}))
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        publishing.carry_out(world, Order(deed=Deed.WITHDRAW, image_id=BASE), region=region)
        await there.clock.advance(3 * HOUR)
        assert there.ready(IMAGE) or there.is_true(IMAGE, "Stalled", "BaseImageNotFound")
        assert there.alive() == []
        assert there.guests.built <= 1
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


@pytest.mark.parametrize("service", ["ec2", "ecs"])
async def test_a_storm_of_throttling_is_waited_out_without_a_second_image(service):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        there.fault(
            effect="error",
            service=service,
            code="RequestLimitExceeded" if service == "ec2" else "ThrottlingException",
            status=503 if service == "ec2" else 400,
            message="Request limit exceeded.",
        )
        there.calls.clear()
        await there.clock.advance(HOUR)
        assert len(there.calls) <= 600
        there.mend()
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)
        assert there.guests.built == 1
        assert len(there.images()) == 1


async def test_an_image_that_fails_after_an_hour_is_removed_and_built_anew():
    there = Darkroom()
    there.fault(effect="world", service="*", name="image_fails", times=1, seconds=HOUR)
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=4 * HOUR)
        await until_clean(there)
        assert len(there.images()) == len(there.snapshots()) == 1
        assert there.guests.built == 2


async def test_many_images_at_rest_cost_no_write_and_no_call_of_their_own():
    there = Darkroom()
    keys = [ObjectKey("ExtendedAMI", IMAGE.namespace, f"atmos-{each}") for each in range(6)]
    async with there.running():
        for key in keys:
            there.apply(key, image())
        await there.until_ready(*keys, within=4 * HOUR)
        await there.clock.advance(HOUR)
        assert there.guests.built == len(keys)
        there.calls.clear()
        versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in keys]
        await there.clock.advance(HOUR)
        assert versions == [there.kube.see(key)["metadata"]["resourceVersion"] for key in keys]
        assert there.changes() == []
        assert len(there.calls) <= 45
    there.calls.clear()
    async with there.running():
        await there.clock.advance(HOUR)
        assert there.changes() == []
        assert versions == [there.kube.see(key)["metadata"]["resourceVersion"] for key in keys]
        assert len(there.calls) <= 45
