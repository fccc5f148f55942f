"""What is mounted: by commands, by systemd from fstab when a host boots, by cloud-config."""

from collections.abc import Callable, Iterable

from awsbatch_simulator.host.guest.disks import found
from awsbatch_simulator.host.guest.machine import (
    OK,
    Answer,
    Guest,
    Mounted,
    fail,
    option,
    plain,
    unglued,
)

FSTAB = "/etc/fstab"
NETWORK = frozenset({"efs", "nfs", "nfs4", "lustre", "s3files", "cifs", "fuse.s3fs"})
VIRTUAL = frozenset({"tmpfs", "proc", "sysfs", "devpts", "cgroup2", "overlay", "none", "swap"})
# Of a line of cloud-config's `mounts` that has less.
_CLOUD_DEFAULTS = ("", "", "auto", "defaults,nofail,x-systemd.requires=cloud-init.service")
_VALUED = frozenset({"-t", "--types", "-o", "--options", "-L", "-U", "--source", "--target"})


class EmergencyError(Exception):
    """The boot ends in emergency mode; the text is what the console says."""


def detach(guest: Guest) -> None:
    """The host restarts: of what was mounted the root is there again, with its EFI partition."""
    del guest.mounted[2:]


def mount(guest: Guest, words: list[str]) -> Answer:
    """`mount`, `mount -a`, `mount TARGET`, `mount SOURCE TARGET`."""
    words = unglued(words, "toLU")
    rest = plain(words, _VALUED)
    if "-a" in words or "--all" in words:
        answers = [_entry(guest, each) for each in entries(guest) if not _is_mounted(guest, each)]
        bad = [each for each in answers if each.code]
        return Answer(32 if bad else 0, err="".join(each.err for each in bad))
    if not rest:
        lines = (f"{one.source} on {one.target} type {one.kind} ({one.options})\n"
                 for one in guest.mounted)  # fmt: skip
        return Answer(out="".join(lines))
    if len(rest) == 1:
        known = [each for each in entries(guest) if rest[0].rstrip("/") in each[:2]]
        if not known:
            return fail(f"mount: {rest[0]}: can't find in /etc/fstab.")
        return _entry(guest, known[0])
    options = option(words, "-o", "--options") or "rw,relatime"
    kind = option(words, "-t", "--types")
    if {"--bind", "-B", "--rbind"} & set(words) or "bind" in options.split(","):
        kind = "none"
    return _entry(guest, [rest[0], rest[1], kind or "auto", options])


def entries(guest: Guest) -> list[list[str]]:
    """fstab: source, target, kind and options of each line that is to be mounted."""
    lines = (line.split("#", 1)[0].split() for line in guest.read(FSTAB).splitlines())
    rows = [[*line, "defaults"][:4] for line in lines if len(line) >= 3]  # noqa: PLR2004
    return [
        [row[0], row[1].rstrip("/") or "/", row[2], row[3]]
        for row in rows
        if row[2] != "swap" and "noauto" not in row[3].split(",")
    ]


def _is_mounted(guest: Guest, entry: list[str]) -> bool:
    return any(each.target == entry[1] for each in guest.mounted)


def _entry(guest: Guest, entry: list[str]) -> Answer:
    """Mount one thing. Network file systems are there unless a fault says otherwise."""
    source, target, kind, options = entry
    target = target.rstrip("/") or "/"
    if not guest.path(target).is_dir():
        return fail(f"mount: {target}: mount point does not exist.", 32)
    if kind in NETWORK | VIRTUAL or (kind == "auto" and ":" in source):
        guest.mounted.append(Mounted(source, target, "nfs4" if kind == "efs" else kind, options))
        return OK
    disk = found(guest, source)
    if disk is None:
        return fail(f"mount: {target}: special device {source} does not exist.", 32)
    if disk.file_system is None:
        said = f"wrong fs type, bad option, bad superblock on {source}, missing codepage"
        return fail(f"mount: {target}: {said} or helper program, or other error.", 32)
    if kind not in {"auto", disk.file_system.kind}:
        return fail(f"mount: {target}: wrong fs type, bad option, bad superblock on {source}.", 32)
    if "x-systemd.growfs" in options.split(","):
        disk.file_system.size = disk.size
    guest.mounted.append(Mounted(f"/dev/{disk.name}", target, disk.file_system.kind, options))
    return OK


def umount(guest: Guest, words: list[str]) -> Answer:
    """By target or source."""
    for word in plain(words, frozenset({"-t", "-O"})):
        disk = found(guest, word)
        names = {word.rstrip("/") or "/"} | ({f"/dev/{disk.name}"} if disk else set())
        gone = [each for each in guest.mounted if {each.target, each.source} & names]
        if not gone:
            return fail(f"umount: {word}: not mounted.", 32)
        guest.mounted.remove(gone[-1])
    return OK


def at_boot(
    guest: Guest, mounts: Iterable[list[str]], mounting: Callable[[list[str]], Answer]
) -> None:
    """What systemd mounts of fstab. Raises EmergencyError where a local one cannot be.

    Source: systemd.mount(5): without `nofail` local-fs.target requires it, and its failure starts
    emergency.target; network file systems are wanted by remote-fs.target, which may fail.
    """
    for entry in mounts:
        if _is_mounted(guest, entry):
            continue
        guest.path(entry[1]).mkdir(parents=True, exist_ok=True)
        answer = mounting(entry)
        options = entry[3].split(",")
        if answer.code and not {"nofail", "_netdev"} & set(options) and entry[2] not in NETWORK:
            raise EmergencyError(
                f"[DEPEND] Dependency failed for {entry[1]}: {answer.err.strip()}\n"
                "You are in emergency mode"
            )


def cloud_mount(guest: Guest, words: list[str]) -> None:
    """One of cloud-config's `mounts`: a line of fstab, and mounted if it can be.

    cloud-init leaves out a device that is not there.
    """
    source, target, kind, options = (*words, *_CLOUD_DEFAULTS[len(words) :])[:4]
    if not target or (kind not in NETWORK and ":" not in source and found(guest, source) is None):
        return
    guest.path(target).mkdir(parents=True, exist_ok=True)
    line = f"{source} {target} {kind} {options},comment=cloudconfig 0 2\n"
    guest.write(FSTAB, guest.read(FSTAB) + line)
    _entry(guest, [source, target, kind, options])


def mount_entry(guest: Guest, entry: list[str]) -> Answer:
    """What systemd does for a line of fstab; a fault of `mount` strikes it too."""
    words = ["-t", entry[2], "-o", entry[3], entry[0], entry[1]]
    for fault in guest.faults:
        if fault.strikes("mount", words):
            return fail(fault.words, fault.code)
    return _entry(guest, entry)
