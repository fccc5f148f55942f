"""Tell a person at a terminal, or the reader of a log, what is going on."""

import time
from collections.abc import Callable
from typing import TextIO

LIVE_SECONDS = 0.5
LOG_SECONDS = 15.0  # a log gets a line that often, a terminal one line that changes


class Progress:
    """Lines that stay (`say`), and one line that changes while something takes long (`live`)."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._last = clock()
        self._open = False

    def say(self, text: str) -> None:
        """Print lines that stay."""
        self._clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()
        self._last = self._clock()

    def live(self, text: str) -> None:
        """Show how far something is; call it as often as you like."""
        now = self._clock()
        if now - self._last < (LIVE_SECONDS if self._terminal else LOG_SECONDS):
            return
        self._clear()
        self._stream.write(text if self._terminal else f"{text}\n")
        self._stream.flush()
        self._open, self._last = self._terminal, now

    def _clear(self) -> None:
        if self._open:
            self._stream.write("\r\x1b[K")
            self._open = False


def duration(seconds: float) -> str:
    """A duration as a person says it: "8 s", "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
