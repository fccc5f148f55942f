"""Runs one command as the parent of everything that it starts. A program, not a module to import.

It reads a JSON order from standard input, runs the command in a process group of its own, and
writes how it ended as JSON to the descriptor named in its argument. Whatever the command has
started is killed before the supervisor ends: as the subreaper it is the parent of orphans, too.
If the simulator dies, the kernel sends SIGHUP (PR_SET_PDEATHSIG), and everything is killed then.
The job's directory, named in the order, is removed at the end.

Standard library only: it is started with `python -I -S`, without any environment.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# What Python ignores, and what our parent may have us ignore (nohup, a shell's background job); a
# container's first process has nothing ignored.
DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM}
NOT_STARTED = 125


def main() -> None:
    """Run the order and report."""
    report = int(sys.argv[1])
    os.set_inheritable(report, False)  # noqa: FBT003 - it takes no keywords
    order = json.load(sys.stdin)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)
    if os.getppid() == order["parent"]:  # else it died before the kernel knew what to tell us
        outcome = run(order)
    else:
        outcome = {"trouble": "the simulator has died"}
    shutil.rmtree(order["place"], ignore_errors=True)
    with os.fdopen(report, "w", encoding="utf-8") as file:
        json.dump(outcome, file)


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Start the command, wait for its end, and leave nothing behind."""
    readable, writable = os.pipe()  # tells why exec failed; closed by a successful exec
    child = os.fork()
    if child == 0:
        os.close(readable)
        become(order, writable)
    os.close(writable)
    with os.fdopen(readable, encoding="utf-8") as file:
        trouble = file.read()
    status, timed_out = wait(child, order)
    kill_the_rest()
    if trouble:
        return {"trouble": trouble}
    code = os.waitstatus_to_exitcode(status)
    return {"exitCode": code if code >= 0 else 128 - code, "timedOut": timed_out}


def become(order: dict[str, Any], trouble: int) -> None:
    """In the child: turn into the command. Never returns."""
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(1, 2)
        for name, value in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in DEFAULTS:
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606
    except (OSError, ValueError) as error:
        os.write(trouble, f"{type(error).__name__}: {error}".encode()[:200])
    finally:
        os._exit(NOT_STARTED)


def wait(child: int, order: dict[str, Any]) -> tuple[int, bool]:
    """The command's wait status, and whether it ran into the time limit."""
    timed_out = stopping = False
    signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    while True:
        number = signal.sigwait(WATCHED)
        if number == signal.SIGCHLD:
            status = reaped(child)
            if status is not None:
                return status, timed_out
        elif number == signal.SIGTERM and not stopping:
            stopping = True
            send(child, signal.SIGTERM)
            signal.setitimer(signal.ITIMER_REAL, order["stopSeconds"])
        else:
            timed_out = timed_out or (number == signal.SIGALRM and not stopping)
            send(child, signal.SIGKILL)


def reaped(child: int) -> int | None:
    """Collect all that have ended; the wait status of the command if it is among them."""
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


def send(child: int, number: signal.Signals) -> None:
    """Signal the command's whole group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, number)


def kill_the_rest() -> None:
    """Kill whatever descends from us, until nothing does."""
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def descendants(root: int) -> list[int]:
    """All processes below one."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it may have ended meanwhile
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, left = [], [root]
    while left:
        below = parents.get(left.pop(), [])
        found += below
        left += below
    return found


if __name__ == "__main__":
    main()
