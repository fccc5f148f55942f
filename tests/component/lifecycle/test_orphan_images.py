"""What was on the way to a machine image and has no owner: when it goes, and when it does not."""

import json
import re
from dataclasses import replace

import pytest
from tests.support import manifests, rights
from tests.support.installation import NAMESPACE
from tests.support.manifests import PROFILE
from tests.support.one_process import CLUSTER
from tests.support.orphanage import GONE, WITHIN_GRACE, Orphanage, inhabited, rows
from tests.support.orphanage import tags as capacity
from tests.support.simulated_aws import any_image

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.extendedami.requests import image_name
from awsbatch_simulator.ec2.image_model import ImageState, SnapshotState

IMAGE = ObjectKey("ExtendedAMI", NAMESPACE, "atmos")
SPEC = {"base": {"family": "AL2023"}, "packages": ["htop"]}
BUILD = "0123456789ab"
THERE = ObjectKey("ExtendedAMI", NAMESPACE, "there")


@pytest.fixture(autouse=True)
def images(monkeypatch):
    """The images that there are take a fifth of a second to read."""
    lookup = type(Orphanage().simulator.world.lookup)
    monkeypatch.setattr(lookup, "public_image", any_image)


def tags(uid=GONE, **more):
    """The tags of what one build has made."""
    owned = Owner(CLUSTER, IMAGE, uid).tags()
    extra = {f"awsbatch.dev/{key}": text for key, text in more.items()}
    return owned | {"awsbatch.dev/build": BUILD} | extra


class Studio(Orphanage):
    """The world of orphans, with builders and images in it."""

    def builder(self, uid=GONE, role="builder"):
        [made] = self.launch(tags(uid, role=role))
        return made

    def image(self, uid=GONE, *, verdict="", name="", of=""):
        """An image of ours as a build makes it, of an instance of somebody."""
        instance = of or self.launch({"team": "climate"})[0]
        self.clock.skip(60)
        more = {"verdict": verdict} if verdict else {}
        made = self.aws("ec2").create_image(
            InstanceId=instance,
            Name=name or image_name(IMAGE.namespace, IMAGE.name, BUILD),
            NoReboot=True,
            TagSpecifications=[
                {"ResourceType": "image", "Tags": rows(tags(uid, **more))},
                {"ResourceType": "snapshot", "Tags": rows(tags(uid))},
            ],
        )["ImageId"]
        self.clock.skip(3600)
        return made

    def cluster(self, uid=GONE, name="atmos", **more):
        """A cluster in which images of that object were tried, and what it is called."""
        called = f"awsbatch-verify-{name}"
        marks = Owner(more.get("id", CLUSTER), IMAGE._replace(name=name), uid).tags()
        listed = [{"key": key, "value": text} for key, text in marks.items()]
        self.aws("ecs").create_cluster(clusterName=called, tags=listed)
        return called

    def clusters(self):
        """The ACTIVE ones that images are tried in."""
        return {each.rpartition("/")[2] for each in self.aws("ecs").list_clusters()["clusterArns"]}

    @property
    def ec2(self):
        return self.simulator.world.region(self.simulator.place).ec2

    def alive(self, instance):
        return self.ec2.instances[instance].state.value in {"running", "pending"}


async def test_a_builder_and_half_made_images_whose_object_is_gone_go_and_finished_ones_stay():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        half = there.image()
        copied = there.image(name="a-copy-of-somebody")
        builder = there.builder()
        await there.look(WITHIN_GRACE)
        assert there.ends() == []
        await there.look(3)
        assert not there.alive(builder)
        assert {*there.ec2.images} == {copied}
        assert half not in there.ec2.images
    told = " ".join(there.told("OrphansRemoved"))
    assert "1 Instance" in told
    assert "1 Image" in told


async def test_finished_images_without_an_object_are_counted_and_never_removed():
    """They may have been retained: nothing in AWS tells."""
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        whole = there.image(verdict="Verified")
        await there.look(WITHIN_GRACE + 6)
        assert whole in there.ec2.images
        assert there.ends() == []
        assert there.ec2.snapshots
        registry = there.process.metrics.registry
        kept = registry.get_sample_value("awsbatch_operator_images_without_owner")
        assert kept == pytest.approx(1)


async def test_a_builder_of_an_object_whose_finished_images_are_there_waits_for_a_word():
    """It was retained, or another cluster by mistake has our id."""
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        there.image(verdict="Verified")
        builder = there.builder()
        await there.look(WITHIN_GRACE + 4)
        assert there.alive(builder)
        [text] = there.told("OrphansHeld")
        assert "AWS still has their finished images" in text
        assert "whose uid no ExtendedAMI has" in text
        [number] = re.findall(r"confirm-orphans=(\w+) ", text)
        there.confirm(number)
        await there.look(2)
        assert not there.alive(builder)


async def test_what_an_object_still_cares_for_stays_and_what_it_has_finished_with_goes():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        uid = there.apply(IMAGE, SPEC)
        builder = there.builder(uid)
        former = there.image("former")
        await there.look(WITHIN_GRACE + 4)
        assert there.alive(builder), "it has no record, and so looks for all of its own"
        assert former in there.ec2.images, "it takes it over, or removes it"
        moment = "2026-01-01T00:00:00.000000Z"
        record = {
            **dict.fromkeys(("build", "content", "base", "source", "mark"), BUILD),
            "v": 1,
            "uid": uid,
            "attempt": 1,
            "first": 1,
            "stage": "Failed",
            "clean": True,
            "started": moment,
            "since": moment,
        }
        there.kube.annotate(IMAGE, **{"awsbatch.dev/build": json.dumps(record)})
        await there.look(WITHIN_GRACE + 2)
        assert not there.alive(builder), "its record says that nothing was left"
        assert former in there.ec2.images


async def test_a_half_made_image_that_something_refers_to_stays():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        half = there.image()
        there.aws("ec2").run_instances(
            ImageId=half,
            InstanceType="m7i.large",
            SubnetId="subnet-1",
            MinCount=1,
            MaxCount=1,
            IamInstanceProfile={"Arn": PROFILE},
        )
        await there.look(WITHIN_GRACE + 6)
        assert half in there.ec2.images
        assert there.ends() == []


async def test_a_snapshot_of_no_image_goes_unless_somebody_copied_it_or_an_image_has_it():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        half = there.image()
        ours, other = there.ec2.snapshots.values()
        told = f"[Copied {ours.id} from {there.simulator.place.region}]"
        copied = replace(ours, id="snap-0c0c0c0c", description=told, tags=dict(ours.tags))
        there.ec2.snapshots[copied.id] = copied
        made, whole = there.ec2.images[half], ImageState.AVAILABLE
        theirs = replace(made, id="ami-0f0f0f0f", name="mine", tags={}, state=whole)
        there.aws("ec2").deregister_image(ImageId=half)
        there.ec2.images[theirs.id] = theirs
        await there.look(WITHIN_GRACE + 6)
        assert {*there.ec2.snapshots} == {ours.id, other.id, copied.id}
        assert there.ends() == []
        del there.ec2.images[theirs.id]
        await there.look(WITHIN_GRACE + 2)
        assert {*there.ec2.snapshots} == {copied.id}


async def test_where_images_cannot_be_listed_nothing_of_images_goes_and_the_rest_does():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        builder = there.builder()
        there.template(capacity(GONE))
        refused = {"code": "UnauthorizedOperation", "message": "no", "status": 403}
        there.fault(effect="error", service="ec2", operation="DescribeSnapshots", **refused)
        await there.look(WITHIN_GRACE + 4)
        assert there.alive(builder)
        assert there.ends() == ["ec2:DeleteLaunchTemplate"]


async def test_the_cluster_of_a_test_whose_object_is_gone_goes_with_what_is_left_in_it():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        uid = there.apply(THERE, SPEC)
        left, full = there.cluster(), there.cluster(name="full")
        kept = {there.cluster(uid, name="there"), there.cluster(name="theirs", id="another")}
        [ended] = there.launch({"team": "climate"}, cluster=full)
        there.clock.skip(120)
        assert there.aws("ecs").list_container_instances(cluster=full)["containerInstanceArns"]
        await there.look(WITHIN_GRACE)
        assert {left, full} <= there.clusters()
        await there.look(3)
        assert there.clusters() & {left, full, *kept} == kept
        assert there.alive(ended), "it is somebody else's"
    assert "2 Clusters" in " ".join(there.told("OrphansRemoved"))


async def test_a_launch_template_of_a_gone_object_goes_unless_an_environment_names_it():
    there = Studio()
    plain = Owner(CLUSTER, IMAGE, GONE).tags()
    async with there.running():
        inhabited(there, 30)
        there.template(plain, "unused")
        there.template(plain, "used")
        there.template(Owner(CLUSTER, THERE, GONE).tags(), "taken-over")
        there.apply(THERE, SPEC)
        resources = manifests.environment()["computeResources"]
        there.aws("batch").create_compute_environment(
            computeEnvironmentName="theirs",
            type="MANAGED",
            serviceRole=manifests.ROLE,
            computeResources={**resources, "launchTemplate": {"launchTemplateName": "used"}},
        )
        await there.look(WITHIN_GRACE + 4)
        left = {each.name for each in there.ec2.templates.values()}
    assert "unused" not in left
    assert {"used", "taken-over"} <= left


async def test_a_template_whose_object_has_finished_images_in_aws_waits_for_a_word():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        there.image(verdict="Verified")
        there.template(Owner(CLUSTER, IMAGE, GONE).tags(), "held")
        await there.look(WITHIN_GRACE + 4)
        assert "held" in {each.name for each in there.ec2.templates.values()}
        [text] = there.told("OrphansHeld")
        [number] = re.findall(r"confirm-orphans=(\w+) ", text)
        there.confirm(number)
        await there.look(2)
        assert "held" not in {each.name for each in there.ec2.templates.values()}


async def test_the_snapshot_of_a_copy_of_ours_goes_and_that_of_somebodys_copy_stays():
    there = Studio()
    told = "Copied for DestinationAmi ami-0b0b0b0b from SourceAmi ami-0a0a0a0a for SourceSnapshot"
    async with there.running():
        inhabited(there, 30)
        half = there.image()
        one = next(iter(there.ec2.snapshots.values()))
        for name, marks in (("snap-0d0d0d0d", tags(verdict="Verified")), ("snap-0e0e0e0e", tags())):
            made = replace(one, id=name, description=told, tags=dict(marks))
            made.state = SnapshotState.COMPLETED
            there.ec2.snapshots[name] = made
        there.aws("ec2").deregister_image(ImageId=half, DeleteAssociatedSnapshots=True)
        await there.look(WITHIN_GRACE + 4)
    assert {*there.ec2.snapshots} == {"snap-0e0e0e0e"}


async def test_who_may_not_list_clusters_has_all_else_of_images_removed():
    there = Studio()
    async with there.running():
        inhabited(there, 30)
        cluster, half = there.cluster(), there.image()
        rights.enforce(there.simulator, CLUSTER, parts=("operator", "capacity", "image"))
        await there.look(WITHIN_GRACE + 4)
        assert half not in there.ec2.images
        assert cluster in there.clusters()
