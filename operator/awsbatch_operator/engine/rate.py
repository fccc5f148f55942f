"""A token bucket, as far as the engine needs one."""

from awsbatch_operator.api.instant import Clock


class TokenBucket:
    """`rate` tokens a second, and up to `burst` saved."""

    def __init__(self, clock: Clock, *, rate: float, burst: int) -> None:
        self._clock = clock
        self._interval = 1.0 / rate
        self._saved = burst * self._interval
        # The moment at which the bucket would be full again if nobody took anything.
        self._full_at = clock.monotonic()

    def take(self) -> float:
        """Take a token, now or in advance; seconds until it is there, 0 if it is."""
        now = self._clock.monotonic()
        self._full_at = max(self._full_at, now) + self._interval
        return max(0.0, self._full_at - now - self._saved)
