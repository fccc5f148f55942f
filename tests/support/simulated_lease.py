"""The lease of a simulated world: held by one life of the operator after another.

It keeps the operator's own fence open in the way in which the elector does, and lets nobody lead
before the time of the last leader has run out, or was given back.
"""

import math

from tests.support.clock import SteppedClock

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.fence import LeaseFence

SECONDS = 30.0
RENEWED = 10.0  # every so many seconds, as the elector does
RETRIED = 2.0


class Lease:
    """Until when somebody leads."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.until = -math.inf  # by the monotonic clock

    @property
    def left(self) -> float:
        """Seconds until somebody else may lead; not positive when that is now."""
        return self.until - self._clock.monotonic()

    def win(self) -> "Term":
        """Lead from now on. The lease must be free."""
        assert self.left <= 0, "two lives of the operator lead at once"
        return Term(self, self._clock)

    def release(self) -> None:
        """Give it back: somebody else may lead at once."""
        self.until = -math.inf


class Term:
    """One leader's time. `keep` renews the lease until it is cancelled."""

    def __init__(self, lease: Lease, clock: SteppedClock) -> None:
        self._lease = lease
        self._clock = clock
        self._stalled_until = -math.inf
        self.fence = LeaseFence(clock)
        self._renew()

    @property
    def left(self) -> float:
        """Seconds that the lease lasts if it is not renewed."""
        return self.fence.left

    def stall(self, seconds: float) -> None:
        """Let no renewal succeed for that long: the API server does not answer."""
        self._stalled_until = self._clock.monotonic() + seconds

    async def keep(self) -> None:
        """Renew the lease. LeaseLostError once it has run out."""
        while self.left > 0:
            stalled = self._clock.monotonic() < self._stalled_until
            if not stalled:
                self._renew()
            pause = RETRIED if stalled else RENEWED
            await self._clock.sleep(min(pause, self.left))
        raise LeaseLostError("The lease was not renewed in time.")

    def _renew(self) -> None:
        self._lease.until = self._clock.monotonic() + SECONDS
        self.fence.open_until(self._lease.until)
