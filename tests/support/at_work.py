"""Installations that are at work side by side, while a test goes on with something else."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from tests.support.steps import Steps
from tests.support.trial_work import Work


class AtWork:
    """Gives each installation one job after the other, in a thread, for so many seconds."""

    def __init__(self, works: Sequence[Work], steps: Steps, *, seconds: float) -> None:
        self._works = works
        self._steps = steps
        self._seconds = seconds
        self._leave = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._turns = self._pool.submit(self._take_turns)

    def turns(self) -> int:
        """How many jobs each of them has run, when the time is over; raises what went wrong."""
        return self._turns.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """A turn that has begun goes on to its end: nobody is left who asks the cluster."""
        self._leave.set()
        self._pool.shutdown()

    def _take_turns(self) -> int:
        until, turns = time.monotonic() + self._seconds, 0
        with self._steps.step(f"installations at work side by side for {self._seconds:.0f} s"):
            while time.monotonic() < until and not self._leave.is_set():
                turns += 1
                for work in self._works:
                    work.submit([f"side-by-side-{turns}"])
                for work in self._works:
                    work.wait_complete([f"side-by-side-{turns}"])
        return turns
