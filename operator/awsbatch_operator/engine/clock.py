"""The machine's clock. The only place of the operator that asks for the time."""

import asyncio
import time

from awsbatch_operator.api.instant import Instant


class SystemClock:
    """A Clock that runs by itself. `monotonic` and `now` may be asked from any thread."""

    def now(self) -> Instant:
        return Instant(time.time())

    def monotonic(self) -> float:
        # Unlike Python's monotonic clock, this one goes on while the machine is suspended: a
        # leader that was put to sleep must not wake up believing in its lease.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def worked(self) -> float:
        """Seconds of processor time that all threads of this process have had."""
        return time.process_time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
