"""Environments that AWS Batch runs follow the image that they name, and jobs do not notice."""

from typing import Any

import pytest
from tests.component.batchjob import runs
from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.support.installation import NAMESPACE
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS, environment, queue

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.ec2 import publishing
from awsbatch_simulator.ec2.publishing import Deed, Order

HOUR, DAY = 3600, 86_400
SOON = 30  # seconds: by what wakes whoever refers to an image, and not by the resync
AT_ONCE = {"keep": 1, "minAgeDays": 0}
ON_BASE = {"when": ["BaseChange"]}
BEST_FIT = ObjectKey("ComputeEnvironment", NAMESPACE, "best")
NAMED = [{"imageType": "ECS_AL2023", "amiRef": {"name": IMAGE.name}}]


def using(**changes: Any) -> dict[str, Any]:
    """An environment that names the image."""
    policy = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 360}
    return environment(ec2Configuration=NAMED, **changes) | {"updatePolicy": policy}


def new_base(there: Darkroom) -> str:
    """AWS publishes a newer base; its id."""
    world, region = there.simulator.world, there.simulator.place.region
    return str(publishing.carry_out(world, Order(deed=Deed.PUBLISH), region=region)["imageId"])


def in_aws(there: Darkroom, key: ObjectKey = ENVIRONMENT) -> Any:
    """What AWS has of the environment; None if it has none."""
    found = there.aws().describe_compute_environments()["computeEnvironments"]
    name = there.status(key).get("awsName")
    return next((each for each in found if each["computeEnvironmentName"] == name), None)


def image_in(there: Darkroom, key: ObjectKey = ENVIRONMENT) -> str:
    """The image that the environment has in AWS; "" if AWS is to choose one."""
    made = in_aws(there, key)
    entries = made["computeResources"].get("ec2Configuration", ()) if made else ()
    return "".join(each.get("imageIdOverride", "") for each in entries)


def template_in(there: Darkroom) -> str:
    """The launch template that the environment has in AWS; "" if it has none."""
    made = in_aws(there)
    template = made["computeResources"].get("launchTemplate") if made else None
    return str((template or {}).get("launchTemplateId", ""))


def changed(there: Darkroom, **resources: Any) -> None:
    """Somebody changes the environment in AWS; a member that is None is taken away."""
    kept = there.simulator.world.region(there.simulator.place).batch.environments
    have = kept[there.status(ENVIRONMENT)["awsName"]].resources
    assert have is not None
    for name, value in resources.items():
        have.pop(name) if value is None else have.update({name: value})


async def imaged(there: Darkroom, **members: Any) -> str:
    """There is an image; its id."""
    there.apply(IMAGE, image(**members))
    await there.until_ready(IMAGE, within=HOUR)
    return str(there.status(IMAGE)["imageId"])


async def test_an_environment_waits_for_its_image_and_is_made_when_that_has_passed_its_test():
    there = Darkroom()
    async with there.running():
        there.apply(ENVIRONMENT, using())
        await there.until(ENVIRONMENT, "Reconciling", "ReferenceNotFound")
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "measure", within=HOUR)
        said = await there.until(ENVIRONMENT, "Reconciling", "ReferenceNotReady")
        assert "ec2Configuration[0].amiRef: ExtendedAMI science/atmos is not Ready yet" in said
        assert in_aws(there) is None
        await there.until_ready(IMAGE, within=HOUR)
        await there.until_ready(ENVIRONMENT, within=SOON)
        assert image_in(there) == there.status(IMAGE)["imageId"]


async def test_a_newer_base_moves_environments_while_their_jobs_run_on_and_the_old_image_goes():
    """By AWS's exchange of instances where it can, by a new environment where it cannot."""
    there = Darkroom()
    plans: list[dict[str, Any]] = []
    async with there.running():
        old = await imaged(there, rebuild=ON_BASE, retention=AT_ONCE)
        there.apply(ENVIRONMENT, using())
        best_fit = using(allocationStrategy="BEST_FIT")
        del best_fit["updatePolicy"]
        there.apply(BEST_FIT, best_fit)
        there.apply(QUEUE, queue(ENVIRONMENT.name, BEST_FIT.name))
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(ENVIRONMENT, BEST_FIT, QUEUE, DEFINITION)
        first = there.status(BEST_FIT)["awsName"]
        runs.script(there, 2000)
        there.apply(runs.JOB, runs.SPEC)
        await there.run_until(lambda: runs.shown(there, "awsStatus") == "RUNNING", within=900)
        there.kube.subscribe(lambda _, body: plans.append(body.get("status", {}).get("plan") or {}))
        new_base(there)
        await there.run_until(lambda: there.build().get("step") == "measure", within=HOUR)
        assert {image_in(there), image_in(there, BEST_FIT)} == {old}
        assert there.ready(ENVIRONMENT, BEST_FIT)
        await there.run_until(lambda: there.status(IMAGE)["imageId"] != old, within=HOUR)
        new = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: image_in(there) == new, within=SOON)
        assert runs.shown(there, "awsStatus") == "RUNNING"
        assert old in [each.id for each in there.images()]
        announced = [each for each in plans if each.get("action") == "Infrastructure"]
        assert announced[0]["fields"] == ["computeResources.ec2Configuration"]
        assert "may go on for 360 minutes" in announced[0]["reason"]
        told = dict(there.events(ENVIRONMENT))
        assert told["Updated"].endswith("to change computeResources.ec2Configuration.")
        assert "DriftRepaired" not in told
        await there.until_ready(BEST_FIT, within=HOUR)
        assert image_in(there, BEST_FIT) == new
        assert there.status(BEST_FIT)["awsName"] != first
        await there.until(runs.JOB, "Complete", within=3 * HOUR)
        (job,) = runs.jobs(there)
        assert len(job.attempts) == 1
        await there.run_until(lambda: [each.id for each in there.images()] == [new], within=DAY)
        assert len(there.snapshots()) == 1


async def test_a_newer_base_that_nobody_asked_to_follow_moves_nothing():
    there = Darkroom()
    async with there.running():
        old = await imaged(there)
        there.apply(ENVIRONMENT, using())
        await there.until_ready(ENVIRONMENT)
        new_base(there)
        await there.run_until(lambda: there.told("BaseUpdateAvailable") != [], within=HOUR)
        await there.clock.advance(HOUR)
        assert (image_in(there), there.guests.built) == (old, 1)


async def test_a_pin_takes_environments_back_and_its_end_takes_them_forward_again():
    """Also where drifts are only told: what an ExtendedAMI gives is no drift."""
    there = Darkroom()
    async with there.running():
        old = await imaged(there)
        there.apply(ENVIRONMENT, using() | {"driftPolicy": "Report"})
        await there.until_ready(ENVIRONMENT)
        new = await imaged(there, packages=["jq"])
        assert new != old
        await there.run_until(lambda: image_in(there) == new, within=SOON)
        await there.until_ready(ENVIRONMENT)
        assert await imaged(there, packages=["jq"], pin=old) == old
        await there.run_until(lambda: image_in(there) == old, within=SOON)
        await there.until_ready(ENVIRONMENT)
        await imaged(there, packages=["jq"])
        await there.run_until(lambda: image_in(there) == new, within=SOON)
        await there.until_ready(ENVIRONMENT)
        assert there.guests.built == 2
        name = there.status(ENVIRONMENT)["awsName"]
        kept = there.simulator.world.region(there.simulator.place).batch.environments[name]
        assert kept.resources is not None
        kept.resources["ec2Configuration"][0]["imageIdOverride"] = "ami-078b9e98c4449bf43"
        await there.run_until(lambda: there.is_true(ENVIRONMENT, "Drifted"), within=HOUR)
        await there.clock.advance(HOUR)
        assert image_in(there) == "ami-078b9e98c4449bf43"


async def test_under_report_only_a_launch_template_of_ours_makes_room_for_another():
    there = Darkroom(limited=False)
    alone = {"packages": None, "builder": None}
    async with there.running():
        await imaged(there, **alone, rootVolume={"sizeGiB": 50})
        there.apply(ENVIRONMENT, using() | {"driftPolicy": "Report"})
        await there.until_ready(ENVIRONMENT)
        first = template_in(there)
        assert first == there.status(IMAGE)["launchTemplate"]["id"]
        there.apply(IMAGE, image(**alone, rootVolume={"sizeGiB": 60}))
        await there.run_until(lambda: template_in(there) not in {first, ""}, within=HOUR)
        second = template_in(there)
        await there.until_ready(ENVIRONMENT)
        made = there.aws("ec2").create_launch_template(
            LaunchTemplateName="mine", LaunchTemplateData={"KeyName": "mine"}
        )["LaunchTemplate"]["LaunchTemplateId"]
        changed(there, launchTemplate={"launchTemplateId": made, "version": "1"})
        said = await there.until(ENVIRONMENT, "Drifted", within=HOUR)
        assert "computeResources.launchTemplate" in said
        there.apply(IMAGE, image(**alone, rootVolume={"sizeGiB": 70}))
        await there.run_until(
            lambda: there.status(IMAGE)["launchTemplate"]["id"] != second, within=HOUR
        )
        await there.clock.advance(HOUR)
        assert template_in(there) == made
        assert there.is_true(ENVIRONMENT, "Drifted")
        changed(there, launchTemplate=None)
        await there.clock.advance(HOUR)
        assert template_in(there) == "", "somebody has taken it away"


async def test_an_image_that_is_deregistered_by_hand_is_made_anew_and_the_environment_moved():
    there = Darkroom()
    async with there.running():
        old = await imaged(there)
        there.apply(ENVIRONMENT, using())
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(HOUR)
        there.aws("ec2").deregister_image(ImageId=old)
        await there.run_until(
            lambda: there.ready(IMAGE) and there.status(IMAGE)["imageId"] != old, within=2 * HOUR
        )
        new = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: image_in(there) == new, within=SOON)
        await there.until_ready(ENVIRONMENT)


async def test_a_deletion_waits_for_the_environments_that_name_the_image_and_goes_on_without_them():
    there = Darkroom()
    async with there.running():
        await imaged(there)
        there.apply(ENVIRONMENT, using())
        await there.until_ready(ENVIRONMENT)
        there.remove(IMAGE)
        said = await there.until(IMAGE, "DeletionBlocked", "ImageInUse")
        assert "These objects refer to it: ComputeEnvironment science/pool." in said
        assert len(there.images()) == 1
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
        await there.until_gone(IMAGE, within=120)
        assert there.nothing_left()


@pytest.mark.parametrize("first", [IMAGE, ENVIRONMENT, QUEUE], ids=lambda each: each.kind)
async def test_all_that_is_deleted_at_once_goes_in_whatever_order(first):
    there = Darkroom()
    async with there.running():
        await imaged(there)
        there.apply(ENVIRONMENT, using())
        there.apply(QUEUE, queue())
        await there.until_ready(ENVIRONMENT, QUEUE)
        for key in (first, *({IMAGE, ENVIRONMENT, QUEUE} - {first})):
            there.remove(key)
        await there.until_gone(IMAGE, ENVIRONMENT, QUEUE)
        assert there.nothing_left()


async def test_an_environment_follows_the_launch_template_of_what_needs_no_image():
    there = Darkroom()
    spec = image(packages=None, rootVolume={"sizeGiB": 111}, builder=None)
    async with there.running():
        there.apply(IMAGE, spec)
        there.apply(ENVIRONMENT, using())
        await there.until_ready(ENVIRONMENT)
        used = in_aws(there)["computeResources"]["launchTemplate"]
        first = there.status(IMAGE)["launchTemplate"]
        assert used == {"launchTemplateId": first["id"], "version": str(first["version"])}
        assert image_in(there) == ""
        there.apply(IMAGE, {**spec, "rootVolume": {"sizeGiB": 200}})
        await there.run_until(lambda: there.status(IMAGE)["launchTemplate"] != first)
        second = there.status(IMAGE)["launchTemplate"]["id"]
        await there.run_until(
            lambda: (
                in_aws(there)["computeResources"]["launchTemplate"]["launchTemplateId"] == second
            ),
            within=SOON,
        )
        await there.until_ready(ENVIRONMENT)
        assert "DriftRepaired" not in dict(there.events(ENVIRONMENT))
        ec2 = there.aws("ec2")
        await there.run_until(
            lambda: (
                [
                    each["LaunchTemplateId"]
                    for each in ec2.describe_launch_templates()["LaunchTemplates"]
                ]
                == [second]
            ),
            within=HOUR,
        )


async def test_what_does_not_fit_is_told_and_heals_as_the_message_says():
    there = Darkroom()
    disk = image(packages=None, rootVolume={"sizeGiB": 111}, builder=None)
    async with there.running():
        there.apply(IMAGE, disk)
        there.apply(ENVIRONMENT, using(instanceTypes=["m7g.large"]))
        said = await there.until(ENVIRONMENT, "Stalled", "ImageUnfit")
        assert "atmos is an image for x86_64, and m7g.large" in said
        own = {"launchTemplateName": "web", "version": "1"}
        there.apply(ENVIRONMENT, using(launchTemplate=own))
        said = await there.until(ENVIRONMENT, "Stalled", "TwoLaunchTemplates")
        assert "(atmos) brings a launch template" in said
        assert in_aws(there) is None
        there.apply(ENVIRONMENT, using())
        await there.until_ready(ENVIRONMENT)
