"""Which changes may be on the wire: a call that nobody waits for any more must not go out later."""

import threading
from dataclasses import dataclass


class WithdrawnError(Exception):
    """The caller gave up before the work began: it is not done."""


@dataclass(slots=True, eq=False)
class Flight:
    """One call, from the moment at which it is asked for.

        WAITING ──► BEGUN ──► over
           └──────► WITHDRAWN

    The caller withdraws and the thread begins under one lock, so that either the call is counted
    until it has come back, or it is never sent.
    """

    counted: bool
    begun: bool = False
    withdrawn: bool = False


class InFlight:
    """Counts calls that change something. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        """How many are waiting for a thread or on the wire."""
        return self._count

    def enter(self, *, counted: bool) -> Flight:
        """A call is asked for."""
        with self._lock:
            self._count += counted
        return Flight(counted)

    def begin(self, flight: Flight) -> None:
        """The thread is there. Raises WithdrawnError if the caller is not any more."""
        with self._lock:
            if flight.withdrawn:
                raise WithdrawnError
            flight.begun = True

    def end(self, flight: Flight) -> None:
        """The call has come back, whatever became of it."""
        with self._lock:
            self._count -= flight.counted

    def withdraw(self, flight: Flight) -> None:
        """The caller waits no longer. What has begun goes on, and is counted."""
        with self._lock:
            if not flight.begun and not flight.withdrawn:
                flight.withdrawn = True
                self._count -= flight.counted
