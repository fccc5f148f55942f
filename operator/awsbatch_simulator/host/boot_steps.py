"""The steps of a boot, once the root is there. Part of the program `bootstrap.py`.

Standard library only, as all that the program imports.
"""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from awsbatch_simulator.host import root_files
from awsbatch_simulator.host.boot_processes import (
    OURS,
    SETTLE_SECONDS,
    Off,
    Stuck,
    end_all,
    run_timer,
    settle,
    start,
    wait,
)
from awsbatch_simulator.host.guest import (
    cloud,
    containers,
    desk,
    disks,
    fresh,
    kernel,
    mounts,
    packages,
    power,
    units,
)
from awsbatch_simulator.host.guest.commands import call
from awsbatch_simulator.host.guest.machine import CommandFault, Guest

LATER = b"\x1d"  # GS: what follows on the console comes when the timer has run down
LARGEST_REPORT = 262_144  # bytes of each file that is reported
MOST_BOOTS = 4
SCRIPTS = "/var/lib/cloud/scripts"
ONCE = "/var/lib/cloud/sem/config_scripts_per_once.once"


@dataclasses.dataclass(slots=True)
class Boot:
    """One boot. `lock` is held by whoever changes the guest."""

    order: dict[str, Any]
    guest: Guest
    end: float  # monotonic seconds; then it is given up
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    ran: set[str] = dataclasses.field(default_factory=set)  # paths of scripts


def furnish(order: dict[str, Any]) -> None:
    """What every image has: files, and the commands that stand in for those of a host."""
    for name in order["directories"]:
        Path(name).mkdir(parents=True, exist_ok=True)
    Path("/tmp").chmod(0o1777)  # noqa: S108 - of the new root
    if Path("/.host/etc/alternatives").is_dir():
        Path("/etc/alternatives").symlink_to("/.host/etc/alternatives")
    for path, content in (order["files"] | fresh.FILES).items():
        write({"path": path, "content": content, "mode": 0o644, "append": False})
    for path, target in fresh.LINKS.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).symlink_to(target)
    for name, content in order["shims"].items():
        path = Path("/usr/sbin", name)
        if not path.is_symlink():
            path = Path("/usr/bin", name)
        path.unlink(missing_ok=True)
        write({"path": str(path), "content": content, "mode": 0o755, "append": False})


def boot(order: dict[str, Any]) -> dict[str, Any]:
    """The first boot; what came of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    guest = Guest(order["guest"], faults=[CommandFault(**each) for each in order["faults"]])
    this = Boot(order, guest, time.monotonic() + order["seconds"])
    furnish(order)
    before = root_files.look()
    root_files.lay(order["baked"]["files"], order["baked"]["removed"])
    desk.furnish()
    ended = ""
    required = units.required_mounts(guest)
    try:
        disks.attach(guest)
        mounts.at_boot(guest, mounts.entries(guest), lambda entry: mounts.mount_entry(guest, entry))
        cloud.begin(guest)
        units.start_boot(guest)
        desk.open_for(guest, this.lock)
        go_through(this)
    except Stuck as stuck:
        ended = str(stuck)
        say(ended)
    except mounts.EmergencyError as error:
        ended = str(error).rpartition("\n")[2]
        os.write(1, f"{error}\n".encode())
    with this.lock:
        told = report(this, ended, before) | {"unmounted": unmounted(guest, required)}
        guest.silent = True
    command, _ = power.switching_off(guest.calls)
    if command and not guest.off:
        os.write(1, LATER)
        run_timer(command, order)
    return told


def unmounted(guest: Guest, required: list[str]) -> list[str]:
    """Places of fstab that ecs.service needs, and where nothing is mounted."""
    there = {each.target for each in guest.mounted}
    return [
        target
        for _, target, _, _ in mounts.entries(guest)
        if target not in there and any(f"{path}/".startswith(f"{target}/") for path in required)
    ]


def go_through(this: Boot) -> None:
    """All steps; after a restart those of each boot. Raises Stuck where it restarts for ever."""
    guest, steps = this.guest, this.order["steps"]
    for _ in range(MOST_BOOTS):
        perform_all(steps, this)
        if not guest.restarts:
            return
        with this.lock:
            come_up_again(guest)
        this.ran.clear()
        steps = [step for step in steps if step.get("each")]
    raise Stuck("The host restarts again and again; the simulator gives it up")


def perform_all(steps: list[dict[str, Any]], this: Boot) -> None:
    """As long as the host is not switched off."""
    for step in steps:
        try:
            if not perform(step, this):
                this.guest.failed.append(step.get("name", step["do"]))
        except Off:
            pass
        if this.guest.off:
            end_all(this.guest)
            return
    settle(time.monotonic() + SETTLE_SECONDS)


def come_up_again(guest: Guest) -> None:
    """After a restart: memory is empty, and the kernel has its new arguments."""
    for entry in Path("/run").iterdir():
        if entry.name != "simulator":
            root_files.clear(entry)
    guest.off = guest.restarts = guest.ending = False
    guest.last = guest.elapsed = 0.0
    guest.about = {**guest.about, "kernelArguments": kernel.arguments(guest)}
    Path("/run/simulator/proc/cmdline").write_text(
        kernel.command_line(guest.about["kernelArguments"]), encoding="utf-8"
    )
    guest.record(power.RESTARTED)
    say("The host restarts")
    mounts.detach(guest)
    mounts.at_boot(guest, mounts.entries(guest), lambda entry: mounts.mount_entry(guest, entry))
    cloud.begin(guest)
    guest.active.clear()
    units.start_boot(guest)


def report(this: Boot, ended: str, before: root_files.Look) -> dict[str, Any]:
    """What the boot has left."""
    guest = this.guest
    systems = {
        disk.mapping: disk.file_system.stored()
        for disk in guest.disks
        if disk.mapping and disk.file_system is not None
    }
    disk = root_files.differences(before) | {
        "fileSystems": systems,
        "packages": sorted(packages.installed(guest)),
        "kernelArguments": kernel.arguments(guest),
        "containerImages": sorted(containers.pulled(guest)),
        "enabled": units.enabled(guest),
        "masked": units.masked(guest),
    }
    return {
        "stuck": ended,
        "failed": guest.failed,
        "calls": guest.calls,
        "files": {path: reading(path) for path in this.order["reported"]},
        "readsMetadata": Path("/run/simulator/metadata-was-read").exists(),
        "readsClock": Path("/run/simulator/clock-was-read").exists(),
        "disk": disk,
        "struck": {fault.id: [fault.seen, fault.struck] for fault in guest.faults if fault.seen},
    }


def perform(step: dict[str, Any], this: Boot) -> bool:
    """One step; whether it went well. Raises Stuck and Off."""
    try:
        match step["do"]:
            case "say":
                say(step["text"])
            case "record":
                return record(step["call"], this)
            case "write":
                write(step)
            case "run":
                return run(step, this)
            case "scripts":
                return scripts(step["when"], this)
    except (OSError, ValueError) as error:  # a path that cannot be, a full disk
        say(f"Failed to do {step['do']} {step.get('path', '')!a}: {error}")
        return False
    return True


def record(words: list[str], this: Boot) -> bool:
    """A command of cloud-init's own."""
    say(f"{' '.join(words)}: not done, only recorded")
    with this.lock:
        if words[0] == "mount":
            mounts.cloud_mount(this.guest, words[1:])
            return True
        answer = call(this.guest, words)
    if answer.code:
        say(f"Failed to run {' '.join(words)}: {answer.err.strip()}")
    return not answer.code


def write(step: dict[str, Any]) -> None:
    """A file, with the directories that it needs."""
    path = Path("/", step["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if step["append"] else "w", encoding="utf-8") as file:
        file.write(step["content"])
    path.chmod(step["mode"])


def run(step: dict[str, Any], this: Boot) -> bool:
    """A script, until it ends; what it has left in the background goes on."""
    this.ran.add(step["path"])
    if step.get("once") and Path(ONCE).exists():
        say(f"{step['name']} has run once already")
        return True
    write(step | {"mode": 0o700, "append": False})
    return run_file(step["name"], step["path"], this)


def run_file(name: str, path: str, this: Boot) -> bool:
    """The same, of a file that is there."""
    code = os.waitstatus_to_exitcode(wait(start(path, this.order), this.end))
    if code != 0:
        say(f"Failed to run {name}: exit code {code if code >= 0 else 128 - code}")
    return code == 0


def scripts(when: str, this: Boot) -> bool:
    """What lies in one of cloud-init's directories and has not run in this boot, by name."""
    if when == "per-once" and Path(ONCE).exists():
        return True
    place = Path(SCRIPTS, when)
    found = sorted(place.iterdir()) if place.is_dir() else []
    mine = [each for each in found if str(each) not in this.ran and os.access(each, os.X_OK)]
    results = [run_file(each.name, str(each), this) for each in mine]
    if when == "per-once":
        write({"path": ONCE, "content": "", "mode": 0o644, "append": False})
    return all(results)


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
