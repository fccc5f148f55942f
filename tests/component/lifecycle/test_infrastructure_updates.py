"""AWS exchanges the instances of an environment: announced, once, and until it is VALID again."""

from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, best_fit, environment

UPDATE = "batch:UpdateComputeEnvironment"
TYPES = "computeResources.instanceTypes"


def in_aws(there):
    return there.aws().describe_compute_environments()["computeEnvironments"][0]


async def started(there, spec):
    there.apply(ENVIRONMENT, spec)
    await there.until_ready(ENVIRONMENT)
    there.calls.clear()


def with_template(version="$Latest", **top):
    template = {"launchTemplateName": "web", "version": version}
    return environment(launchTemplate=template) | top


def make_template(there):
    data = {"EbsOptimized": True}
    there.aws("ec2").create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)


def add_version(there):
    data = {"EbsOptimized": False}
    there.aws("ec2").create_launch_template_version(
        LaunchTemplateName="web", LaunchTemplateData=data
    )


def used_version(there):
    return in_aws(there)["computeResources"]["launchTemplate"]["version"]


async def test_an_edit_is_announced_sent_once_and_ready_when_aws_has_exchanged_the_instances():
    there = Installation()
    shown = []
    async with there.running():
        await started(there, environment())
        there.kube.subscribe(lambda _, body: shown.append(body.get("status", {}).get("plan")))
        there.apply(ENVIRONMENT, environment(instanceTypes=["c7i.large"], ec2KeyPair=""))
        await there.until(ENVIRONMENT, "Reconciling", "Updating")
        plan = there.status(ENVIRONMENT)["plan"]
        assert (plan["action"], plan["fields"]) == ("Infrastructure", [TYPES])
        assert "may go on for 30 minutes" in plan["reason"]
        await there.until_ready(ENVIRONMENT)
        assert there.status(ENVIRONMENT)["plan"]["action"] == "None"
        await there.clock.advance(700)
    assert there.changes() == [UPDATE]
    assert in_aws(there)["computeResources"]["instanceTypes"] == ["c7i.large"]
    assert ("Updated", f"AWS exchanges the instances, to change {TYPES}.") in there.events(
        ENVIRONMENT
    )


async def test_an_update_that_leaves_the_environment_invalid_is_diagnosed_and_heals_by_an_edit():
    there = Installation()
    async with there.running():
        await started(there, environment())
        there.apply(ENVIRONMENT, environment(ec2KeyPair="nobodys"))
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        assert "The key pair 'nobodys' does not exist" in message
        assert "correct spec.computeResources.ec2KeyPair: AWS then exchanges" in message
        await there.clock.advance(700)
        assert there.changes() == [UPDATE]
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == [UPDATE, UPDATE]
    assert "ec2KeyPair" not in in_aws(there)["computeResources"]


async def test_a_template_by_a_word_is_sent_as_a_number_and_pinned_whatever_is_lost():
    there = Installation()
    make_template(there)
    async with there.running():
        await started(there, with_template())
        assert used_version(there) == "1"
        add_version(there)
        await there.clock.advance(1500)
    async with there.running():
        await there.clock.advance(700)
        there.kube.annotate(
            ENVIRONMENT,
            **{f"awsbatch.dev/{name}": None for name in ("resolved", "template-versions")},
        )
        await there.clock.advance(700)
        assert used_version(there) == "1"
        assert there.changes() == []
        there.apply(ENVIRONMENT, with_template("2"))
        await there.until_ready(ENVIRONMENT)
    assert used_version(there) == "2"


async def test_a_pinned_template_costs_no_look_at_ec2():
    there = Installation()
    make_template(there)
    async with there.running():
        await started(there, with_template())
        await there.clock.advance(700)
    assert [call for call in there.calls if call.startswith("ec2:")] == []


async def test_a_newer_version_is_taken_over_where_it_is_tracked_by_one_look_for_all():
    there = Installation()
    make_template(there)
    async with there.running():
        await started(there, with_template(launchTemplateVersions="Track"))
        await there.clock.advance(1250)
        assert there.changes() == []
        assert there.calls.count("ec2:DescribeLaunchTemplates") <= 1250 / 600 + 1
        add_version(there)
        await there.clock.run_until(lambda: used_version(there) == "2", within=1200)
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(700)
        assert there.changes() == [UPDATE]
        there.apply(ENVIRONMENT, with_template())  # pinned to what it has now
        add_version(there)
        await there.clock.advance(700)
    assert used_version(there) == "2"
    assert there.changes() == [UPDATE]


async def test_under_report_a_newer_version_is_followed_and_what_was_changed_by_hand_is_listed():
    there = Installation()
    make_template(there)
    spec = with_template(launchTemplateVersions="Track", driftPolicy="Report")
    async with there.running():
        await started(there, spec)
        there.aws().update_compute_environment(
            computeEnvironment=there.status(ENVIRONMENT)["awsName"],
            computeResources={"maxvCpus": 99},
        )
        await there.clock.advance(60)
        add_version(there)
        await there.clock.run_until(lambda: used_version(there) == "2", within=1200)
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(60)
        assert there.ready(ENVIRONMENT)
        assert there.is_true(ENVIRONMENT, "Drifted")
    assert there.changes() == [UPDATE]
    assert in_aws(there)["computeResources"]["maxvCpus"] == 99


async def test_what_ec2_does_not_tell_is_said_and_holds_up_nothing_else():
    there = Installation()
    make_template(there)
    async with there.running():
        there.fault(effect="deny", service="ec2", operation="DescribeLaunchTemplates")
        there.apply(ENVIRONMENT, with_template())
        message = await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        assert "ec2:DescribeLaunchTemplates" in message
        assert there.changes() == []
        there.mend()
        await there.until_ready(ENVIRONMENT, within=900)
        there.fault(effect="deny", service="ec2", operation="DescribeLaunchTemplates")
        tracking = with_template(launchTemplateVersions="Track")
        tracking["computeResources"]["maxvCpus"] = 32
        there.apply(ENVIRONMENT, tracking)
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied", within=1200)
        assert in_aws(there)["computeResources"]["maxvCpus"] == 32
    assert used_version(there) == "1"


async def test_a_template_that_does_not_exist_is_waited_for():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, with_template("$Default"))
        message = await there.until(ENVIRONMENT, "Stalled", "LaunchTemplateNotFound")
        assert "no launch template of the name web" in message
        assert there.changes() == []
        make_template(there)
        await there.until_ready(ENVIRONMENT, within=900)
    assert used_version(there) == "1"


def announce_image(there):
    name = there.status(ENVIRONMENT)["awsName"]
    environment_ = there.simulator.world.region(there.simulator.place).batch.environments[name]
    environment_.resources["ec2Configuration"] = [
        {"imageType": "ECS_AL2023", "batchImageStatus": "UPDATE_AVAILABLE"}
    ]


async def test_a_newer_image_is_only_told_and_taken_over_once_where_it_is_tracked():
    there = Installation()
    async with there.running():
        await started(there, environment())
        announce_image(there)
        await there.clock.run_until(
            lambda: "a newer machine image" in there.condition(ENVIRONMENT, "Ready")["message"]
        )
        assert there.changes() == []
        there.apply(ENVIRONMENT, environment() | {"imageUpdates": "Track"})
        await there.until(ENVIRONMENT, "Reconciling", "Updating")
        assert "newest machine image" in there.status(ENVIRONMENT)["plan"]["reason"]
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(1500)
        assert there.changes() == [UPDATE]


async def test_where_aws_exchanges_no_instances_a_newer_image_takes_another_environment():
    there = Installation()
    async with there.running():
        await started(there, best_fit() | {"imageUpdates": "Track"})
        announce_image(there)
        await there.clock.run_until(
            lambda: there.status(ENVIRONMENT)["plan"]["action"] == "Replacement"
        )
