"""Anything that a plan of capacity may come across, drawn: pools, instances, launches, jobs."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import strategies as st
from tests.unit.capacity.planning_model import CLUSTER, OWNER, machine
from tests.unit.capacity.values import (
    GPU,
    LARGE,
    NOW,
    PRICES,
    TYPES,
    XLARGE,
    offers,
    pool,
    types_of,
)

from awsbatch_operator.capacity.demand import QueueView, Size, WaitingJob, needs
from awsbatch_operator.capacity.instances import Memory, Remembered, lives
from awsbatch_operator.capacity.launches import Intent, Launches
from awsbatch_operator.capacity.model import Limits, Market, Pool, SpotBlock, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import ANY_ZONE, STANDARD, Key, Pause
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.capacity.views import InstanceView, MemberView

BY_NAME = {each.name: each for each in TYPES}
ENVIRONMENT = "arn:environment/here"
ZONES = ("a", "b")


@dataclass(frozen=True)
class Situation:
    """All that a plan is made of, as it was read."""

    wish: Wish
    queues: tuple[QueueView, ...] = ()
    instances: tuple[InstanceView, ...] = ()
    members: tuple[MemberView, ...] = ()
    pauses: dict = field(default_factory=dict)
    record: Launches = field(default_factory=lambda: Launches(uid="uid-1"))
    memory: Memory = field(default_factory=dict)

    def observed(self):
        pools = self.wish.pools
        blocks = {each.name for each in pools if each.market is Market.SPOT_BLOCK}
        return Observed(
            owner=OWNER,
            cluster=CLUSTER,
            since=NOW,
            mark="1",
            lives=lives(self.instances, self.members, NOW, memory=self.memory),
            members=self.members,
            needs=needs(self.queues, ENVIRONMENT, self.wish.overflow_seconds, NOW),
            types={name: {t.name: t for t in types} for name, types in types_of(*pools).items()},
            offers=tuple(
                replace(each, market=Market.ON_DEMAND) if each.pool in blocks else each
                for each in offers(*pools)
            ),
            prices={
                (market, name, zone): price
                for market in (Market.ON_DEMAND, Market.SPOT)
                for name, price in PRICES.items()
                for zone in ZONES
            },
            machines={each.name: machine(each) for each in pools},
            pauses=self.pauses,
        )

    def plan(self):
        return plan_capacity(self.wish, self.observed(), self.record, NOW)


def ordinary(number, types, market, priority, most):
    price = Decimal(2) if market is Market.SPOT else None
    return pool(
        f"p{number}",
        *sorted(types, key=lambda each: each.name),
        market=market,
        priority=priority,
        max_instances=most,
        max_price_per_hour=price,
    )


BLOCK = pool(
    "block",
    LARGE,
    market=Market.SPOT_BLOCK,
    max_instances=2,
    spot_block=SpotBlock(duration_seconds=3600, instance_count=2),
)

few_pools = st.lists(
    st.tuples(
        st.sets(st.sampled_from(TYPES), min_size=1),
        st.sampled_from([Market.ON_DEMAND, Market.SPOT]),
        st.integers(1, 2),
        st.none() | st.integers(0, 6),
    ),
    min_size=1,
    max_size=3,
)
pools_of_all_sorts = st.builds(
    lambda rows, block: (
        *(ordinary(number, *row) for number, row in enumerate(rows)),
        *([BLOCK] if block else []),
    ),
    few_pools,
    st.booleans(),
)


def views(names):
    """Instances of these pools, some of pools that are no more, and others' members."""
    return st.lists(
        st.builds(
            lambda number, name, about, state, member, tasks, idle, content, ago: (
                InstanceView(
                    id=f"i-{number}",
                    instance_type=about.name,
                    zone="a",
                    state=state,
                    launched=NOW.plus(-ago),
                    pool=name,
                    content=content,
                ),
                member,
                tasks,
                idle,
            ),
            st.integers(0, 30),
            st.sampled_from([*names, "left"]),
            st.sampled_from([LARGE, XLARGE, GPU]),
            st.sampled_from(["running", "running", "running", "pending", "shutting-down"]),
            st.sampled_from(["", "ACTIVE", "ACTIVE", "DRAINING"]),
            st.integers(0, 2),
            st.integers(0, 700),
            st.sampled_from(["", "old"]),
            st.sampled_from([0, 300, 300, 601, 900]),  # several at one time
        ),
        max_size=4,
        unique_by=lambda row: row[0].id,
    )


def member_of(name, about, *, status="ACTIVE", tasks=0):
    return MemberView(
        arn=f"arn/{name}",
        instance=name,
        status=status,
        connected=True,
        tasks=tasks,
        registered=NOW.plus(-300),
        cpu_left=max(0, about.registered_cpu - 1024 * tasks),
        memory_left=max(0, about.registered_mib - 1000 * tasks),
        gpus_left=about.gpus,
        memory_mib=about.registered_mib,
    )


jobs_drawn = st.lists(
    st.tuples(
        st.sampled_from([0.25, 1.0, 2.0, 4.0, 16.0]),
        st.sampled_from([500, 2000, 14000, 30000]),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from([1, 1, 1, 5, 30]),  # an array's children
        st.sampled_from([0, 60, 60, 300]),  # several at one time
        st.sampled_from(["first", "second"]),
    ),
    min_size=1,
    max_size=6,
)


def queues_of(rows):
    """Two queues, the second with the higher priority; a job's place gives its id."""
    jobs: dict[str, list[WaitingJob]] = {"first": [], "second": []}
    for number, (vcpus, mib, gpus, count, ago, queue) in enumerate(rows):
        size = Size(vcpus, mib, gpus, None)
        jobs[queue].append(
            WaitingJob(job_id=f"j{number}", size=size, since=NOW.plus(-ago), count=count)
        )
    return tuple(
        QueueView(
            name=name,
            priority=priority,
            state="ENABLED",
            environments=(ENVIRONMENT,),
            jobs=tuple(jobs[name]),
        )
        for priority, name in enumerate(("first", "second"))
    )


def opened(record, mine, count):
    """The record with an open launch of the pool; None of a block's."""
    bought = tuple(each for each in offers(mine) if each.instance_type == mine.instance_types[0])
    draft = Intent(
        pool=mine.name,
        token="",
        round=0,
        template="lt-1",
        version=1,
        count=count,
        minimum=1,
        market=mine.market,
        offers=bought,
        time=NOW,
        max_price=mine.max_price_per_hour,
    )
    return record.opened(record.next_intent(draft))


PAUSES = {
    Key(Market.ON_DEMAND, "r7i.large", "a"): Pause(NOW.plus(60), 1, "short"),
    Key(Market.ON_DEMAND, "r7i.large", "b"): Pause(NOW.plus(60), 1, "short"),
    Key(Market.ON_DEMAND, STANDARD, ANY_ZONE): Pause(NOW.plus(60), 1, "a quota"),
    Key(Market.SPOT, STANDARD, ANY_ZONE): Pause(NOW.plus(60), 1, "a quota"),
}


SELDOM = st.sampled_from([False, False, False, True])
tight_limits = st.builds(
    Limits,
    max_vcpus=st.none() | st.integers(2, 60),
    max_instances=st.none() | st.integers(1, 12),
    max_hourly_cost=st.none() | st.integers(1, 60).map(lambda tenths: Decimal(tenths) / 10),
)


@st.composite
def situations(draw):
    mine: tuple[Pool, ...] = draw(pools_of_all_sorts)
    rows = draw(views([each.name for each in mine]))
    members = [
        member_of(instance, BY_NAME[view.instance_type], status=status, tasks=tasks)
        for view, status, tasks, _ in rows
        if status
        for instance in [view.id]
    ]
    members += [member_of(f"i-of-others-{n}", XLARGE) for n in range(draw(st.integers(0, 2)))]
    record = Launches(uid="uid-1")
    for each in mine if draw(SELDOM) else ():
        if each.market is not Market.SPOT_BLOCK:
            record = (
                opened(record, each, draw(st.integers(1, 3))) if draw(st.booleans()) else record
            )
    return Situation(
        wish=Wish(limits=draw(tight_limits), pools=mine),
        instances=tuple(view for view, *_ in rows),
        members=tuple(members),
        queues=queues_of(draw(jobs_drawn)),
        pauses={
            key: PAUSES[key] for key in draw(st.sets(st.sampled_from(sorted(PAUSES, key=str))))
        },
        record=record,
        memory={view.id: Remembered(NOW.plus(-idle), NOW.plus(-idle)) for view, _, _, idle in rows},
    )
