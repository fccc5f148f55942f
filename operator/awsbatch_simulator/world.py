"""The simulated AWS: one clock, one lock, and stores that two accounts or regions never share."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from awsbatch_simulator.clock import SimulatedClock, Timer
from awsbatch_simulator.context import Place
from awsbatch_simulator.ec2.image_model import Publications
from awsbatch_simulator.faults import Faults
from awsbatch_simulator.host.boots import Boots
from awsbatch_simulator.ports import LogSink, Lookup, Messages, Service
from awsbatch_simulator.region import Region
from awsbatch_simulator.settings import Settings

Report = Callable[[Place], dict[str, Any]]


class World:
    """All state of the simulator. Whoever touches it holds `lock`.

    `services` are our own, by botocore's service name; `reports` are what `/_simulator/state` shows
    of each. `logs` (where jobs write), `lookup` (roles, subnets and the like) and
    `messages` (where notices go) are set by `assembly.build`. Threads that have news (a process
    ended) use `post`.
    """

    logs: LogSink
    lookup: Lookup
    messages: Messages

    def __init__(self, clock: SimulatedClock, settings: Settings, ids: random.Random) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.settings = settings
        self.ids = ids
        self.faults = Faults()
        self.boots = Boots(self.post)
        self.services: dict[str, Service] = {}
        self.reports: dict[str, Report] = {}
        self.ec2_listeners: list[Callable[[Region, str, dict[str, Any]], None]] = []
        self.publications: dict[str, Publications] = {}
        self.wake: Callable[[], None] = _nobody_waits
        self._regions: dict[Place, Region] = {}

    def region(self, place: Place) -> Region:
        """The stores of an account and region."""
        found = self._regions.get(place)
        if found is None:
            found = self._regions[place] = Region(self, place)
        return found

    def regions(self) -> tuple[Region, ...]:
        """All regions that anything has touched."""
        return tuple(self._regions.values())

    def hex_id(self, digits: int = 17) -> str:
        """Random hexadecimal digits, as in `i-0123456789abcdef0`."""
        return f"{self.ids.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """A random UUID (version 4) from the world's own randomness."""
        digits = f"{self.ids.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) % 4]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    def real_time(self) -> float:
        """Seconds that `speed` does not stretch: for request limits and credentials.

        In a stepped world these are the clock's own seconds, otherwise the wall clock's.
        """
        return self.clock.now() if self.clock.stepped else time.time()

    def change(self, settings: Settings) -> None:
        """Put new settings in place; what already waits for its moment keeps that moment."""
        with self.lock:
            if settings.speed != self.clock.speed:
                self.clock.speed = settings.speed
            self.settings = settings
        self.wake()

    def advance(self, seconds: float) -> int:
        """Step the clock; returns how many timers ran."""
        with self.lock:
            ran = self.clock.advance(seconds)
        self.wake()
        return ran

    def post(self, callback: Callable[..., Any], *arguments: Any) -> Timer:
        """Run the callback as soon as the clock can; safe to call from any thread."""
        return self.post_after(0, callback, *arguments)

    def post_after(self, seconds: float, callback: Callable[..., Any], *arguments: Any) -> Timer:
        """Run the callback after real seconds; safe to call from any thread."""
        with self.lock:
            factor = 1.0 if self.clock.stepped else self.clock.speed
            timer = self.clock.call_after(seconds * factor, callback, *arguments)
        self.wake()
        return timer


def _nobody_waits() -> None:
    """A stepped world has no clock task to wake."""
