"""One life of the operator after another, each with all its memory gone, in a hard world."""

import asyncio
from collections.abc import Callable

import yaml
from tests.support.api_servers import ApiServer
from tests.support.clock import settle
from tests.support.crashing import CrashingWire, Points, ProcessDied, crashing_kube
from tests.support.hard_world import HardWorld
from tests.support.one_process import TO_STOP, Process
from tests.support.waiting_runner import WaitingRunner

from awsbatch_operator.api.scope import LeaseLostError

TWO_HOURS = 2 * 3600.0
POLL_SCALE = 3.0  # polls change nothing, and cost most of the time that a crash test takes
HINTS = 100
TAKEN_OVER = 3.0  # seconds, at most, after a lease has run out


class Life(Process):
    """One process of the operator, from the moment at which it leads to its end."""

    def __init__(self, world: HardWorld, points: Points) -> None:
        self._points = points
        self._term = world.lease.win()
        self._lease = world.lease
        self._wire = CrashingWire(points, world.lagging, world.later)
        waits = world.weather.waits
        self._runner = WaitingRunner(world.clock, world.dice, waits, self._term)
        self._thaw = world.thaw
        self._others = world.on_their_way
        super().__init__(
            world,
            on_client=self._wire.connect,
            kube=crashing_kube(points, world.server.kube, world.later),
            watch=world.server.subscribe,
            runner=self._runner,
            fence=self._term.fence,
            workers=4,
            poll_scale=POLL_SCALE,
        )

    def start(self) -> None:
        super().start()
        self._parts.append(asyncio.ensure_future(self._term.keep()))

    @property
    def over(self) -> bool:
        """Whether it was killed or has lost its lease. Any other end is a fault of the operator."""
        try:
            self.check()
        except (ProcessDied, LeaseLostError):
            return True
        return False

    async def kill(self) -> None:
        """Be gone at once, with all memory. What is under way makes no further call."""
        self._points.dead = True
        await super().kill()
        await self._end_all_tasks()
        self._wire.over = True
        self._points.revive()
        for work in self._runner.cut_short:
            self._thaw(work)

    async def _end_all_tasks(self) -> None:
        """End what its parts have started besides; some of that takes more than one hint."""
        for _ in range(HINTS):
            tasks = asyncio.all_tasks() - {asyncio.current_task()} - self._others
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await settle()
        raise AssertionError(f"tasks of a killed operator do not end: {tasks}")

    async def stop(self) -> None:
        """End as a signal does; the lease is given back if nothing can be on its way any more."""
        self._stop.set()
        engine = self._parts[0]
        await self._world.clock.run_until(lambda: engine.done() or self.over, within=TO_STOP)
        clean = not self.over_by_force() and engine.result().clean
        await self.kill()
        if clean:
            self._lease.release()

    def over_by_force(self) -> bool:
        """Whether something else than the stop has ended it."""
        return any(part.done() and part.exception() is not None for part in self._parts)


class Lives:
    """Whoever dies is followed by another one, as soon as the lease allows it.

    `server` says at which API server a life lists and watches.
    """

    def __init__(
        self,
        world: HardWorld,
        points: Points,
        server: Callable[[], ApiServer] | None = None,
    ) -> None:
        self.world = world
        self.points = points
        self._server = server or (lambda: ApiServer(world.history))
        self.count = 0
        self.lost_leases = 0
        self._life: Life | None = None

    async def until(self, condition: Callable[[], bool], *, within: float = TWO_HOURS) -> None:
        """Let time pass until the condition holds; AssertionError if that takes too long."""
        clock = self.world.clock
        deadline = clock.monotonic() + within
        while True:
            life = self._life or await self._begin()
            try:
                await clock.run_until(
                    lambda life=life: life.over or condition(),  # type: ignore[misc]
                    within=deadline - clock.monotonic(),
                )
            except AssertionError as error:
                error.add_note(self._state())
                raise
            if not life.over:
                return
            self.lost_leases += not self.points.dead
            await self.kill()

    async def kill(self) -> None:
        """The operator dies now, wherever it is."""
        if self._life is not None:
            await self._life.kill()
            self._life = None

    async def stop(self) -> None:
        """Somebody ends the operator in an orderly way."""
        if self._life is not None:
            await self._life.stop()
            self._life = None

    async def end(self) -> None:
        """There is no operator any more, and nothing is on its way."""
        await self.kill()
        await self.world.end()

    async def _begin(self) -> Life:
        world = self.world
        if world.lease.left > 0:
            await world.clock.advance(world.lease.left + world.dice.uniform(0, TAKEN_OVER))
        self.count += 1
        world.server = self._server()
        self._life = Life(world, self.points)
        self._life.start()
        return self._life

    def _state(self) -> str:
        kube = self.world.kube
        bodies = [body for kind in kube.definitions for body in kube.objects.of_kind(kind)]
        struck = [f"{one.mode.value} {one.number} {one.name}" for one in self.points.struck]
        return yaml.safe_dump({"struck": struck, "objects": bodies})
