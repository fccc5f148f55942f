"""Which process is which, and how to end exactly the right ones.

A pid alone says little: the kernel gives it to another process once its owner is gone. So a process
is identified by its pid *and* its start time, and a signal goes through a pidfd that is opened
before the identity is checked: it then reaches that process or none.

Every process of a sandbox carries the sandbox's id in its environment from its first moment on, so
that all can be found by that mark, also one whose starter died before it wrote anything down.
"""

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "AWSBATCH_SANDBOX_ID"
PROC = Path("/proc")
_LOOKS, _LOOK_SECONDS = 20, 0.001
_STATE, _SESSION, _THREADS, _START = (
    0,
    3,
    17,
    19,
)  # fields of /proc/<pid>/stat behind the command's name


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for all time since the machine started."""

    pid: int
    start_ticks: int  # clock ticks since boot


@dataclass(frozen=True, slots=True)
class Seen:
    """A living process as /proc shows it."""

    identity: Identity
    session: int


def look(pid: int) -> Seen | None:
    """The process that has this pid now; None if there is none, or only its zombie."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name stands in parentheses and may hold spaces and parentheses itself.
    fields = stat[stat.rindex(")") + 1 :].split()
    # A process whose first thread has ended shows that thread's state, also while others live on.
    if fields[_STATE] in {"Z", "X"} and int(fields[_THREADS]) <= 1:
        return None
    return Seen(Identity(pid, int(fields[_START])), int(fields[_SESSION]))


def alive(identity: Identity) -> bool:
    """Whether that very process still runs."""
    seen = look(identity.pid)
    return seen is not None and seen.identity == identity


def marked(sandbox_id: str) -> list[Identity]:
    """All processes that carry the sandbox's id in their environment."""
    wanted = f"{MARK}={sandbox_id}".encode()
    return [seen.identity for seen in _all() if wanted in _environment(seen.identity)]


def session(number: int) -> list[Identity]:
    """All living processes of a session.

    A session has the pid of the process that opened it; the number is nobody else's as long as
    that process lives, or is dead and its parent has not waited for it yet. The parts start their
    helpers (the simulator its jobs) in groups of their own, which stay in the session.
    """
    return [seen.identity for seen in _all() if seen.session == number]


def families(identities: Iterable[Identity]) -> list[Identity]:
    """Those of these session leaders that still live, each with everything in its session."""
    found: list[Identity] = []
    for identity in identities:
        members = session(identity.pid)
        # Alive after the listing: then the number meant this session all the time.
        if alive(identity):
            found += members
    return found


def end(identities: Iterable[Identity], *, grace_seconds: float) -> None:
    """Ask these processes to end, and kill those that still run after the grace time.

    Returns when none of them runs any more. With no grace time they are killed at once.
    """
    handles = {fd: identity for identity in identities if (fd := _open(identity)) is not None}
    try:
        if grace_seconds > 0:
            _send(handles, signal.SIGTERM)
            _wait(handles, grace_seconds)
        _send(handles, signal.SIGKILL)
        _wait(handles, None)
    finally:
        for fd in handles:
            os.close(fd)


def signal_each(identities: Iterable[Identity], number: signal.Signals) -> None:
    """Send a signal to exactly these processes, to those that still run."""
    handles = [fd for identity in identities if (fd := _open(identity)) is not None]
    try:
        _send(handles, number)
    finally:
        for fd in handles:
            os.close(fd)


def wait_for_one(identities: Iterable[Identity], seconds: float) -> None:
    """Return when one of these processes has ended, or when the time is up."""
    handles = [_open(identity) for identity in identities]
    try:
        if None not in handles:
            _poll(fd for fd in handles if fd is not None).poll(seconds * 1000)
    finally:
        for fd in handles:
            if fd is not None:
                os.close(fd)


def _all() -> Iterator[Seen]:
    own = os.getpid()
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != own:
            seen = look(int(entry.name))
            if seen is not None:
                yield seen


def _environment(identity: Identity) -> list[bytes]:
    """The environment a process was started with; empty where we may not look: not ours then.

    While a process takes on another program it has none for a moment: one that a part has just
    started would be missed, and left behind. So what has a program and no environment is looked at
    again. Few things really have none.
    """
    place = PROC / str(identity.pid)
    try:
        for _ in range(_LOOKS):
            text = (place / "environ").read_bytes()
            if text:
                break
            (place / "exe").readlink()  # OSError: the kernel's own processes have none
            wait_for_one((identity,), _LOOK_SECONDS)
        return text.split(b"\0")
    except OSError:
        return []


def _open(identity: Identity) -> int | None:
    """A pidfd of that very process; None if it is gone."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return None
    if alive(identity):
        return fd
    os.close(fd)
    return None


def _send(handles: Iterable[int], number: signal.Signals) -> None:
    for fd in handles:
        try:
            signal.pidfd_send_signal(fd, number)
        except ProcessLookupError:  # it ended meanwhile, which is what we want
            continue


def _wait(handles: Iterable[int], seconds: float | None) -> None:
    """Wait until all have ended; a pidfd becomes readable then."""
    deadline = None if seconds is None else time.monotonic() + seconds
    waiting = set(handles)
    poller = _poll(waiting)
    while waiting:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return
        for fd, _ in poller.poll(None if left is None else left * 1000):
            poller.unregister(fd)
            waiting.discard(fd)


def _poll(handles: Iterable[int]) -> select.poll:
    """A pidfd becomes readable when its process has ended."""
    poller = select.poll()
    for fd in handles:
        poller.register(fd, select.POLLIN)
    return poller
