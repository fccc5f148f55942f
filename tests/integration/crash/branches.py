"""Days that are the same up to a call are lived once up to there: the process forks at the call.

A test that strikes one call of a day after another would live each day from its beginning, and half
of its time would go into what all of them share. Here the day is lived once without any strike. At
each chosen call the process forks. The child strikes the call and lives the rest of the day in a
world of its own, a copy of the whole one; it tells by a pipe how the day went, and is no more. The
parent waits for that, and goes on as if nothing had happened.

Nothing in such a day is real but the memory of one thread: no socket, no file, no clock.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.integration.crash.day import first_lines
from tests.support.crashing import Points


@dataclass
class Branches:
    """What the children of a test had to tell.

    `failed_timers` is the list to which failed timers of simulators are added in this process.
    `turn` is which child of its call a process has last forked, or is: 0, 1, …
    `chosen` counts by name the calls from which children lived on.
    """

    failed_timers: list[str]
    turn: int = 0
    chosen: Counter[str] = field(default_factory=Counter)
    _failures: list[str] = field(default_factory=list)
    _told: list[int] = field(default_factory=list)

    async def live(
        self,
        day: Awaitable[object],
        points: Points,
        *,
        at: Callable[[str], int],
        strike: Callable[[], None],
        tell: Callable[[], int],
    ) -> int:
        """Live a day without a strike, and its rest once more from each chosen call on.

        `at` is asked at every call, by name, how many children live on from it. In a child,
        `strike` says to `points` what happens at the call that is about to be made, and `tell`
        checks the strikes and counts them when the day is over. Returns the sum. AssertionError
        that names all days that went wrong, or the one without a strike.
        """
        child: _Child | None = None

        def branch() -> None:
            nonlocal child
            if child is not None:
                return
            for turn in range(at(points.names[-1])):
                self.turn = turn
                self.chosen[points.names[-1]] += turn == 0
                child = self._fork(f"call {points.passed}, {points.names[-1]} ({turn})")
                if child is not None:
                    strike()
                    return

        points.before_each = branch
        try:
            await day
            if child is not None:
                child.end(tell())
        except BaseException as error:
            if child is not None:
                child.fail(error)
            raise
        assert not self._failures, "\n".join([f"{len(self._failures)} went wrong", *self._failures])
        assert self._told, "no call was chosen"
        return sum(self._told)

    async def each(self, names: Iterable[str], live: Callable[[str], Awaitable[object]]) -> int:
        """Live on from this very moment, once for each of the names, in a child; how many did.

        AssertionError that names all that went wrong.
        """
        for name in names:
            child = self._fork(name)
            if child is None:
                continue
            try:
                await live(name)
                child.end(1)
            except BaseException as error:  # noqa: BLE001 - the child has no other way to say so
                child.fail(error)
        assert not self._failures, "\n".join([f"{len(self._failures)} went wrong", *self._failures])
        return sum(self._told)

    def _fork(self, what: str) -> "_Child | None":
        """In the child, what it tells its end to; None in the parent, once the child is gone."""
        sys.stdout.flush()  # or the child would have that to say, too
        loop = asyncio.get_running_loop()
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Newer Pythons warn of threads that are not there in the child. Those of the test
            # runner do what the child needs nothing of.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            os.close(reading)
            asyncio._set_running_loop(loop)  # asyncio takes it that a fork wants to begin anew
            return _Child(writing, self.failed_timers)
        os.close(writing)
        try:
            with os.fdopen(reading) as pipe:
                text = pipe.read()
        except BaseException:  # this test is given up: nobody waits for the child
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            _, status = os.waitpid(pid, 0)
        answer: dict[str, Any] = json.loads(text or "{}")
        if "told" in answer:
            self._told.append(answer["told"])
        else:
            failure = answer.get("failure", f"its process ended with {status}")
            self._failures.append(f"{what}: {failure}")
        return None


class _Child:
    """The way in which a child ends. Made in the child, right after the fork."""

    def __init__(self, pipe: int, failed_timers: list[str]) -> None:
        self._pipe = pipe
        self._failed_timers = failed_timers
        self._unraisable: list[str] = []
        sys.unraisablehook = self._keep
        gc.freeze()  # what there is, the parent looks after

    def end(self, told: int) -> NoReturn:
        """The day is over."""
        gc.collect()  # what was never awaited says so when it is collected
        troubles = [*self._failed_timers, *self._unraisable]
        self._say({"failure": "\n".join(troubles)} if troubles else {"told": told})

    def fail(self, error: BaseException) -> NoReturn:
        """The day has gone wrong."""
        sys.stdout.flush()  # the log, where the test runner shows it
        if isinstance(error, AssertionError):
            self._say({"failure": f"{error}" + "".join(first_lines(error))})
        self._say({"failure": "".join(traceback.format_exception(error))})

    def _keep(self, unraisable: Any) -> None:
        error = unraisable.exc_value
        told = "".join(traceback.format_exception(error)) if error else ""
        self._unraisable.append(f"{unraisable.err_msg or ''} {unraisable.object!r}\n{told}")

    def _say(self, answer: dict[str, Any]) -> NoReturn:
        with os.fdopen(self._pipe, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)


def every(chosen: Callable[[str], bool], *, step: int = 1, first: int = 0) -> Callable[[str], bool]:
    """Chooses every so manieth of the calls that are chosen, beginning with one of the first."""
    number = -1

    def at(name: str) -> bool:
        nonlocal number
        if not chosen(name):
            return False
        number += 1
        return number % step == first

    return at
