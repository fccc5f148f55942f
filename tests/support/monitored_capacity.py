"""Runs with instances and machine images in which something occurs that somebody is told of."""

from pathlib import Path

from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.support.image_guests import Tale
from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, job
from tests.support.monitored_world import HOUR, script, watched
from tests.support.orphanage import GONE, rows, tags
from tests.support.prometheus import Scrape


async def no_instances(folder: Path) -> list[Scrape]:
    """EC2 has none for a pool of ours."""
    there = Fleet()
    there.settle(market={"capacity": {"*:m7i.*:*": 0}})
    async with watched(there, folder) as scraper:
        there.furnish(pool(instanceTypes=["m7i.large"]), jobs=2)
        await there.clock.advance(HOUR)
    return scraper.scrapes


async def never_joining(folder: Path) -> list[Scrape]:
    """Instances come, and their role does not let them into the cluster."""
    there = Fleet()
    there.fault(
        effect="world",
        name="instance_role_lacks_permissions",
        match={"action": "ecs:RegisterContainerInstance"},
    )
    async with watched(there, folder) as scraper:
        there.furnish(pool(registrationTimeoutSeconds=900), jobs=1)
        await there.clock.advance(0.6 * HOUR)
    return scraper.scrapes


async def dear(folder: Path) -> list[Scrape]:
    """Large instances, for jobs that go on."""
    there = Fleet()
    async with watched(there, folder) as scraper:
        script(there, duration_seconds=1e6)
        there.furnish(pool(instanceTypes=["m7i.48xlarge"]), maxvCpus=2000)
        there.wait_for(vcpus=190)
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION)
        for number in range(1, 8):
            there.apply(job_key(number), job())
        await there.clock.advance(1.6 * HOUR)
    return scraper.scrapes


async def orphaned(folder: Path) -> list[Scrape]:
    """Instances whose environment nobody knows: too many to end them without a word."""
    there = Fleet(orphans=True, lease_namespace="science")
    async with watched(there, folder) as scraper:
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1), within=HOUR)
        there.aws("ec2").run_instances(
            ImageId=there.instances()[0]["ImageId"],
            InstanceType="m7i.large",
            SubnetId="subnet-1",
            MinCount=12,
            MaxCount=12,
            TagSpecifications=[{"ResourceType": "instance", "Tags": rows(tags(GONE))}],
        )
        await there.clock.advance(2.9 * HOUR)
    return scraper.scrapes


async def image_fails(folder: Path) -> list[Scrape]:
    """An image cannot be built."""
    there = Darkroom()
    there.guests.builders = [Tale.FAILS] * 9
    async with watched(there, folder) as scraper:
        there.apply(IMAGE, image())
        await there.until(IMAGE, "Stalled", "BuildFailed", within=8 * HOUR)
        await there.clock.advance(HOUR / 2)
    return scraper.scrapes


async def image_left(folder: Path) -> list[Scrape]:
    """An object is gone, and its image stays, as it was asked to."""
    there = Darkroom(orphans=True, lease_namespace="science")
    async with watched(there, folder) as scraper:
        there.apply(IMAGE, image(deletionPolicy="Retain"))
        await there.until_ready(IMAGE, within=2 * HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        await there.clock.advance(HOUR / 2)
    return scraper.scrapes
