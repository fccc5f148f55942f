import asyncio

import pytest
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock, settle
from tests.support.memory_kube import MemoryKube

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.elector import Elector
from awsbatch_operator.engine.fence import LeaseFence
from awsbatch_operator.engine.lease import LeaseSettings
from awsbatch_operator.kube.port import DeniedError, UnavailableError


class LeaseKube(MemoryKube):
    """Leases only; it can be away, and it can be slow."""

    def __init__(self, clock):
        super().__init__([], clock=clock, namespaces={"ops": {}})
        self.clock = clock
        self.away = False
        self.slow = 0.0

    async def read_lease(self, namespace, name):
        if self.slow:
            await self.clock.sleep(self.slow)
        if self.away:
            raise UnavailableError("no answer")
        return await super().read_lease(namespace, name)

    def holder(self):
        return self.leases["ops", "leader"]["spec"]["holderIdentity"]


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def kube(clock):
    return LeaseKube(clock)


class Candidate(Elector):
    def __init__(self, kube, clock, identity):
        self.fence = LeaseFence(clock)
        settings = LeaseSettings(namespace="ops", name="leader", identity=identity)
        super().__init__(kube=kube, clock=clock, settings=settings, fence=self.fence)


@pytest.fixture
def one(kube, clock):
    return Candidate(kube, clock, "one")


@pytest.fixture
def two(kube, clock):
    return Candidate(kube, clock, "two")


async def test_a_free_lease_is_won_at_once(one, kube, clock):
    assert await one.acquire() == clock.now()
    assert one.won == clock.now()
    assert kube.holder() == "one"
    assert one.leads
    one.fence.check(13)


async def test_a_standby_says_once_for_whom_it_waits(one, two, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    with capture_logs() as logs:
        waiting = asyncio.create_task(two.acquire())
        await clock.advance(600)
        keeping.cancel()
        await one.release()
        await clock.advance(5)
    assert waiting.result()
    assert [(line["event"], line["identity"]) for line in logs] == [
        ("standing by: another replica leads", "two"),
        ("lease released", "one"),
        ("lease won", "two"),
    ]
    assert (logs[0]["holder"], logs[0]["lease"]) == ("one", "ops/leader")


async def test_a_standby_that_gets_another_leader_says_so(one, two, kube, clock):
    three = Candidate(kube, clock, "three")
    await one.acquire()
    with capture_logs() as logs:
        waiting = asyncio.create_task(two.acquire())
        await clock.advance(1)
        await one.release()
        await three.acquire()
        await clock.advance(10)
        waiting.cancel()
    told = [line["holder"] for line in logs if line["event"].startswith("standing by")]
    assert told == ["one", "three"]


async def test_the_lease_is_kept_as_long_as_it_can_be_renewed(one, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    for _ in range(100):
        await clock.advance(7)
        one.fence.check(13)
    assert not keeping.done()
    keeping.cancel()


async def test_another_candidate_waits_while_the_lease_is_renewed(one, two, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    waiting = asyncio.create_task(two.acquire())
    await clock.advance(3600)
    assert not waiting.done()
    assert not two.leads
    for task in (keeping, waiting):
        task.cancel()


async def test_a_dead_holders_lease_is_taken_over_once_it_has_run_out(one, two, kube, clock):
    await one.acquire()
    waiting = asyncio.create_task(two.acquire())
    await clock.advance(29)
    assert not waiting.done()
    await clock.advance(1.5)
    assert waiting.done()
    assert kube.holder() == "two"
    assert not one.leads


async def test_a_released_lease_is_taken_over_within_one_look(one, two, kube, clock):
    await one.acquire()
    waiting = asyncio.create_task(two.acquire())
    await clock.advance(1)
    await one.release()
    assert not one.leads
    await clock.advance(2)
    assert waiting.done()


async def test_a_lease_is_lost_when_it_cannot_be_renewed_in_time(one, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    await clock.advance(1)
    kube.away = True
    await clock.advance(28)
    assert not keeping.done()
    with pytest.raises(LeaseLostError):
        one.fence.check(13)  # nothing is sent any more, although the lease is not lost yet
    await clock.advance(2)
    with pytest.raises(LeaseLostError, match="no answer"):
        await keeping


async def test_a_renewal_without_answer_does_not_outlast_the_lease(one, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    await clock.advance(1)
    kube.slow = 1e9
    await clock.advance(30)
    with pytest.raises(LeaseLostError):
        await keeping


async def test_a_short_outage_is_survived(one, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    await clock.advance(1)
    kube.away = True
    await clock.advance(20)
    kube.away = False
    await clock.advance(100)
    assert not keeping.done()
    assert one.leads
    keeping.cancel()


async def test_a_lease_that_another_took_is_lost_at_the_next_look(one, two, kube, clock):
    await one.acquire()
    stolen = {**kube.leases["ops", "leader"]["spec"], "holderIdentity": "thief"}
    keeping = asyncio.create_task(one.keep())
    await clock.advance(1)
    await kube.replace_lease(await kube.read_lease("ops", "leader"), stolen)
    await clock.advance(10)
    with pytest.raises(LeaseLostError, match="held by thief"):
        await keeping
    with pytest.raises(LeaseLostError):
        one.fence.check(0)


async def test_a_deleted_lease_is_made_anew_by_its_holder(one, two, kube, clock):
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    waiting = asyncio.create_task(two.acquire())
    await clock.advance(3)
    kube.leases.clear()
    await clock.advance(60)
    assert kube.holder() == "one"
    assert not keeping.done()
    assert not waiting.done()
    for task in (keeping, waiting):
        task.cancel()


async def test_the_fence_counts_from_before_the_claim_was_sent(one, kube, clock):
    replace = kube.create_lease

    async def slow(*arguments):
        await clock.sleep(6)  # on its way there
        answer = await replace(*arguments)
        await clock.sleep(3)  # and back
        return answer

    kube.create_lease = slow
    winning = asyncio.create_task(one.acquire())
    await clock.advance(9)
    assert winning.done()
    assert one.fence.left == 21


async def test_a_release_does_not_touch_a_lease_that_another_holds(one, two, kube, clock):
    await one.acquire()
    await clock.advance(1)
    waiting = asyncio.create_task(two.acquire())
    await clock.advance(31)
    assert waiting.done()
    await one.release()
    assert kube.holder() == "two"


async def test_a_release_that_gets_no_answer_does_not_hold_up_the_end(one, kube, clock):
    await one.acquire()
    kube.slow = 1e9
    releasing = asyncio.create_task(one.release())
    await clock.advance(1)
    assert releasing.done()
    assert not one.leads


async def test_readiness_means_the_lease_can_be_read_not_that_it_is_held(one, two, kube, clock):
    assert "no answer yet" in two.not_ready()
    await one.acquire()
    waiting = asyncio.create_task(two.acquire())
    await settle()
    assert two.not_ready() is None
    kube.away = True
    await clock.advance(31)
    assert "cannot read the lease ops/leader: UnavailableError: no answer" in two.not_ready()
    kube.away = False
    await clock.advance(3)
    assert two.not_ready() is None
    waiting.cancel()


def test_a_closed_fence_lets_nothing_pass(clock):
    fence = LeaseFence(clock)
    with pytest.raises(LeaseLostError, match="not held"):
        fence.check(0)
    fence.open_until(clock.monotonic() + 10)
    fence.check(9.9)
    with pytest.raises(LeaseLostError, match=r"lasts 10\.0 s more and the call may take 10 s"):
        fence.check(10)
    fence.close()
    with pytest.raises(LeaseLostError):
        fence.check(0)


async def test_a_lease_that_may_not_be_made_is_told_once_a_minute_and_at_readyz_until_it_may(
    one, kube, clock, monkeypatch
):
    async def denied(namespace, name, spec):
        raise DeniedError(f"Cannot create lease {namespace}/{name}: forbidden (403). Grant it.")

    with monkeypatch.context() as refusing, capture_logs() as logs:
        refusing.setattr(kube, "create_lease", denied)
        waiting = asyncio.create_task(one.acquire())
        await clock.advance(59)
        assert one.not_ready() == "Cannot create lease ops/leader: forbidden (403). Grant it."
        assert [line["event"] for line in logs] == ["the lease is refused"]
        await clock.advance(10)
        assert [line["event"] for line in logs] == 2 * ["the lease is refused"]
    await clock.advance(5)
    assert waiting.result()
    assert one.not_ready() is None
