"""How long to wait after failures in a row."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential with full jitter, in seconds.

    Full jitter (anything from zero to the bound) spreads a crowd that failed together better than
    a bound with a little noise does.
    """

    base_seconds: float = 1.0
    cap_seconds: float = 300.0

    def bound(self, failures: int) -> float:
        """The longest wait after that many failures in a row (1 is the first)."""
        doublings = min(failures - 1, 32)  # enough for any cap, and 2.0 ** 32 is still exact
        return min(self.cap_seconds, self.base_seconds * 2.0**doublings)

    def delay(self, failures: int, random: Random) -> float:
        """A wait, anywhere from zero to the bound."""
        return random.uniform(0.0, self.bound(failures))
