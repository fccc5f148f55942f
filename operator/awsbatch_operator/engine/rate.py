"""A token bucket, as far as the engine needs one."""

from awsbatch_operator.api.instant import Clock


class TokenBucket:
    """`rate` tokens a second, and up to `burst` saved."""

    def __init__(self, clock: Clock, *, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)  # negative when some were taken in advance
        self._counted_at = clock.monotonic()

    def take(self) -> float:
        """Take a token, now or in advance; seconds until it is there, 0 if it is."""
        now = self._clock.monotonic()
        gained = (now - self._counted_at) * self._rate
        self._tokens = min(self._burst, self._tokens + gained) - 1.0
        self._counted_at = now
        return max(0.0, -self._tokens / self._rate)
