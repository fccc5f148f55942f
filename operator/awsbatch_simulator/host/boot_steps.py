"""The steps of a boot, once the root is there. Part of the program `bootstrap.py`.

Standard library only, as all that the program imports.
"""

import contextlib
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", "USER": "root",
}  # fmt: skip
SETTLE_SECONDS = 0.5
LARGEST_REPORT = 262_144  # bytes of calls, and of each file that is reported


class Stuck(Exception):  # noqa: N818 - it is told as a word
    """The boot goes no further; its argument says why."""


def furnish(order: dict[str, Any]) -> None:
    """What an image has: files, and the commands that stand in for those of a host."""
    for name in order["directories"]:
        Path(name).mkdir(parents=True, exist_ok=True)
    Path("/tmp").chmod(0o1777)  # noqa: S108 - of the new root
    if Path("/.host/etc/alternatives").is_dir():
        Path("/etc/alternatives").symlink_to("/.host/etc/alternatives")
    for path, content in order["files"].items():
        write({"path": path, "content": content, "mode": 0o644, "append": False})
    for name, content in order["shims"].items():
        path = Path("/usr/sbin", name)
        if not path.is_symlink():
            path = Path("/usr/bin", name)
        path.unlink(missing_ok=True)
        write({"path": str(path), "content": content, "mode": 0o755, "append": False})
    os.mkfifo("/run/simulator/never")


def boot(order: dict[str, Any]) -> dict[str, Any]:
    """The first boot; what came of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1})
    end = time.monotonic() + order["seconds"]
    furnish(order)
    ended = ""
    failed: list[str] = []
    try:
        failed.extend(
            step.get("name", step["do"]) for step in order["steps"] if not perform(step, order, end)
        )
        settle(time.monotonic() + SETTLE_SECONDS)
    except Stuck as stuck:
        ended = str(stuck)
        say(ended)
    calls = reading("/run/simulator/calls").split("\x1e")
    return {
        "stuck": ended,
        "failed": failed,
        "calls": [call.split("\x1f") for call in calls if call],
        "files": {path: reading(path) for path in order["reported"]},
        "readsMetadata": Path("/run/simulator/metadata-was-read").exists(),
        "readsClock": Path("/run/simulator/clock-was-read").exists(),
    }


def perform(step: dict[str, Any], order: dict[str, Any], end: float) -> bool:
    """One step; whether it went well."""
    try:
        match step["do"]:
            case "say":
                say(step["text"])
            case "record":
                say(f"{' '.join(step['call'])}: not done, only recorded")
                with Path("/run/simulator/calls").open("a", encoding="utf-8") as calls:
                    calls.write("\x1f".join(step["call"]) + "\x1e")
            case "write":
                write(step)
            case "run":
                return run(step, order, end)
    except (OSError, ValueError) as error:  # a path that cannot be, a full disk
        say(f"Failed to do {step['do']} {step.get('path', '')!a}: {error}")
        return False
    return True


def write(step: dict[str, Any]) -> None:
    """A file, with the directories that it needs."""
    path = Path("/", step["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if step["append"] else "w", encoding="utf-8") as file:
        file.write(step["content"])
    path.chmod(step["mode"])


def run(step: dict[str, Any], order: dict[str, Any], end: float) -> bool:
    """A script, until it ends; what it has left in the background goes on."""
    write(step | {"mode": 0o700, "append": False})
    child = os.fork()
    if child == 0:
        become(step["path"], order)
    status = wait(child, end)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        say(f"Failed to run {step['name']}: exit code {code if code >= 0 else 128 - code}")
    return code == 0


def become(path: str, order: dict[str, Any]) -> None:
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
    """The script's wait status. Raises Stuck when it waits for what can never be, or too long."""
    blocked = False
    while True:
        got = signal.sigtimedwait({signal.SIGCHLD, signal.SIGUSR1}, 0.05 if blocked else 0.5)
        blocked = blocked or (got is not None and got.si_signo == signal.SIGUSR1)
        if (status := reaped(child)) is not None:
            return status
        if time.monotonic() > end:
            raise Stuck("The boot takes too long; the simulator gives it up")
        if blocked and got is None and idle(child):
            raise Stuck("The boot hangs: a script waits for a service that waits for the script")


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


def idle(child: int) -> bool:
    """Whether the script sleeps and nothing runs but what leads to a command that is blocked."""
    parents, opening = {}, set()
    for name in (entry.name for entry in Path("/proc").iterdir()):
        if name.isdigit() and name != "1":
            with contextlib.suppress(OSError, ValueError, IndexError):
                about = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
                parents[int(name)] = int(about[1])
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
                if about[0] == "S" and any(b"systemctl" in word or word.endswith(
                    (b"/service", b"/start", b"/restart")) for word in words):  # fmt: skip
                    opening.add(int(name))
    explained = set()
    for pid in opening:
        while pid in parents:
            explained.add(pid)
            pid = parents[pid]  # noqa: PLW2901 - up the tree
    return not parents or (child in explained and set(parents) == explained)


def reading(path: str) -> str:
    """A regular file's content, cut where it is too long; empty if there is none."""
    try:
        if not Path(path).is_file():
            return ""
        with Path(path).open("rb") as file:
            return file.read(LARGEST_REPORT).decode("utf-8", "replace")
    except OSError:
        return ""


def say(text: str) -> None:
    """A line on the console."""
    os.write(1, f"cloud-init: {text}\n".encode())
