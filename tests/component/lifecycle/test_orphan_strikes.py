"""The pass over orphans when the process dies, answers are lost, or the lease is not held."""

import asyncio

import pytest
from tests.support.crashing import MUTATING, Mode
from tests.support.crd_cases.capacity import pool as capacity
from tests.support.manifests import ENVIRONMENT, unmanaged
from tests.support.orphanage import GONE, WITHIN_GRACE, Orphanage, inhabited, tags
from tests.support.simulated_aws import any_image

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.kinds.orphans import INTERVAL_SECONDS


@pytest.fixture(autouse=True)
def images(monkeypatch):
    """The images that there are take a fifth of a second to read."""
    lookup = type(Orphanage().simulator.world.lookup)
    monkeypatch.setattr(lookup, "public_image", any_image)


EACH = (
    *("ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeLaunchTemplates"),
    *("ec2:DescribeCapacityReservations", "kube:get", "batch:DescribeComputeEnvironments"),
    *("ecs:ListContainerInstances", "ecs:DescribeContainerInstances"),
    *("ecs:UpdateContainerInstancesState", "ec2:TerminateInstances"),
    *("ec2:CancelCapacityReservation", "ec2:DeleteLaunchTemplate", "ec2:DeleteVolume"),
)


ENDING = tuple(name for name in EACH if name in MUTATING)


@pytest.mark.parametrize(
    ("mode", "struck"), [(Mode.BEFORE, ENDING), (Mode.AFTER, EACH), (Mode.LOST, EACH)]
)
async def test_wherever_it_dies_or_an_answer_is_lost_all_goes_once_and_nothing_else(mode, struck):
    """Struck is each call once; whoever dies has forgotten all, so the grace begins anew."""
    there = Orphanage()
    async with there.running():
        live = inhabited(there)
        cluster = there.environment("pool", tags(there.apply(ENVIRONMENT)))
        there.launch(tags(GONE), cluster=cluster)
        there.template(tags(GONE))
        there.reserve(tags(GONE))
        before = there.left(live)
        there.points.upcoming = dict.fromkeys(struck, mode)
        await there.look(len(struck) * (WITHIN_GRACE + 1) + 6)
        assert {each.name for each in there.points.struck} == {*struck}
        assert there.left(GONE) == {}
        assert there.left(live) == before
        asked = [name for name in there.points.names if name in MUTATING]
        times = 2 if mode is Mode.BEFORE else 1
        assert sorted(asked) == sorted(times * ENDING)


class Switch:
    """A fence that a test opens."""

    leads = False

    def check(self, seconds: float) -> None:
        if not self.leads:
            raise LeaseLostError(f"the lease does not last {seconds} s more")


async def test_without_the_lease_nothing_is_sent_and_with_it_the_next_pass_goes_on():
    fence = Switch()
    there = Orphanage(fence=fence)
    stop = asyncio.Event()
    async with there.running():
        inhabited(there)
        there.launch(tags(GONE))
        passes = asyncio.ensure_future(there.operator.orphans.run(stop))
        await there.clock.advance(2 * INTERVAL_SECONDS)
        assert there.calls == [], "not all objects have been listed"
        there.operator.engine.listed.set()
        await there.clock.advance(INTERVAL_SECONDS * (WITHIN_GRACE + 3))
        assert there.ends() == []
        fence.leads = True
        await there.clock.advance(INTERVAL_SECONDS)
        assert there.left(GONE) == {"volumes": 1}
        stop.set()
        await there.clock.advance(0)
        assert passes.done()
        passes.result()


async def test_whoever_has_no_capacity_and_no_orphans_pays_for_one_look_a_day():
    there = Orphanage()
    stop = asyncio.Event()
    async with there.running():
        there.operator.engine.listed.set()
        passes = asyncio.ensure_future(there.operator.orphans.run(stop))
        await there.clock.advance(20 * INTERVAL_SECONDS)
        assert there.calls.count("ec2:DescribeInstances") == 1
        there.apply(ENVIRONMENT, {**unmanaged(), **capacity()})
        await there.clock.advance(5 * INTERVAL_SECONDS)
        assert there.calls.count("ec2:DescribeInstances") == 6
        there.kube.remove(ENVIRONMENT)
        await there.clock.advance(5 * INTERVAL_SECONDS)
        assert there.calls.count("ec2:DescribeInstances") == 11
        stop.set()
        await there.clock.advance(0)
        assert passes.done()
