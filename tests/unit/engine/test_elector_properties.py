"""However requests, answers and processes fare, there are never two leaders.

Each candidate has clocks of its own: the monotonic one begins anywhere, the wall clock is wrong by
up to a day. Requests and answers take their time or are lost, each machine has phases
in which it hears nothing, processes die at any moment and come
back under a new name, or stop properly and release the lease.
"""

import asyncio
import contextlib
import itertools
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.elector import Elector
from awsbatch_operator.engine.fence import LeaseFence
from awsbatch_operator.engine.lease import LeaseSettings
from awsbatch_operator.kube.port import UnavailableError
from awsbatch_operator.waiting import within


class OwnClock:
    """One machine's view of the time."""

    def __init__(self, true, random):
        self._true = true
        self._monotonic = random.uniform(-4000, 1e6)
        self._wall = random.uniform(-86400, 86400)

    def now(self):
        return self._true.now().plus(self._wall)

    def monotonic(self):
        return self._true.monotonic() + self._monotonic

    async def sleep(self, seconds):
        await self._true.sleep(seconds)


class Wire:
    """One machine's way to the API server and back. It is fine, slow or cut for a while each."""

    def __init__(self, kube, clock, random):
        self._kube, self._clock, self._random = kube, clock, random
        self._state, self._until = "fine", 0.0
        self.calm = False

    async def read_lease(self, namespace, name):
        return await self._carry(lambda: self._kube.read_lease(namespace, name))

    async def create_lease(self, namespace, name, spec):
        return await self._carry(lambda: self._kube.create_lease(namespace, name, spec))

    async def replace_lease(self, lease, spec):
        return await self._carry(lambda: self._kube.replace_lease(lease, spec))

    async def _carry(self, call):
        if self.calm:
            return await call()
        # A request that was sent arrives although its sender has given up or died.
        return await asyncio.shield(asyncio.ensure_future(self._travel(call)))

    async def _travel(self, call):
        await self._way("there")
        answer = await call()
        await self._way("back")
        return answer

    async def _way(self, direction):
        if self._clock.monotonic() >= self._until:
            self._state = self._random.choice(("fine", "slow", "cut"))
            self._until = self._clock.monotonic() + self._random.uniform(1, 50)
        if self._state == "cut":
            raise UnavailableError(f"lost on the way {direction}")
        if self._state == "slow":
            await self._clock.sleep(self._random.choice((0.0, 0.0, 1.5)))


class Watched(LeaseFence):
    """A fence that is compared with all others whenever it opens."""

    def __init__(self, clock, all_fences):
        super().__init__(clock)
        self._all = all_fences
        all_fences.append(self)

    def open_until(self, moment):
        super().open_until(moment)
        assert sum(fence.left > 0 for fence in self._all) <= 1, "two leaders"


class World:
    def __init__(self, random):
        self.random = random
        self.clock = SteppedClock()
        self.kube = MemoryKube([], clock=self.clock, namespaces={"ops": {}})
        self.wires = [Wire(self.kube, self.clock, random) for _ in range(3)]
        self.fences = []
        self.names = itertools.count()

    async def machine(self, wire: Any):
        """Processes one after the other, each killed or stopped at some moment."""
        while True:
            clock = OwnClock(self.clock, self.random)
            fence = Watched(clock, self.fences)
            duration = self.random.choice((6, 10))
            elector = Elector(
                kube=wire,
                clock=clock,
                fence=fence,
                settings=LeaseSettings(
                    namespace="ops",
                    name="leader",
                    identity=f"process-{next(self.names)}",
                    duration_seconds=duration,
                    call_seconds=3.0,
                    retry_seconds=0.7,
                ),
            )
            lifetime = self.random.expovariate(1 / 90)
            with contextlib.suppress(LeaseLostError, TimeoutError):
                await within(self.clock, lifetime, self._life(elector))
            await self.clock.sleep(self.random.uniform(0, 3))
            if self.random.random() < 0.5:
                await elector.release()
            fence.close()  # the process has died; nobody is left to act

    async def _life(self, elector):
        await elector.acquire()
        await elector.keep()


async def history(random):
    world = World(random)
    machines = [asyncio.create_task(world.machine(wire)) for wire in world.wires]
    await world.clock.advance(200)
    for wire in world.wires:
        wire.calm = True
    await world.clock.run_until(lambda: any(fence.left > 0 for fence in world.fences), within=60)
    failed = [task.exception() for task in machines if task.done()]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.gather(*machines, return_exceptions=True)
    assert not failed


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_there_are_never_two_leaders_and_one_again_when_all_is_calm(seed):
    asyncio.run(history(Random(seed)))
