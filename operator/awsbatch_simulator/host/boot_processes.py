"""The processes of a boot: how a script runs, ends, hangs or is ended. Part of `bootstrap.py`."""

import contextlib
import os
import resource
import shlex
import signal
import time
from pathlib import Path
from typing import Any

from awsbatch_simulator.host.guest.machine import Guest

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", "USER": "root",
}  # fmt: skip
OURS = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2}
SETTLE_SECONDS = 0.5
TERM_SECONDS = 5.0  # real; to end in good order, and for what a timer runs
LOOK_SECONDS, STILL_LOOKS = 0.05, 4
HANGS = "The boot hangs: a script waits for what never comes"
LAST_SECONDS = 1.0  # real; what a script may still do after it has switched its host off


class Stuck(Exception):  # noqa: N818 - it is told as a word
    """The boot goes no further; its argument says why."""


class Off(Exception):  # noqa: N818 - it is told as a word
    """The host has been switched off."""


def start(path: str, order: dict[str, Any]) -> int:
    """A script in a process of its own."""
    child = os.fork()
    if child == 0:
        _become(path, order)
    return child


def _become(path: str, order: dict[str, Any]) -> None:
    """In the child: turn into the script. Never returns."""
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(1, 2)
        for name, value in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execve(path, [path], ENVIRONMENT | order["environment"])  # noqa: S606 - it is the purpose
    except OSError as error:
        os.write(1, f"{path}: {error.strerror}. Missing #! in script?\n".encode())
    finally:
        os._exit(126)


def wait(child: int, end: float) -> int:
    """The script's wait status.

    Raises Stuck when it waits for what can never be, or too long; Off when it switches its host
    off. It waits for what can never be when a command has said so, and nothing moves any more.
    """
    blocked, still = False, 0
    before: dict[int, tuple[str, str, str]] = {}
    while True:
        got = signal.sigtimedwait(OURS, LOOK_SECONDS if blocked else 0.5)
        number = None if got is None else got.si_signo
        if number == signal.SIGUSR2:
            raise Off
        blocked = blocked or number == signal.SIGUSR1
        if (status := reaped(child)) is not None:
            return status
        if time.monotonic() > end:
            raise Stuck("The boot takes too long; the simulator gives it up")
        if blocked:
            now = _processes()
            asleep = now == before and all(each[0] == "S" for each in now.values())
            before, still = now, still + 1 if asleep else 0
            if still >= STILL_LOOKS:
                raise Stuck(HANGS)


def end_all(guest: Guest) -> None:
    """As systemd does at a shutdown: after a moment all are asked to end, and then made to."""
    calm_down(LAST_SECONDS)
    guest.ending = True
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.kill(-1, number)
        calm_down(TERM_SECONDS)


def calm_down(seconds: float) -> None:
    """Wait, at most so long, until all have ended or nothing moves any more."""
    end, still, before = time.monotonic() + seconds, 0, _processes()
    while before and still < STILL_LOOKS and time.monotonic() < end:
        settle(time.monotonic() + LOOK_SECONDS)
        now = _processes()
        asleep = now == before and all(each[0] == "S" for each in now.values())
        before, still = now, still + 1 if asleep else 0


def run_timer(command: list[str], order: dict[str, Any]) -> None:
    """What a timer would run that switches the host off, for what it says on the console."""
    path = "/run/simulator/timer"
    Path(path).write_text(f"#!/bin/sh\n{shlex.join(command)}\n", encoding="utf-8")
    Path(path).chmod(0o700)
    child, end = start(path, order), time.monotonic() + TERM_SECONDS
    while reaped(child) is None and time.monotonic() < end:
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)


def settle(end: float) -> None:
    """Let what is in the background end by itself, such as a `tee` that still writes a log."""
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                signal.sigtimedwait({signal.SIGCHLD}, 0.05)
        except ChildProcessError:
            return


def reaped(child: int) -> int | None:
    """Collect all that have ended; the wait status of the script if it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status


def _processes() -> dict[int, tuple[str, str, str]]:
    """State and CPU times of all but the first."""
    found = {}
    for name in (entry.name for entry in Path("/proc").iterdir()):
        if name.isdigit() and name != "1":
            with contextlib.suppress(OSError, ValueError, IndexError):
                about = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
                found[int(name)] = about[0], about[11], about[12]
    return found
