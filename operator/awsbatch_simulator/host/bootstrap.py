"""Boots one host in a root of its own and throws it away. A program, not a module to import.

It reads a JSON order from standard input. What the boot prints goes to standard output, the
console; what came of it goes as JSON to the descriptor named in the argument.

The host is a user, mount, process, network, IPC and host name namespace. Its root is a tmpfs of
limited size; of the machine it sees /usr, read-only, and five devices. The machine's own root is
detached (`pivot_root`), so that there is no way back to it. Run by root, it is the user `nobody`
outside of the namespace. When the process that ordered it dies, all of it is killed.

Standard library only: it is started with `python -I -S`, without any environment.
"""

import contextlib
import ctypes
import ctypes.util
import json
import os
import resource
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 32, 4096, 16384, 1 << 18, 2
CLONE = {"user": 1 << 28, "mount": 1 << 17, "pid": 1 << 29, "net": 1 << 30, "ipc": 1 << 27,
         "uts": 1 << 26}  # fmt: skip
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NOBODY = 65534
ROOT = "/tmp"  # noqa: S108 - where the new root is mounted, in a mount namespace of its own
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", "USER": "root",
}  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom")
GUARDED = ("sys", "irq", "bus", "fs", "sysrq-trigger")  # of /proc
LARGEST_REPORT = 262_144  # bytes of calls, and of each file that is reported
libc = ctypes.CDLL(None, use_errno=True)


class Stuck(Exception):  # noqa: N818 - it is told as a word
    """The boot goes no further; its argument says why."""


def main() -> None:
    """Make the namespaces, then boot in them."""
    report = int(sys.argv[1])
    order = json.load(sys.stdin)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != order["parent"]:  # it died before the kernel knew what to tell us
        return
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        enter(ready[1], go[0], order, report)
    os.close(ready[1])
    os.close(go[0])
    if os.read(ready[0], 1):
        map_users(child)
        os.write(go[1], b"1")
    os.waitpid(child, 0)


def map_users(child: int) -> None:
    """Root inside is nobody outside, where we may choose, and ourselves where we may not."""
    chosen = NOBODY if os.getuid() == 0 else os.getuid()
    group = NOBODY if os.getuid() == 0 else os.getgid()
    place = Path(f"/proc/{child}")
    (place / "setgroups").write_text("deny")
    (place / "uid_map").write_text(f"0 {chosen} 1")
    (place / "gid_map").write_text(f"0 {group} 1")


def enter(ready: int, go: int, order: dict[str, Any], report: int) -> None:
    """In the child: become root of the namespaces; the first process of them boots."""
    trouble = "the namespaces were refused"
    with contextlib.suppress(OSError):
        check(libc.unshare(CLONE["user"]), "a user namespace")
        os.write(ready, b"1")
        os.read(go, 1)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of the user forgets it
        others = sum(flag for name, flag in CLONE.items() if name != "user")
        check(libc.unshare(others), "the other namespaces")
        trouble = ""
    if trouble:
        tell(report, {"trouble": trouble})
        os._exit(1)
    first = os.fork()
    if first == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else scripts could not open /dev/console
        try:
            tell(report, boot(order))
        except OSError as error:
            tell(report, {"trouble": f"{error.strerror}: {error.filename or ''}"})
        os._exit(0)
    os.waitpid(first, 0)
    os._exit(0)


def check(result: int, what: str) -> None:
    """Raise OSError if a call of libc has failed."""
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    result = libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode())
    check(result, target)


def bind(source: str, target: str, *, readonly: bool = False) -> None:
    """The same tree or file at another place; flags that the source has must stay."""
    mount(source, target, "", MS_BIND | MS_REC)
    if readonly:
        kept = os.statvfs(target).f_flag & 0xE  # nosuid, nodev, noexec
        mount("", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def build(order: dict[str, Any]) -> None:
    """The new root, and into it; of the old one nothing is left."""
    mount("", "/", "", MS_REC | MS_PRIVATE)
    mount("tmpfs", ROOT, "tmpfs", 6, f"size={order['rootMib']}m,nr_inodes=32768,mode=755")
    os.chdir(ROOT)
    for name in ("usr", "etc/alternatives"):
        if Path("/", name).is_dir():
            Path(".host", name).mkdir(parents=True)
            bind(f"/{name}", f"{ROOT}/.host/{name}", readonly=True)
    for name in ("usr", "usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin", "dev/shm"):
        Path(name).mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(".host/usr"):
        if entry.name not in {"bin", "sbin", "local"}:
            os.symlink(f"/.host/usr/{entry.name}", f"usr/{entry.name}")
    for name in ("bin", "sbin"):
        for tool in os.listdir(f".host/usr/{name}"):
            os.symlink(f"/.host/usr/{name}/{tool}", f"usr/{name}/{tool}")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if name in {"bin", "sbin", "lib"} or Path("/", name).exists():
            os.symlink(f"usr/{name}", name)
    for name in DEVICES:
        Path("dev", name).touch()
        bind(f"/dev/{name}", f"{ROOT}/dev/{name}")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"dev/{name}")
    os.symlink("/proc/self/fd", "dev/fd")
    os.symlink("/proc/1/fd/1", "dev/console")
    Path("proc").mkdir()
    with contextlib.suppress(OSError):  # some containers do not allow it
        mount("proc", f"{ROOT}/proc", "proc", 14)
        for name in GUARDED:
            if Path("proc", name).exists():
                bind(f"{ROOT}/proc/{name}", f"{ROOT}/proc/{name}", readonly=True)
    number = PIVOT_ROOT[os.uname().machine]
    check(libc.syscall(number, b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "the old root")
    os.chdir("/")


def furnish(order: dict[str, Any]) -> None:
    """What an image has: files, and the commands that stand in for those of a host."""
    for name in order["directories"]:
        Path(name).mkdir(parents=True, exist_ok=True)
    Path("/tmp").chmod(0o1777)  # noqa: S108 - of the new root
    if Path("/.host/etc/alternatives").is_dir():
        os.symlink("/.host/etc/alternatives", "/etc/alternatives")
    for path, content in order["files"].items():
        write({"path": path, "content": content, "mode": 0o644, "append": False})
    for name, content in order["shims"].items():
        path = Path("/usr/sbin", name)
        if not path.is_symlink():
            path = Path("/usr/bin", name)
        path.unlink(missing_ok=True)
        write({"path": str(path), "content": content, "mode": 0o755, "append": False})
    os.mkfifo("/run/simulator/never")
    libc.sethostname(b"localhost", 9)


def boot(order: dict[str, Any]) -> dict[str, Any]:
    """The first boot; what came of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1})
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    end = time.monotonic() + order["seconds"]
    build(order)
    furnish(order)
    ended, failed = "", []
    try:
        for step in order["steps"]:
            if not perform(step, order, end):
                failed.append(step["name"])
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
    match step["do"]:
        case "say":
            say(step["text"])
        case "record":
            say(f"{' '.join(step['call'])}: not done, only recorded")
            with Path("/run/simulator/calls").open("a", encoding="utf-8") as calls:
                calls.write("\x1f".join(step["call"]) + "\x1e")
        case "write":
            try:
                write(step)
            except OSError as error:
                say(f"Failed to write {step['path']}: {error.strerror}")
        case "run":
            return run(step, order, end)
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
        os.execve(path, [path], ENVIRONMENT | order["environment"])
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
    for name in os.listdir("/proc"):
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
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with Path(path).open("rb") as file:
            return file.read(LARGEST_REPORT).decode("utf-8", "replace")
    except OSError:
        return ""


def say(text: str) -> None:
    """A line on the console."""
    os.write(1, f"cloud-init: {text}\n".encode())


def tell(report: int, outcome: dict[str, Any]) -> None:
    """What came of the boot."""
    with os.fdopen(os.dup(report), "w", encoding="utf-8") as file:
        json.dump(outcome, file)


if __name__ == "__main__":
    main()
