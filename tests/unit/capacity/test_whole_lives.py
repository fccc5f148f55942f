"""Environments from the first waiting job to the last instance, whatever pools, limits and EC2 are.

What must hold at every moment is watched by the model; at the end all that can be served is done.
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capacity.cloud_model import BY_NAME, Job
from tests.unit.capacity.planning_model import World
from tests.unit.capacity.situations import BLOCK, pools_of_all_sorts, tight_limits
from tests.unit.capacity.values import GPU, LARGE, PRICES, XLARGE

from awsbatch_operator.capacity.model import Market, Wish

HOUR = 3600.0

jobs_drawn = st.lists(
    st.builds(
        Job,
        st.sampled_from([0.5, 1.0, 2.0, 4.0]),
        st.sampled_from([500, 2000, 14000, 29000]),
        st.sampled_from([60.0, 200.0]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=20,
)
ways = st.sampled_from([Market.ON_DEMAND, Market.SPOT])
short = st.dictionaries(
    st.tuples(ways, st.sampled_from([LARGE.name, XLARGE.name, GPU.name]), st.sampled_from("ab")),
    st.integers(0, 2),
    max_size=3,
)
quotas = st.dictionaries(ways, st.sampled_from([4, 8, 16, 20, 40]), max_size=1)


def able(made, job, own):
    """Whether an instance for the job can be had: by a pool's type, the limits, EC2 and a quota.

    `own` are the pools that buy for demand. Where EC2 has few of an offer there may be none left.
    """
    most = made.wish.limits
    for each in own:
        for name in each.instance_types:
            about, price = BY_NAME[name], each.max_price_per_hour or PRICES[name]
            if (
                about.registered_cpu >= job.vcpus * 1024
                and about.registered_mib >= job.mib
                and about.gpus >= job.gpus
                and each.max_instances != 0
                and (most.max_vcpus is None or about.vcpus <= most.max_vcpus)
                and (most.max_hourly_cost is None or price <= most.max_hourly_cost)
                and made.quotas.get(each.market, 99) >= about.vcpus
                and any((each.market, name, zone) not in made.capacity for zone in "ab")
            ):
                return True
    return False


@st.composite
def worlds(draw):
    """With instances of others beside ours, lost answers, and a death of the operator."""
    limits = draw(tight_limits)
    pools = tuple(replace(each, idle_seconds=60) for each in draw(pools_of_all_sorts))
    made = World(
        wish=Wish(limits=limits, pools=pools),
        jobs=[replace(job) for job in draw(jobs_drawn)],
        capacity=dict(draw(short)),
        quotas=draw(quotas),
        lose=draw(st.sets(st.integers(1, 2), max_size=1)),
        crash_at=draw(st.integers(-1, 10)),
    )
    for number, about in enumerate(draw(st.sampled_from([(), (XLARGE,), (LARGE, GPU)]))):
        made.join(f"i-of-others-{number}", about)
    return made


@settings(max_examples=25)
@given(worlds())
def test_all_that_can_be_served_is_and_no_limit_is_ever_exceeded(made):
    limits, pools = made.wish.limits, made.wish.pools
    own = [each for each in pools if each.market is not Market.SPOT_BLOCK]
    can = [job for job in made.jobs if able(made, job, own)]
    made.run(1.5 * HOUR, each=30.0)
    assert limits.max_vcpus is None or made.most <= limits.max_vcpus
    assert limits.max_instances is None or made.most_instances <= limits.max_instances
    assert limits.max_hourly_cost is None or made.dearest <= limits.max_hourly_cost
    for each in pools:
        if each.max_instances is not None:
            assert made.most_of.get(each.name, 0) <= each.max_instances
    assert all(made.instances[name].pool == BLOCK.name for name, _ in made.killed)
    assert all(job.done for job in can)
    tokens = [each["ClientToken"] for each in made.launches]
    assert len(tokens) == len(set(tokens))
    assert set(made.members) >= {f"arn:{name}" for name in made.outside}
    if all(job.done for job in made.jobs):
        assert not [each for each in made.alive() if each.pool != BLOCK.name]
