"""Moments and the clock, so that no decision ever asks the machine for the time."""

from datetime import UTC, datetime
from typing import NamedTuple, Protocol, Self


class Instant(NamedTuple):
    """A moment in wall-clock time, as epoch seconds (UTC)."""

    epoch: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an RFC 3339 time, as Kubernetes writes it; ValueError if it is none."""
        return cls(datetime.fromisoformat(text).timestamp())

    @classmethod
    def read(cls, shown: object) -> Self | None:
        """The same of a status; None where it says nothing that we would have written.

        Whoever may write a status can have it say anything that its schema admits. A `date-time` is
        there also of the year 0, or 99 hours east of Greenwich.
        """
        try:
            return cls.parse(str(shown)) if shown else None
        except ValueError:
            return None

    @classmethod
    def from_milliseconds(cls, milliseconds: int) -> Self:
        """Read a time of AWS Batch, which counts epoch milliseconds."""
        return cls(milliseconds / 1000)

    def plus(self, seconds: float) -> "Instant":
        """The moment that many seconds later."""
        return Instant(self.epoch + seconds)

    def since(self, earlier: "Instant") -> float:
        """Seconds from the earlier moment to this one; negative if it is later."""
        return self.epoch - earlier.epoch

    def rfc3339(self) -> str:
        """As metav1.Time wants it: whole seconds."""
        return self._text("seconds")

    def rfc3339_micro(self) -> str:
        """As metav1.MicroTime wants it (Lease and Event): exactly six digits."""
        return self._text("microseconds")

    def _text(self, precision: str) -> str:
        # Several times as fast as strftime, and each status has half a dozen moments.
        text = datetime.fromtimestamp(self.epoch, UTC).isoformat(timespec=precision)
        return text.removesuffix("+00:00") + "Z"


class Clock(Protocol):
    """Where the time comes from. Tests step it; nothing else in the operator reads a clock."""

    def now(self) -> Instant:
        """The wall-clock time."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for durations and leases."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds; cancelled like any other await."""
