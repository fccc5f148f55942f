"""Pools whose instances are started from the image that an ExtendedAMI has made."""

from typing import Any

from tests.component.batchjob import runs
from tests.component.extendedami.images import IMAGE, image
from tests.support.image_guests import Guests
from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, QUEUE, job

HOUR, DAY = 3600, 86_400
AT_ONCE = {"keep": 1, "minAgeDays": 0}
NAMED = {"amiRef": {"name": IMAGE.name}}


class Foundry(Fleet):
    """An environment that launches instances, in an installation where images are made."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.guests = Guests()
        self.simulator.world.boots = self.guests  # type: ignore[assignment]

    async def imaged(self, **members: Any) -> str:
        """There is an image; its id."""
        self.apply(IMAGE, image(**members))
        await self.until_ready(IMAGE, within=HOUR)
        return str(self.status(IMAGE)["imageId"])

    def of(self, image_id: str) -> list[str]:
        """The living instances of pools that were started from the image."""
        return [
            each["InstanceId"]
            for each in self.instances("pending", "running")
            if each["ImageId"] == image_id
            and any(tag["Key"] == "awsbatch.dev/pool" for tag in each["Tags"])
        ]


def drawn(**members: Any) -> dict[str, Any]:
    """A pool of one type that names the image."""
    return pool(**{"instanceTypes": ["m7i.large"], "image": NAMED, "idleSeconds": DAY} | members)


async def test_instances_join_from_the_image_and_idle_ones_are_replaced_and_busy_ones_not():
    there = Foundry()
    async with there.running():
        there.furnish(drawn(minInstances=2))
        said = await there.until(ENVIRONMENT, "Reconciling", "ReferenceNotFound")
        assert "amiRef" in said
        old = await there.imaged(retention=AT_ONCE)
        await there.until_ready(ENVIRONMENT, QUEUE, within=60)
        await there.run_until(lambda: len(there.members()) == 2, within=900)
        assert len(there.of(old)) == 2
        runs.script(there, 2000)
        there.apply(job_key(1), job())
        await there.run_until(
            lambda: there.status(job_key(1)).get("awsStatus") == "RUNNING", within=600
        )
        new = await there.imaged(packages=["jq"], retention=AT_ONCE)
        await there.run_until(lambda: len(there.of(old)) == 1 and there.of(new) != [], within=1200)
        await there.clock.advance(300)
        assert len(there.of(old)) == 1
        assert there.status(job_key(1))["awsStatus"] == "RUNNING"
        await there.run_until(lambda: there.succeeded(1), within=HOUR)
        await there.run_until(lambda: there.of(old) == [], within=900)
        await there.run_until(lambda: len(there.members()) == 2, within=900)
        assert len(there.of(new)) == 2


async def test_instances_start_from_the_base_itself_where_no_image_has_to_be_made():
    there = Foundry()
    async with there.running():
        there.furnish(drawn(minInstances=1))
        there.apply(IMAGE, {"base": {"family": "AL2023"}})
        await there.until_ready(IMAGE)
        base = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: len(there.of(base)) == 1, within=120)
        await there.until_ready(ENVIRONMENT, within=900)
        assert there.guests.built == 0


async def test_an_image_whose_instances_never_join_takes_one_instance_at_a_time_and_no_old_one():
    there = Foundry()
    async with there.running():
        there.furnish(drawn(minInstances=2, registrationTimeoutSeconds=120))
        old = await there.imaged(retention=AT_ONCE)
        await there.run_until(lambda: len(there.of(old)) == 2, within=900)
        await there.run_until(lambda: len(there.members()) == 2, within=900)
        served = there.of(old)
        new = await there.imaged(packages=["jq"], retention=AT_ONCE)
        there.fault(effect="world", service="*", name="no_way_to_ecs")
        most = 0
        while not there.is_true(ENVIRONMENT, "Stalled", "PoolStopped"):
            await there.clock.advance(15)
            most = max(most, len(there.of(new)))
            assert there.of(old) == served
        assert most == 1
        assert [each["status"] for each in there.members()] == ["ACTIVE", "ACTIVE"]
        there.mend()
        newest = await there.imaged(packages=["vim"])
        await there.run_until(lambda: len(there.of(newest)) == 2, within=900)
        await there.run_until(lambda: there.of(old) == [] == there.of(new), within=900)
        await there.until_ready(ENVIRONMENT)


async def test_a_job_of_more_cpus_than_the_image_leaves_is_told_before_it_waits_for_ever():
    there = Foundry()
    async with there.running():
        there.furnish(drawn())
        await there.imaged(cpu={"threadsPerCore": 1})
        await there.until_ready(ENVIRONMENT, QUEUE)
        there.wait_for(vcpus=2)
        there.apply(job_key(1), job())
        await there.run_until(lambda: there.told("JobFitsNoPool", job_key(1)) != [], within=300)
        [told] = there.told("JobFitsNoPool", job_key(1))
        assert "m7i.large of pool main, registers 1 of its 2 vCPUs with ECS" in told
        assert there.of(there.status(IMAGE)["imageId"]) == []
        whole = await there.imaged()
        await there.run_until(lambda: there.of(whole) != [], within=900)
