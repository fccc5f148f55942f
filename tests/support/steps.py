"""The steps of a test that takes long: told with their seconds when each is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Steps:
    """Tells each step as it ends: seconds since the start, seconds of its own, and what it was."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self._tell = tell
        self._clock = clock
        self._start = self._last = clock()
        self.told: list[str] = []  # all of them, to be shown once more at the end

    def done(self, what: str) -> None:
        """A step has ended, which began when the one before had."""
        self._ended(what, self._last)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step; one that fails is told too. Others may go on beside it, in threads."""
        began = self._clock()
        try:
            yield
        except BaseException:
            self._ended(f"FAILED: {what}", began)
            raise
        self._ended(what, began)

    def _ended(self, what: str, began: float) -> None:
        self._last = now = self._clock()
        line = f"[{now - self._start:6.1f} s] {now - began:6.1f} s  {what}"
        self.told.append(line)
        self._tell(line)
