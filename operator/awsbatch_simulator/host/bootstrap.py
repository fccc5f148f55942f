"""Boots one host in a root of its own and throws it away. A program: nothing else imports it.

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
import signal
import sys
from pathlib import Path
from typing import Any

from awsbatch_simulator.host.boot_steps import boot

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 32, 4096, 16384, 1 << 18, 2
CLONE = {"user": 1 << 28, "mount": 1 << 17, "pid": 1 << 29, "net": 1 << 30, "ipc": 1 << 27,
         "uts": 1 << 26}  # fmt: skip
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NOBODY = 65534
ROOT = "/tmp"  # noqa: S108 - where the new root is mounted, in a mount namespace of its own
DEVICES = ("null", "zero", "full", "random", "urandom")
GUARDED = ("sys", "irq", "bus", "fs", "sysrq-trigger")  # of /proc
libc = ctypes.CDLL(None, use_errno=True)


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
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            build(order)
            libc.sethostname(b"localhost", 9)
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
    """The system call of that name. Raises OSError."""
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
    show_programs()
    show_devices()
    show_memory(order)
    Path("proc").mkdir()
    with contextlib.suppress(OSError):  # some containers do not allow it
        mount("proc", f"{ROOT}/proc", "proc", 14)
        for name in GUARDED:
            if Path("proc", name).exists():
                bind(f"{ROOT}/proc/{name}", f"{ROOT}/proc/{name}", readonly=True)
        for name in order["proc"]:
            bind(f"{ROOT}/run/simulator/proc/{name}", f"{ROOT}/proc/{name}", readonly=True)
    number = PIVOT_ROOT[os.uname().machine]
    check(libc.syscall(number, b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "the old root")
    os.chdir("/")


def link(path: str, target: str) -> None:
    """A symbolic link."""
    Path(path).symlink_to(target)


def show_programs() -> None:
    """The machine's /usr, read-only; its programs one by one, so that ours can take their place."""
    for name in ("usr", "etc/alternatives"):
        if Path("/", name).is_dir():
            Path(".host", name).mkdir(parents=True)
            bind(f"/{name}", f"{ROOT}/.host/{name}", readonly=True)
    for name in ("usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin"):
        Path(name).mkdir(parents=True)
    for entry in Path(".host/usr").iterdir():
        if entry.name not in {"bin", "sbin", "local"}:
            link(f"usr/{entry.name}", f"/.host/usr/{entry.name}")
    for name in ("bin", "sbin"):
        for tool in os.listdir(f".host/usr/{name}"):  # noqa: PTH208 - there are thousands
            os.symlink(f"/.host/usr/{name}/{tool}", f"usr/{name}/{tool}")  # noqa: PTH211
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if Path("/usr", name).exists():
            link(name, f"usr/{name}")


def show_devices() -> None:
    """The harmless devices; the console is our standard output."""
    Path("dev/shm").mkdir(parents=True)
    for name in DEVICES:
        Path("dev", name).touch()
        bind(f"/dev/{name}", f"{ROOT}/dev/{name}")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        link(f"dev/{name}", f"/proc/self/fd/{number}")
    link("dev/fd", "/proc/self/fd")
    link("dev/console", "/proc/1/fd/1")


def show_memory(order: dict[str, Any]) -> None:
    """/run, which is memory and never full of what fills the disk; and what /proc and /sys say."""
    for name in ("run", "sys"):
        Path(name).mkdir()
    mount("tmpfs", f"{ROOT}/run", "tmpfs", 6, "size=64m,nr_inodes=8192,mode=755")
    told = {f"run/simulator/proc/{name}": text for name, text in order["proc"].items()}
    for name, text in (told | order["sys"]).items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def tell(report: int, outcome: dict[str, Any]) -> None:
    """What came of the boot."""
    with os.fdopen(os.dup(report), "w", encoding="utf-8") as file:
        json.dump(outcome, file)
