"""Runs of the operator in which something occurs that dashboards or alerts tell of.

Each is lived by the stepped clock, and scraped on the way. What occurs is done to the simulated AWS
or to the process; the metrics are what the operator makes of it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tests.support import manifests
from tests.support.cheap_clients import cheap_sessions
from tests.support.clock import SteppedClock
from tests.support.installation import ACCOUNT, Installation
from tests.support.instances import Fleet, job_key
from tests.support.manifests import ENVIRONMENT, POLICY, SPECS, job, policy
from tests.support.monitored_capacity import (
    dear,
    image_fails,
    image_left,
    never_joining,
    no_instances,
    orphaned,
)
from tests.support.monitored_world import HOUR, script, standing, watched
from tests.support.prometheus import Scrape

from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.telemetry.pauses import LoopPauses
from awsbatch_simulator.hosting import JobEvents

LOST = "Host EC2 (instance i-0a1b2c3d4e5f67890) terminated."
QUEUES = ("aws-batch-operator-jobs", "aws-batch-operator-test")
ResultT = TypeVar("ResultT")


async def quiet(folder: Path) -> list[Scrape]:
    """Everything goes well: an environment of instances of its own, jobs that come and end."""
    there = Fleet()
    async with watched(there, folder) as scraper:
        there.apply(POLICY, SPECS[POLICY])
        there.furnish(jobs=3)
        await there.run_until(lambda: there.succeeded(1, 2, 3), within=HOUR)
        await there.clock.advance(600)  # the instance ends, and another comes
        there.apply(job_key(4), job())
        await there.clock.advance(2 * HOUR)
    return scraper.scrapes


async def crowded(folder: Path) -> list[Scrape]:
    """More jobs at once than AWS's rates let pass, of which a third fails."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        script(there, duration_seconds=30, exit_code=3)
        for wave in range(3):
            for number in range(60):
                there.apply(job_key(60 * wave + number), job())
            await there.clock.advance(120)
            script(there, duration_seconds=30)
        await there.clock.advance(HOUR / 2)
    return scraper.scrapes


async def refused(folder: Path) -> list[Scrape]:
    """A right is missing, for a policy and for jobs."""
    there = Installation()
    for operation in ("CreateSchedulingPolicy", "SubmitJob"):
        there.fault(effect="deny", service="batch", operation=operation)
    async with watched(there, folder) as scraper:
        there.apply(POLICY, SPECS[POLICY])
        await standing(there)
        there.apply(job_key(), job())
        await there.clock.advance(HOUR)
    return scraper.scrapes


async def hosts_lost(folder: Path) -> list[Scrape]:
    """EC2 takes the instances of many jobs."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        there.apply(ENVIRONMENT, manifests.environment(maxvCpus=64))
        script(there, duration_seconds=20, exit_code=None, status_reason=LOST)
        for number in range(1, 31):
            there.apply(job_key(number), job())
            await there.clock.advance(30)
        await there.clock.advance(HOUR / 2)
    return scraper.scrapes


async def no_capacity(folder: Path) -> list[Scrape]:
    """AWS has no instances for a managed environment."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        there.fault(effect="world", name="insufficient_capacity")
        there.apply(job_key(), job())
        await there.clock.advance(2.6 * HOUR)
    return scraper.scrapes


async def cannot_be_deleted(folder: Path) -> list[Scrape]:
    """An environment is deleted while a queue uses it."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        there.remove(ENVIRONMENT)
        await there.until(ENVIRONMENT, "DeletionBlocked")
        await there.clock.advance(1.2 * HOUR)
    return scraper.scrapes


async def throttled(folder: Path) -> list[Scrape]:
    """Somebody else uses up the rates of the account."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        script(there, duration_seconds=1e6)
        there.apply(job_key(), job())
        await there.clock.advance(300)
        there.fault(effect="throttle", service="batch", operation="Describe*")
        await there.clock.advance(HOUR)
    return scraper.scrapes


async def queues_unread(folder: Path) -> list[Scrape]:
    """Both queues of SQS bring something, and then are deleted."""
    arns = [f"arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}" for name in QUEUES]
    there = Installation(event_queue=arns[0], interruption_queue=arns[1])
    sqs, world = there.aws("sqs"), there.simulator.world
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES]
    world.change(world.settings.model_copy(update={"job_events": JobEvents(queue=QUEUES[0])}))
    async with watched(there, folder) as scraper:
        await standing(there)
        await there.clock.advance(60)
        there.apply(job_key(), job())
        for _ in range(3):
            sqs.send_message(QueueUrl=urls[1], MessageBody=json.dumps("no announcement"))
            await there.clock.advance(200)
        for url in urls:
            sqs.delete_queue(QueueUrl=url)
        await there.clock.advance(HOUR / 2)
    return scraper.scrapes


async def nobody_leads(folder: Path) -> list[Scrape]:
    """The only replica ends, and no other comes."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        await there.clock.advance(300)
    async with scraper.at_work():
        scraper.targets["operator-1"] = None
        await there.clock.advance(900)
    return scraper.scrapes


class Slow:
    """A Runner whose every call takes minutes, as behind a network that drops what is sent."""

    def __init__(self) -> None:
        self.clock: SteppedClock | None = None  # until it is set, calls take no time

    async def run(
        self,
        work: Callable[[], ResultT],
        *,
        priority: Priority,
        account: str,
    ) -> ResultT:
        if self.clock is not None:
            await self.clock.sleep(200)
        return work()

    def close(self) -> None:
        return


async def behind(folder: Path) -> list[Scrape]:
    """One worker, calls that take minutes, and more objects than it can serve."""
    runner = Slow()
    there = Installation(runner=runner, workers=1)
    async with watched(there, folder) as scraper:
        await standing(there)
        runner.clock = there.clock
        for number in range(1, 21):
            there.apply(POLICY._replace(name=f"fair-{number}"), policy())
        await there.clock.advance(HOUR)
    return scraper.scrapes


class Timers:
    """The one timer of an event loop that LoopPauses uses, set off by hand."""

    def __init__(self) -> None:
        self.due: Callable[[], object] = lambda: None

    def call_later(self, _: float, then: Callable[..., object], *arguments: Any) -> None:
        self.due = lambda: then(*arguments)


async def away(folder: Path) -> list[Scrape]:
    """The event loop is late by three seconds, again and again."""
    there, timers = Installation(), Timers()
    late = [0.0]
    pauses = LoopPauses(lambda: there.clock.monotonic() + late[0], lambda: 0.0)
    async with watched(there, folder, pause=lambda: pauses.longest) as scraper:
        await standing(there)
        for _ in range(30):
            pauses.watch(timers)  # type: ignore[arg-type]
            late[0] += 3.0
            timers.due()
            await there.clock.advance(60)
    return scraper.scrapes


async def no_credentials(folder: Path) -> list[Scrape]:
    """The operator's access key is deleted."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        there.fault(effect="error", operation="*", code="UnrecognizedClientException", status=403)
        there.apply(POLICY, SPECS[POLICY])
        await there.clock.advance(HOUR)
    return scraper.scrapes


async def unreachable(folder: Path) -> list[Scrape]:
    """The way out of the cluster is closed."""
    there = Installation()
    async with watched(there, folder) as scraper:
        await standing(there)
        await there.clock.advance(600)
        there.fault(effect="drop_before", operation="*")
        await there.clock.advance(HOUR)
    return scraper.scrapes


Scenario = Callable[[Path], Awaitable[list[Scrape]]]
# Each with the alerts that fire in it: those and no others.
SCENARIOS: Mapping[Scenario, frozenset[str]] = {
    quiet: frozenset(),
    crowded: frozenset(),
    refused: frozenset({"ObjectStalled", "JobStalled", "AWSRefuses"}),
    hosts_lost: frozenset({"JobsFail", "JobsLoseTheirHosts"}),
    no_capacity: frozenset({"JobsWait"}),
    no_instances: frozenset({"CapacityShort"}),
    never_joining: frozenset({"InstancesDoNotCome"}),
    dear: frozenset({"CapacityIsDear"}),
    cannot_be_deleted: frozenset({"DeletionBlocked"}),
    orphaned: frozenset({"Orphans"}),
    throttled: frozenset({"AWSThrottles"}),
    queues_unread: frozenset({"QueueUnread"}),
    nobody_leads: frozenset({"OperatorLeads"}),
    behind: frozenset({"OperatorIsBehind"}),
    away: frozenset({"OperatorPauses"}),
    image_fails: frozenset({"ObjectStalled"}),
    image_left: frozenset(),
    no_credentials: frozenset({"ObjectStalled", "AWSRefuses"}),
    unreachable: frozenset({"AWSUnreachable"}),
}


def live(scenario: Scenario, folder: Path) -> list[Scrape]:
    """What was scraped in that run."""
    with cheap_sessions():
        return asyncio.run(scenario(folder))  # type: ignore[arg-type]
