"""Ctrl-C, SIGTERM and a closed terminal: the first ends the work, and nothing disturbs clearing up.

What our parent has us ignore stays ignored, as is the custom of Unix: `nohup make demo` goes on
when the terminal is closed, and a script's background job when Ctrl-C ends the script. SIGTERM ends
us in any case.

Used by the commands. In tests the signals do what pytest wants, and in tests/e2e what its conftest
says; only `uninterrupted` works there.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked this process to end; no Exception, so that only clearing up catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number  # as a shell reports it


def raise_on_signals() -> None:
    """From now on, the first of the signals raises Interrupted, and all later ones are ignored.

    Without SIGINT and SIGHUP where the process was started with them ignored.
    """
    for number in heard():
        signal.signal(number, _raise)


def heard() -> list[signal.Signals]:
    """Those of the signals that end us; asked before anything is done with them."""
    return [
        number
        for number in SIGNALS
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN
    ]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the signals back while something must be done as a whole; they count afterwards.

    Start no process meanwhile: it would be deaf to them for ever. Only for a process without
    other threads, which would take the signals instead.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)
