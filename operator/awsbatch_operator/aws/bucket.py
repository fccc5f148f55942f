"""A token bucket that knows nothing of clocks: every question carries the time."""

from collections import deque
from dataclasses import dataclass

RESERVED_SECONDS = 10.0  # a permit that nobody used by then is given up
LOWEST = 0.1  # of the rate: throttling never lowers it further
RECOVERY_PER_SECOND = 0.01  # of the rate: from a half to the whole in 50 s
SAME_WAVE_SECONDS = 1.0  # throttled answers that come together lower the rate once
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second, and how many can be saved up."""

    per_second: float
    burst: float

    def times(self, share: float) -> "Rate":
        """A share of this rate; at least one token can be saved up, or none could ever be had."""
        return Rate(self.per_second * share, max(1.0, self.burst * share))


class Bucket:
    """Never gives out more than `burst + per_second * t` tokens in any t seconds.

    A reservation keeps a token back for a caller who still has something to write down first; it
    is spent only when claimed, so one that is forgotten costs nothing but time.
    """

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._level = rate.burst
        self._at = now
        self._factor = 1.0
        self._lowered_at = float("-inf")
        self._reserved: deque[float] = deque()

    @property
    def factor(self) -> float:
        """The share of the published rate that is used now, because of throttling."""
        return self._factor

    def wait(self, now: float) -> float:
        """Seconds until a token can be taken that nobody has reserved; 0 if there is one."""
        self._advance(now)
        return self._until(1.0 + len(self._reserved))

    def take(self, now: float) -> None:
        """Spend a token. Only after `wait` has answered 0."""
        self._advance(now)
        self._level -= 1.0

    def reserve(self, now: float) -> None:
        """Keep a token back. Only after `wait` has answered 0."""
        self._advance(now)
        self._reserved.append(now + RESERVED_SECONDS)

    def claim(self, now: float) -> bool:
        """Spend a reserved token; False if there is none, or throttling has eaten it."""
        self._advance(now)
        if not self._reserved:
            return False
        self._reserved.popleft()
        if self._until(1.0) > 0:
            return False
        self._level -= 1.0
        return True

    def cancel(self) -> None:
        """A reserved token is not needed: the call is not made."""
        if self._reserved:
            self._reserved.popleft()

    def throttled(self, now: float) -> bool:
        """AWS refused a call because of the rate: use half as much. Whether that is news."""
        self._advance(now)
        self._level = min(self._level, 0.0)
        if now - self._lowered_at < SAME_WAVE_SECONDS:
            return False
        self._lowered_at = now
        self._factor = max(LOWEST, self._factor / 2)
        return True

    def _until(self, tokens: float) -> float:
        lacking = tokens - self._level
        if lacking <= _ROUNDING:
            return 0.0
        return lacking / (self._rate.per_second * self._factor)

    def _advance(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = now
        gained = passed * self._rate.per_second * self._factor
        self._level = min(self._rate.burst, self._level + gained)
        self._factor = min(1.0, self._factor + passed * RECOVERY_PER_SECOND)
        while self._reserved and self._reserved[0] <= now:
            self._reserved.popleft()
