"""A token bucket that knows nothing of clocks: every question carries the time."""

import math
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

    def is_as_new(self, now: float) -> bool:
        """Whether a new one in its place would answer the same."""
        self._advance(now)
        full = self._level >= self._rate.burst and self._factor >= 1.0
        return full and not self._reserved

    def wait(self, now: float, *, ahead: int = 0) -> float:
        """Seconds until a token can be taken that is neither reserved nor for those ahead.

        0 if there is one. It counts with the rate's recovery, and that AWS throttles no more.
        """
        self._advance(now)
        return self._until(1.0 + len(self._reserved) + ahead)

    def take(self, now: float, tokens: int = 1) -> None:
        """Spend tokens. Only after `wait` has answered 0."""
        self._advance(now)
        self._level -= tokens

    def refund(self, now: float, tokens: int) -> None:
        """So many of the tokens just spent were not used."""
        self._advance(now)
        self._level = min(self._rate.burst, self._level + tokens)

    def reserve(self, now: float) -> float:
        """Keep a token back; until when. Only after `wait` has answered 0."""
        self._advance(now)
        expires = now + RESERVED_SECONDS
        self._reserved.append(expires)
        return expires

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

    def give_back(self, expires: float, now: float) -> None:
        """The call is not made for which a token was kept back until then.

        Which of the reserved tokens a call claims does not matter, only how many there are: the
        oldest one goes. One that has expired has come back by itself.
        """
        self._advance(now)
        if self._reserved and expires > now:
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
        lacking = (tokens - self._level) / self._rate.per_second  # in seconds of the whole rate
        if lacking <= _ROUNDING:
            return 0.0
        recovering = (1.0 - self._factor) / RECOVERY_PER_SECOND
        gained = recovering * (self._factor + 1.0) / 2
        if lacking >= gained:
            return recovering + lacking - gained
        # The rate rises evenly from here: factor * t + recovery / 2 * t² = lacking.
        root = math.sqrt(self._factor**2 + 2 * RECOVERY_PER_SECOND * lacking)
        return (root - self._factor) / RECOVERY_PER_SECOND

    def _advance(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = now
        rising = min(passed, (1.0 - self._factor) / RECOVERY_PER_SECOND)
        reached = self._factor + rising * RECOVERY_PER_SECOND
        gained = rising * (self._factor + reached) / 2 + (passed - rising) * reached
        self._level = min(self._rate.burst, self._level + gained * self._rate.per_second)
        self._factor = min(1.0, reached)
        while self._reserved and self._reserved[0] <= now:
            self._reserved.popleft()
