"""For how long a plan of much capacity holds up the event loop, and how long it takes.

Reading is not in it: this is what is made of what AWS has answered.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from tests.bench.figures import Figure

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.runner import Aside, ThreadRunner
from awsbatch_operator.capacity.demand import QueueView, Size, WaitingJob, needs
from awsbatch_operator.capacity.instances import lives
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.machines import Machine
from awsbatch_operator.capacity.model import (
    InstanceType,
    Limits,
    Market,
    Need,
    Offer,
    Pool,
    Requirements,
    Wish,
    registered_mib,
)
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.capacity.views import InstanceView, MemberView
from awsbatch_operator.heap import seldom
from awsbatch_operator.userdata.model import UserData

SCOPE = Scope("111122223333", "eu-central-1")
NOW = Instant(1_800_000_000.0)
ENVIRONMENT = "arn:aws:batch:eu-central-1:111122223333:compute-environment/env"
ZONES = ("a", "b", "c")
VCPUS = (2, 4, 8, 16, 32, 48, 64, 96, 128)


@dataclass(frozen=True, slots=True)
class Site:
    """So much of everything. `sorts`: how many sizes of jobs there are, at most."""

    jobs: int
    sorts: int
    pools: int
    types: int
    instances: int

    def queues(self, random: Random) -> tuple[QueueView, ...]:
        sizes = [
            Size(float(random.choice((1, 2, 4, 8, 16))), 500 + 37 * number, 0, None)
            for number in range(self.sorts)
        ]
        names = ("a", "b", "c", "d", "e")  # the operator looks at 20,000 jobs of a queue
        return tuple(
            QueueView(
                name=name,
                priority=1,
                state="ENABLED",
                environments=(ENVIRONMENT,),
                jobs=tuple(
                    WaitingJob(
                        job_id=f"{name}{number:08}",
                        size=random.choice(sizes),
                        since=NOW.plus(-1000 * random.random()),
                    )
                    for number in range(self.jobs // len(names))
                ),
            )
            for name in names
        )

    def wish(self) -> Wish:
        pools = tuple(
            Pool(
                name=f"pool-{number}",
                market=Market.ON_DEMAND,
                priority=1 + number % 2,
                requirements=Requirements(vcpus=(1, 128)),
            )
            for number in range(self.pools)
        )
        return Wish(limits=Limits(max_vcpus=20_000), pools=pools)

    def observed(self, wanted: tuple[Need, ...], random: Random) -> Observed:
        """What there is beside the jobs: types with prices, and instances that serve."""
        wish = self.wish()
        types = [_type(number, random) for number in range(self.types)]
        prices = {each.name: _price(each, random) for each in types}
        views, members = [], []
        for number in range(self.instances):
            about = random.choice(types)
            views.append(_view(number, about, f"pool-{number % self.pools}"))
            members.append(_member(number, about, tasks=random.randrange(3)))
        return Observed(
            owner=Owner("bench", ObjectKey("ComputeEnvironment", "bench", "env"), "uid-1"),
            cluster="arn:aws:ecs:eu-central-1:111122223333:cluster/env",
            since=NOW,
            mark="1",
            lives=lives(views, members, NOW),
            members=members,
            needs=wanted,
            types={pool.name: {each.name: each for each in types} for pool in wish.pools},
            offers=tuple(_offers(wish, prices)),
            prices={
                (Market.ON_DEMAND, name, zone): price
                for name, price in prices.items()
                for zone in ZONES
            },
            machines={pool.name: _machine(pool.name) for pool in wish.pools},
        )


def _type(number: int, random: Random) -> InstanceType:
    vcpus = random.choice(VCPUS)
    mib = vcpus * random.choice((2, 4, 8)) * 1024
    return InstanceType(
        name=f"m{number}.x{vcpus}",
        vcpus=vcpus,
        memory_mib=mib,
        registered_mib=registered_mib("", mib),
        registered_cpu=vcpus * 1024,
    )


def _price(about: InstanceType, random: Random) -> Decimal:
    cents = 4 * about.vcpus + about.memory_mib // 2048 + random.random()
    return Decimal(f"{cents / 100:.4f}")


def _offers(wish: Wish, prices: dict[str, Decimal]) -> Iterator[Offer]:
    for pool in wish.pools:
        for name, price in prices.items():
            for zone in ZONES:
                yield Offer(
                    pool=pool.name,
                    market=pool.market,
                    instance_type=name,
                    zone=zone,
                    subnet=f"subnet-{zone}",
                    price=price,
                )


def _view(number: int, about: InstanceType, pool: str) -> InstanceView:
    return InstanceView(
        id=f"i-{number:06}",
        instance_type=about.name,
        zone="a",
        state="running",
        launched=NOW.plus(-1000 - number),
        pool=pool,
        intent=f"token-{number % 50}",
        content="v1",
    )


def _member(number: int, about: InstanceType, *, tasks: int) -> MemberView:
    return MemberView(
        arn=f"arn/{number:06}",
        instance=f"i-{number:06}",
        status="ACTIVE",
        connected=True,
        tasks=tasks,
        registered=NOW.plus(-900 - number),
        cpu_left=max(0, about.registered_cpu - 1024 * tasks),
        memory_left=max(0, about.registered_mib - 2000 * tasks),
        memory_mib=about.registered_mib,
    )


def _machine(pool: str) -> Machine:
    given = UserData(
        cluster="env",
        cluster_id="bench",
        environment_uid="uid-1",
        pool=pool,
        market="OnDemand",
        region=SCOPE.region,
        image_id="ami-1",
    )
    return Machine(user_data=given, security_groups=("sg-1",), instance_profile="profile")


class _Timed(asyncio.SelectorEventLoop):
    """Takes the time of each turn; all callbacks of one turn count together."""

    longest = 0.0

    def _run_once(self) -> None:
        began = time.perf_counter()
        super()._run_once()  # type: ignore[misc]
        self.longest = max(self.longest, time.perf_counter() - began)


def _turn(site: Site) -> tuple[float, float, float]:
    """(longest step of the loop, needs, plan), in milliseconds; the latter two of CPU."""
    random = Random(1)
    queues = site.queues(random)
    seen = site.observed((), random)
    spent: list[float] = []

    def tick() -> None:
        """Somebody else who wants to go on; an idle loop would take its waiting for a step."""
        loop.call_later(0.001, tick)

    async def turn() -> None:
        runner = ThreadRunner(4)
        aside = Aside(runner)
        tick()
        began = time.process_time()
        wanted = await aside.work_out(SCOPE, lambda: needs(queues, ENVIRONMENT, 120, NOW))
        spent.append(time.process_time() - began)
        whole = replace(seen, needs=wanted)
        record = Launches(uid="uid-1")
        began = time.process_time()
        await aside.work_out(SCOPE, lambda: plan_capacity(site.wish(), whole, record, NOW))
        spent.append(time.process_time() - began)
        runner.close()

    loop = _Timed()
    try:
        loop.run_until_complete(turn())
    finally:
        loop.close()
    return loop.longest * 1000, spent[0] * 1000, spent[1] * 1000


SITES = (
    Site(jobs=100_000, sorts=1, pools=16, types=400, instances=0),
    Site(jobs=100_000, sorts=20, pools=16, types=400, instances=0),
    Site(jobs=100_000, sorts=500, pools=16, types=400, instances=0),
    Site(jobs=20_000, sorts=20, pools=16, types=60, instances=5_000),
    Site(jobs=0, sorts=1, pools=16, types=60, instances=5_000),
)


def measure() -> list[Figure]:
    """The rows of plans, with the garbage collector as the operator sets it."""
    seldom()
    rows = []
    for site in SITES:
        longest, demand, plan = _turn(site)
        what = (
            f"{site.jobs:,} waiting jobs of {site.sorts} sizes, {site.pools} pools x "
            f"{site.types} types, {site.instances:,} instances"
        )
        rows += [
            Figure(f"longest step of a turn: {what}", longest, 100, "ms"),
            Figure("  CPU of its demand", demand, None, "ms"),
            Figure("  CPU of its plan", plan, None, "ms"),
        ]
    return rows
