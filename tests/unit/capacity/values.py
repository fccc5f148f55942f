"""Values for the tests of the capacity core, and strategies that draw them."""

from decimal import Decimal

from hypothesis import strategies as st

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.instances import Life, Remembered, lives
from awsbatch_operator.capacity.model import (
    InstanceType,
    Limits,
    Market,
    Need,
    Offer,
    Pool,
    Usage,
    Used,
    registered_mib,
)
from awsbatch_operator.capacity.packing import choose
from awsbatch_operator.capacity.views import InstanceView, MemberView

NOW = Instant(1_800_000_000.0)
GIB = 1024


def itype(name, vcpus, gib, gpus=0):
    """A type that registers all its vCPUs, and memory by the estimate."""
    return InstanceType(
        name=name,
        vcpus=vcpus,
        memory_mib=gib * GIB,
        registered_mib=registered_mib(name, gib * GIB),
        registered_cpu=vcpus * 1024,
        gpus=gpus,
    )


LARGE = itype("r7i.large", 2, 16)
XLARGE = itype("r7i.xlarge", 4, 32)
X4 = itype("r7i.4xlarge", 16, 128)
GPU = itype("g5.xlarge", 4, 16, gpus=1)
TYPES = (LARGE, XLARGE, X4, GPU)
PRICES = {
    "r7i.large": Decimal("0.10"),
    "r7i.xlarge": Decimal("0.20"),
    "r7i.4xlarge": Decimal("0.80"),
    "g5.xlarge": Decimal("1.00"),
}
NO_LIMITS = Limits(max_vcpus=10**7)


def pool(name="main", *types, market=Market.ON_DEMAND, **fields):
    """A pool of those types."""
    names = tuple(each.name for each in types or TYPES)
    return Pool(name=name, market=market, instance_types=names, **fields)


def offers(*pools, prices=PRICES, zones=("a", "b")):
    """Every type of the pools in both zones."""
    return tuple(
        Offer(
            pool=each.name,
            market=each.market,
            instance_type=name,
            zone=zone,
            subnet=f"subnet-{zone}",
            price=prices.get(name),
            vcpus=next((about.vcpus for about in TYPES if about.name == name), 0),
        )
        for each in pools
        for name in each.instance_types
        for zone in zones
    )


def types_of(*pools):
    """The types of each pool."""
    return {each.name: tuple(t for t in TYPES if t.name in each.instance_types) for each in pools}


def need(vcpus=1.0, mib=1000, count=1, **fields):
    """Jobs that are alike."""
    return Need(vcpus=vcpus, memory_mib=mib, count=count, **fields)


needs_drawn = st.lists(
    st.builds(
        Need,
        vcpus=st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 7.0, 16.0]),
        memory_mib=st.sampled_from([4, 500, 1900, 2000, 7000, 14000, 30000, 100000]),
        gpus=st.sampled_from([0, 0, 0, 1]),
        count=st.integers(1, 40),
    ),
    max_size=8,
)
pools_drawn = st.lists(
    st.tuples(
        st.sets(st.sampled_from(TYPES), min_size=1),
        st.integers(1, 2),
        st.none() | st.integers(0, 6),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda rows: tuple(
        pool(
            f"p{number}",
            *sorted(types, key=lambda each: each.name),
            priority=priority,
            max_instances=most,
            min_instances=0 if most is None else min(least, most),
        )
        for number, (types, priority, most, least) in enumerate(rows)
    )
)
limits_drawn = st.builds(
    Limits,
    max_vcpus=st.none() | st.integers(0, 200),
    max_instances=st.none() | st.integers(0, 20),
    max_hourly_cost=st.none() | st.integers(0, 50).map(lambda cents: Decimal(cents) / 10),
)


def used_up(choice, usage=None):
    """What is in use once a choice has been launched."""
    pools = dict((usage or Usage()).pools)
    for pick in choice.picks:
        more = Used(instances=pick.count, vcpus=pick.vcpus, hourly_cost=pick.hourly_cost)
        pools[pick.pool] = pools.get(pick.pool, Used()) + more
    return Usage(pools=pools)


def chosen(needs, *pools, bought=None, used=None, limits=NO_LIMITS, **more):
    mine = pools or (pool(),)
    return choose(
        needs,
        mine,
        more.pop("types", None) or types_of(*mine),
        offers(*mine) if bought is None else bought,
        used=used or Usage(),
        limits=limits,
        **more,
    )


def picked(choice):
    return {(pick.pool, pick.instance_type.name): pick.count for pick in choice.picks}


# --- lives ---


def instance(name="i-1", *, ago=1000.0, **fields):
    """A running instance of pool main, launched so many seconds ago."""
    row = {
        "instance_type": "r7i.large",
        "zone": "a",
        "state": "running",
        "launched": NOW.plus(-ago),
        "pool": "main",
        "content": "v1",
        **fields,
    }
    return InstanceView(id=name, **row)


def member(name="i-1", *, ago=900.0, **fields):
    """Its container instance, with nothing on it."""
    row = {
        "status": "ACTIVE",
        "connected": True,
        "tasks": 0,
        "registered": NOW.plus(-ago),
        "cpu_left": 2048,
        "memory_left": 15000,
        **fields,
    }
    return MemberView(arn=f"arn/{name}", instance=name, **row)


def life(name="i-1", *, tasks=0, status="ACTIVE", idle=None, joined=True, at=NOW, **fields) -> Life:
    """One life; `idle` seconds without tasks."""
    memory = {} if idle is None else {name: Remembered(at.plus(-idle), at.plus(-idle))}
    registered = fields.get("ago", 1000.0) - 60  # a minute after its launch
    mine = [member(name, tasks=tasks, status=status, ago=registered)] if joined else []
    (made,) = lives([instance(name, **fields)], mine, at, memory=memory)
    return made
