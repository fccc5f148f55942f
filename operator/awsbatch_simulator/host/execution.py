"""Runs boots: `bootstrap.py` as a process, bounded in time, memory, disk and output."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from awsbatch_simulator.host import baking
from awsbatch_simulator.host.baking import BakedRoot
from awsbatch_simulator.host.console import CONSOLE_BYTES
from awsbatch_simulator.host.guest import fresh, kernel
from awsbatch_simulator.host.outcome import BAKED_CONFIG, CONFIG, Outcome, not_queued
from awsbatch_simulator.host.plan import Plan
from awsbatch_simulator.host.shims import shims
from awsbatch_simulator.hosting import Hosts

REPORT_BYTES = 4_194_304
GRACE_SECONDS = 5.0  # for a boot that should have given itself up
CHUNK = 65_536
PATIENCE = 0.25  # share of a boot's real seconds that a `timeout` lets something work
PROCESSES, LARGEST_FILE, OPEN_FILES = 2048, 64 << 20, 1024
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[2]); "
    "from awsbatch_simulator.host.bootstrap import main; main()"
)
_SOURCES = Path(__file__).parents[2]
_IMAGE = {  # of ECS's own Amazon Linux image, as far as scripts ask for it
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n"
    "ec2-user:x:1000:1000::/home/ec2-user:/bin/bash\n",
    "/etc/group": "root:x:0:\ndocker:x:991:ec2-user\nec2-user:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/hostname": "localhost\n",
    "/etc/fstab": "",
    "/etc/os-release": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\n'
    'VERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023"\n',
    "/etc/system-release": "Amazon Linux release 2023 (Amazon Linux)\n",
    "/etc/resolv.conf": "",
    "/etc/sysconfig/docker": 'OPTIONS="--default-ulimit nofile=32768:65536"\n',
    CONFIG: "",
}
_DIRECTORIES = (
    *("/root", "/home/ec2-user", "/run/simulator", "/run/lock", "/tmp", "/var/tmp", "/var/log"),  # noqa: S108
    *("/var/lib/ecs/data", "/var/lib/cloud"),
    *("/etc/ecs", "/etc/docker", "/etc/systemd/system", "/etc/profile.d", "/etc/cron.d"),
    *("/etc/ssh", "/var/log/ecs", "/boot/efi", "/boot/loader/entries", "/var/lib/docker"),
    *("/opt", "/srv", "/mnt", "/media", "/var/cache", "/var/spool", "/usr/local/lib"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """One boot: what it does, when, and what its metadata service says."""

    plan: Plan
    instance_id: str
    now: float  # simulated epoch seconds
    metadata: Mapping[str, str]  # by path below /latest
    settings: Hosts
    machine: Mapping[str, Any] = field(default_factory=lambda: fresh.MACHINE)
    baked: BakedRoot | None = None  # what its image has
    faults: tuple[Mapping[str, Any], ...] = ()  # of commands, see `machine.written`

    @property
    def runs(self) -> bool:
        """Whether a process is needed to tell what comes of it: the image may have scripts too."""
        return self.plan.runs or self.baked is not None


def execute(order: Order) -> Outcome:
    """Boot, and wait for the end of it. Raises OSError where no namespaces are to be had."""
    readable, writable = os.pipe()
    try:
        process = _started(writable)
    finally:
        os.close(writable)
    with os.fdopen(readable, "rb") as report:
        try:
            console, told = _conversation(process, report, order)
        finally:
            _kill(process)
    return _outcome(console, told, order)


def _started(report: int) -> "subprocess.Popen[bytes]":
    """With nothing of our environment and no other files of ours, in a session of its own."""
    return subprocess.Popen(  # noqa: S603 - our own program; what it runs is in its order
        [sys.executable, "-I", "-S", *_compiling(), "-c", _PROGRAM, str(report), str(_SOURCES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={},
        pass_fds=(report,),
        start_new_session=True,
    )


def _compiling() -> list[str]:
    """Options for keeping compiled code as we do: each boot would compile its program."""
    prefix = sys.pycache_prefix
    return [
        *(["-B"] if sys.dont_write_bytecode else []),
        *(["-X", f"pycache_prefix={prefix}"] if prefix else []),
    ]


def _conversation(
    process: "subprocess.Popen[bytes]", report: IO[bytes], order: Order
) -> tuple[bytes, bytes]:
    """Give the order; take console and report until both are closed or the time is over."""
    if process.stdin is None or process.stdout is None:
        raise OSError("the boot has no pipes")
    os.fchmod(process.stdout.fileno(), 0o666)  # /dev/console is opened by another user
    try:
        with process.stdin as pipe:
            pipe.write(json.dumps(_written(order)).encode())
    except BrokenPipeError:
        return b"", b""
    kept = {process.stdout.fileno(): b"", report.fileno(): b""}
    limits = {process.stdout.fileno(): CONSOLE_BYTES, report.fileno(): REPORT_BYTES}
    end = time.monotonic() + order.settings.boot_seconds + GRACE_SECONDS
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if chunk := os.read(key.fd, CHUNK):
                    kept[key.fd] = (kept[key.fd] + chunk)[-limits[key.fd] :]
                else:
                    selector.unregister(key.fd)
    return kept[process.stdout.fileno()], kept[report.fileno()]


def _written(order: Order) -> dict[str, Any]:
    settings = order.settings
    patience = settings.boot_seconds * PATIENCE
    metadata = {
        f"/run/simulator/latest/{path}": value for path, value in order.metadata.items() if value
    }
    return {
        "parent": os.getpid(),
        "steps": order.plan.steps,
        "seconds": settings.boot_seconds,
        "rootMib": settings.root_mib,
        "environment": {"INSTANCE_ID": order.instance_id},
        "directories": _DIRECTORIES,
        "files": _IMAGE
        | metadata
        | {
            "/run/simulator/now": str(int(order.now)),
            "/run/simulator/patience": f"{patience}\n",
            "/run/simulator/kernel": f"{kernel.VERSION}\n",
        },
        "shims": shims(),
        "guest": dict(order.machine) | {"instanceId": order.instance_id},
        "baked": baking.written(order.baked),
        "faults": [dict(each) for each in order.faults],
        "proc": {
            "cmdline": kernel.command_line(order.machine["kernelArguments"]),
            "cpuinfo": kernel.cpu_information(order.machine),
        },
        "sys": kernel.processors(order.machine),
        "reported": [CONFIG, BAKED_CONFIG],
        "limits": {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": LARGEST_FILE,
            "RLIMIT_NOFILE": OPEN_FILES,
            "RLIMIT_NPROC": PROCESSES,
            "RLIMIT_AS": settings.process_mib << 20,
            "RLIMIT_CPU": int(settings.boot_seconds) + 1,
        },
    }


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End what is left: the first process of the namespace takes all others with it."""
    if process.poll() is None:
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _outcome(console: bytes, told: bytes, order: Order) -> Outcome:
    text, _, later = console.decode("utf-8", "replace").partition("\x1d")
    try:
        report = json.loads(told)
    except ValueError:
        return Outcome(text, stuck="The boot was killed")
    if trouble := report.get("trouble"):
        raise OSError(f"No namespaces for booting hosts: {trouble}")
    return Outcome(
        console=text,
        later=later,
        unmounted=tuple(report["unmounted"]),
        config=report["files"][CONFIG],
        baked_config=report["files"][BAKED_CONFIG],
        calls=tuple(tuple(call) for call in report["calls"]),
        stuck=report["stuck"],
        failed=tuple(report["failed"]),
        reads_metadata=report["readsMetadata"],
        reads_clock=report["readsClock"],
        disk=baking.read(report["disk"]),
        struck={name: (seen, struck) for name, (seen, struck) in report["struck"].items()},
        not_queued=not_queued(order.baked),
    )


@cache
def trouble() -> str:
    """Why this machine cannot execute user data; empty if it can. It boots an empty host once."""
    try:
        outcome = execute(Order(Plan(()), "i-0", 0.0, {}, Hosts()))
    except OSError as error:
        return str(error)
    return outcome.stuck
