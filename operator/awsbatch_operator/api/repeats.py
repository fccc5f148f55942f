"""What has been told a moment ago, so that the same again is known as a retry."""

from collections import OrderedDict
from collections.abc import Hashable

from awsbatch_operator.api.instant import Clock

REMEMBERED = 4096  # things told; of more, those told longest ago are news again


class Repeats:
    """Tells news from retries: the same within `seconds` of when it was told is no news."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._told: OrderedDict[Hashable, float] = OrderedDict()  # latest last

    def is_news(self, told: Hashable) -> bool:
        """Whether it was not told within that time; if so, it counts as told now."""
        now, before = self._clock.monotonic(), self._told.get(told)
        if before is not None and now - before < self._seconds:
            return False
        self._told[told] = now
        self._told.move_to_end(told)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True

    def __len__(self) -> int:
        return len(self._told)
