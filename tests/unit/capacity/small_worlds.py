"""Environments on the model of AWS, as most tests of plans begin with them."""

from tests.unit.capacity.cloud_model import Job
from tests.unit.capacity.planning_model import World
from tests.unit.capacity.values import LARGE, XLARGE, pool

from awsbatch_operator.capacity.model import Limits, Market, SpotBlock, Wish

HOUR = 3600.0


def world(*pools, limits=None, jobs=0, seconds=300.0, **more):
    mine = pools or (pool("main", LARGE, XLARGE),)
    wish = Wish(limits=limits or Limits(max_vcpus=64), pools=mine)
    return World(wish=wish, jobs=[Job(1.0, 1000, seconds) for _ in range(jobs)], **more)


def block(count=2, seconds=HOUR, **fields):
    about = {name: fields.pop(name) for name in ("drain_timeout_seconds",) if name in fields}
    spec = SpotBlock(duration_seconds=int(seconds), instance_count=count, **fields)
    fixed = {"market": Market.SPOT_BLOCK, "max_instances": count, "spot_block": spec}
    return pool("block", LARGE, **fixed, **about)


def at_rest(made):
    plan = made.plan()
    assert not plan.steps
    assert plan.look_again_seconds == 60
    return plan
