"""Images that meet something else: missing rights, each other, shut gates; and images at rest."""

from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean

from awsbatch_operator.api.metadata import ObjectKey

HOUR = 3600


async def test_a_right_that_is_missing_is_told_before_anything_is_launched():
    there = Darkroom()
    policies = there.simulator.world.settings.policies
    for documents in policies.values():
        for document in documents:
            for statement in document["Statement"]:
                actions = [each for each in statement["Action"] if each != "ec2:RunInstances"]
                statement["Action"] = actions or ["ec2:Nothing"]
    world = there.simulator.world
    world.change(world.settings.patched({"policies": policies}))
    async with there.running():
        there.apply(IMAGE, image())
        said = await there.until(IMAGE, "Stalled", "PermissionDenied")
        assert "ec2:RunInstances" in said
        assert there.alive() == []


async def test_two_images_share_the_cluster_of_the_tests_and_none_takes_it_from_the_other():
    there = Darkroom()
    other = ObjectKey("ExtendedAMI", IMAGE.namespace, "ocean")
    async with there.running():
        there.apply(IMAGE, image())
        await there.clock.advance(25)
        there.apply(other, image(packages=["jq"]))
        await there.until_ready(IMAGE, other, within=HOUR)
        assert there.told("BuildAttemptFailed") == []
        await until_clean(there)
        clusters = there.simulator.world.region(there.simulator.place).ecs.clusters.values()
        await there.run_until(
            lambda: not [each for each in clusters if each.active and "verify" in each.name],
            within=HOUR,
        )


async def test_an_image_at_rest_costs_no_write_and_few_calls():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        await there.clock.advance(2 * HOUR)
        there.calls.clear()
        version = there.kube.see(IMAGE)["metadata"]["resourceVersion"]
        await there.clock.advance(HOUR)
        assert there.kube.see(IMAGE)["metadata"]["resourceVersion"] == version
        assert there.changes() == []
        assert "ec2:DescribeInstances" not in there.calls
        assert "ecs:ListContainerInstances" not in there.calls
        assert len(there.calls) <= 40  # a look every 220 s, so that a change by hand is soon seen


async def test_a_build_behind_a_gate_that_stays_shut_costs_no_longer_than_some_hours():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        there.apply(IMAGE, image(verify={"timeoutSeconds": 1}))
        await there.until(IMAGE, "Stalled", "InvalidSpec")
        await there.clock.advance(HOUR)
        assert len(there.alive()) == 1
        await there.run_until(lambda: not there.alive(), within=8 * HOUR)
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=2 * HOUR)
        assert len(there.images()) == 1


async def test_a_deletion_while_a_gate_holds_it_back_leaves_nothing():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        there.apply(IMAGE, image(verify={"timeoutSeconds": 1}))
        await there.until(IMAGE, "Stalled", "InvalidSpec")
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


async def test_an_edit_back_to_an_earlier_spec_uses_the_image_that_is_there():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        first = there.status(IMAGE)["imageId"]
        there.apply(IMAGE, image(packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE)
        assert there.status(IMAGE)["imageId"] == first
        assert there.guests.built == 2


async def test_a_test_for_which_the_instance_would_have_no_right_is_told_before_anything_is_made():
    there = Darkroom()
    bare = {"subnets": ["subnet-1"]}
    async with there.running():
        there.apply(IMAGE, image(builder=bare))
        said = await there.until(IMAGE, "Stalled", "VerifyNeedsProfile")
        assert "spec.builder.instanceProfile" in said
        assert there.alive() == []
        there.apply(IMAGE, image(builder=bare, verify={"enabled": False}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.guests.verified == 0
