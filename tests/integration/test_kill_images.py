"""kill -9 while images are built, tried, copied, published, used and removed: one for each build.

As in test_kill.py: some points with real processes, of those that crash/ tries one by one. Each
lane has an image of its own, and its operator is killed again and again on the way. The builders
really run what they are given.
"""

import asyncio
from collections import Counter
from contextlib import ExitStack, contextmanager

import pytest
from tests.simulator.hosts import executing
from tests.support import manifests
from tests.support.deadline import until
from tests.support.kill_lanes import ON_ITS_WAY, SECONDS, SELDOM, Lane, annotation, lane
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import BUILD
from awsbatch_operator.api.tags import INTENT, NAMESPACE, ROLE, VERDICT
from awsbatch_operator.kinds.extendedami.usage import images_of

pytestmark = executing
IMAGE, ENVIRONMENT = ("ExtendedAMI", "atmos"), ("ComputeEnvironment", "pool")
ABROAD = "eu-west-1"
AT_ONCE = {"keep": 1, "minAgeDays": 0}
UNTRIED = {"verify": {"enabled": False}}
# Whose builder a call is about, its type says: each lane has one of its own.
TYPES = {"built": "m7i.large", "answered": "c7i.large", "outward": "r7i.large", "used": "m6i.large"}
RUN, CREATE, REMOVE = "RunInstances", "CreateImage", "DeregisterImage"
IMAGES = {"built": 1, "answered": 1, "outward": 2, "used": 2}  # that are made in each lane
BUILDERS = IMAGES | {"used": 3}  # the last one is cut short
LEAST = 14  # points
TRIAL = {"DryRun": "*"}  # some calls are tried before; a trial makes nothing


class Imaged(Lane):
    """A lane with an image."""

    async def live(self):
        """From the first manifest to the last deletion, with nothing left in AWS."""
        try:
            await getattr(self, f"is_{self.name}")()
        except AssertionError as error:
            about = self.cluster.get(*IMAGE)
            error.add_note(f"{self.name}: {about} {self.machines()} {self.images()}")
            error.add_note(self.part.last_words())
            raise
        assert self.left() == {}, f"{self.name}, killed {self.killed}"
        tokens = Counter(each[INTENT] for each in self.machines())
        assert set(tokens.values()) == {1}, "launched twice by one token"
        roles = Counter(each[ROLE] for each in self.machines())
        assert roles["builder"] == BUILDERS[self.name]
        assert roles["verifier"] == (self.name == "built")

    async def is_built(self):
        """Built, tried and deleted."""
        with self.during(RUN, self.machine("builder")):
            self.cluster.apply(self.image("htop"))
            await self.dies("RunInstances of the builder")
        with self.during(CREATE, self.name_of_image):
            await self.dies(CREATE)
        with self.during(RUN, self.machine("verifier")):
            await self.dies("RunInstances of the verifier")
        with self.during("CreateTags", {"Resources": self.images()[0], "Tags.Key": VERDICT}):
            await self.dies("CreateTags of the verdict")
        await self.becomes(IMAGE)
        with self.during(REMOVE, {"ImageId": self.used()}):
            self.cluster.delete(*IMAGE)
            await self.dies("DeregisterImage of a deletion")
        await self.becomes_empty()

    async def is_answered(self):
        """Its answers are lost; it is published."""
        parameter = f"/images/{self.here}"
        with self.unanswered(RUN, self.machine("builder")):
            self.cluster.apply(self.image("htop", **UNTRIED, publish={"ssmParameter": parameter}))
            await self.dies("the lost answer of RunInstances")
        with self.unanswered(CREATE, self.name_of_image):
            await self.dies("the lost answer of CreateImage")
        with self.during("PutParameter", {"Name": parameter}):
            await self.dies("PutParameter")
        await self.becomes(IMAGE)
        ssm, used = self.site.client("ssm"), self.used()
        await until(
            lambda: ssm.get_parameter(Name=parameter)["Parameter"]["Value"] == used,
            f"{self.name}: it is published, killed {self.killed}",
            seconds=SECONDS,
            every=SELDOM,
        )
        with self.during("DeleteParameter", {"Name": parameter}):
            self.cluster.delete(*IMAGE)
            await self.dies("DeleteParameter")
        await self.becomes_empty()
        found = ssm.describe_parameters()["Parameters"]
        assert parameter not in [each["Name"] for each in found]

    async def is_outward(self):
        """Copied abroad; the image is taken away by hand, leaves a snapshot, and is made anew."""
        with self.killed_at(lambda _, change: annotation(change, BUILD)):
            self.cluster.apply(self.image("htop", **UNTRIED, regions=[ABROAD]))
            await self.dies("the record of a build")
        with self.during("CopyImage", self.name_of_image):
            await self.dies("CopyImage")
        await self.becomes(IMAGE)
        [snapshot], [copy] = self.snapshots(), self.copies()
        before = self.used()
        with self.during("DeleteSnapshot", {"SnapshotId": snapshot}):
            self.site.client("ec2").deregister_image(ImageId=before)
            self.cluster.nudge(*IMAGE)
            await self.dies("DeleteSnapshot")
        await until(
            lambda: self.see(*IMAGE)["status"].get("imageId", before) != before,
            f"{self.name}: another image is in use, killed {self.killed}",
            seconds=SECONDS,
            every=SELDOM,
        )
        await self.becomes(IMAGE)
        await self.are(self.snapshots, 1, "one snapshot is left")
        assert (self.images(), self.copies()) == ([self.used()], [copy])
        with self.during(REMOVE, {"ImageId": copy}):
            self.cluster.delete(*IMAGE)
            await self.dies("DeregisterImage of a copy")
        await self.becomes_empty()

    async def is_used(self):
        """An environment moves to the next image, and the one before is retired."""
        spec = manifests.environment(
            ec2Configuration=[{"imageType": "ECS_AL2023", "amiRef": {"name": IMAGE[1]}}]
        )
        self.cluster.apply(self.image("htop", **UNTRIED), named(*ENVIRONMENT, spec))
        await self.becomes(IMAGE, ENVIRONMENT)
        first = self.used()
        with self.during("UpdateComputeEnvironment", {"computeEnvironment": f"*{self.here}-*"}):
            self.cluster.apply(self.image("jq", **UNTRIED))
            await self.dies("UpdateComputeEnvironment")
        with self.during(REMOVE, {"ImageId": first}):
            await self.dies("DeregisterImage of a retirement")
        await self.becomes(IMAGE, ENVIRONMENT)
        await self.are(self.images, 1, "one image is left")
        assert self.images() == [self.used()] == list(images_of(self.in_aws()[0][0]))
        with self.during(RUN, self.machine("builder")):
            self.cluster.apply(self.image("vim", **UNTRIED))
            await self.dies(
                "RunInstances, and all is deleted meanwhile",
                meanwhile=lambda: self.cluster.delete(*IMAGE),
            )
        await self.becomes_empty()

    # --- what is applied, and what AWS has of it ---

    def image(self, *packages, **members):
        """A manifest."""
        builder = {
            "instanceTypes": [TYPES[self.name]],
            "subnets": ["subnet-1"],
            "instanceProfile": manifests.PROFILE,
        }
        spec = {"base": {"family": "AL2023"}, "packages": list(packages), "builder": builder}
        return named(*IMAGE, {**spec, "retention": AT_ONCE, **members})

    def used(self):
        """The image in use."""
        return self.see(*IMAGE)["status"]["imageId"]

    def machine(self, role):
        """What tells the launch of this lane from those of the others."""
        return {"InstanceType": TYPES[self.name], "TagSpecifications.Tags.Value": role}

    @property
    def name_of_image(self):
        """The same of an image that is made or copied."""
        return {"Name": f"awsbatch-{self.here}-*"}

    @contextmanager
    def during(self, operation, match):
        """Killed while the call is on its way."""
        found = {"operation": operation, "match": match, "unless": TRIAL, "times": 1}
        slow = self.site.fault("delay", seconds=ON_ITS_WAY, **found)
        with self.killed_when(lambda: self.site.struck(slow), every=SELDOM):
            yield

    @contextmanager
    def unanswered(self, operation, match):
        """Killed when AWS has carried out the call, and its answer is lost."""
        found = {"operation": operation, "match": match, "unless": TRIAL, "times": 1}
        fault = self.site.fault("drop_after", **found)
        with self.killed_when(lambda: self.site.struck(fault)):
            yield

    @property
    def mine(self):
        """Filters of EC2."""
        return [{"Name": f"tag:{NAMESPACE}", "Values": [self.here]}]

    def machines(self):
        """Builders and verifiers, ended ones too: their tags, with id and state."""
        found = self.site.client("ec2").describe_instances(Filters=self.mine)["Reservations"]
        return [
            {each["Key"]: each["Value"] for each in instance["Tags"]}
            | {"id": instance["InstanceId"], "state": instance["State"]["Name"]}
            for reservation in found
            for instance in reservation["Instances"]
        ]

    def images(self, region=""):
        """The ids of the images."""
        ec2 = self.site.client("ec2", region=region)
        found = ec2.describe_images(Owners=["self"], Filters=self.mine, IncludeDeprecated=True)
        return [each["ImageId"] for each in found["Images"]]

    def copies(self):
        """Those abroad."""
        return self.images(ABROAD)

    def snapshots(self, region=""):
        """The ids of the snapshots."""
        ec2 = self.site.client("ec2", region=region)
        found = ec2.describe_snapshots(OwnerIds=["self"], Filters=self.mine)["Snapshots"]
        return [each["SnapshotId"] for each in found]

    def left(self):
        """What costs."""
        volumes = self.site.client("ec2").describe_volumes(Filters=self.mine)["Volumes"]
        found = {
            "instances": [each for each in self.machines() if each["state"] != "terminated"],
            "images": self.images(),
            "copies": self.copies(),
            "snapshots": [*self.snapshots(), *self.snapshots(ABROAD)],
            "volumes": volumes,
            "environments": self.in_aws()[0],
        }
        return {name: each for name, each in found.items() if each}

    async def are(self, found, count, what):
        """Wait until there are that many."""
        words = f"{self.name}: {what}, killed {self.killed}"
        await until(lambda: len(found()) == count, words, seconds=SECONDS, every=SELDOM)


@pytest.mark.timeout(400)
async def test_whenever_the_operator_is_killed_there_is_one_image_for_each_build(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path, user_data="execute"))
        lanes = [stack.enter_context(lane(site, control_plane, name, Imaged)) for name in TYPES]
        await asyncio.gather(*(one.live() for one in lanes))
        killed = [point for one in lanes for point in one.killed]
        assert site.done(CREATE) == sum(IMAGES.values())
        clusters = site.client("ecs").list_clusters()["clusterArns"]
        assert not [each for each in clusters if "verify" in each]
        assert len(set(killed)) == len(killed) >= LEAST
        measured("points:", len(killed))
