"""Volumes, partitions and file systems: what changes them.

Source: EC2 User Guide "Device names for volumes on Amazon EC2 instances" and "Make an Amazon EBS
volume available for use": on Nitro the kernel numbers the disks in its own order, and links with
the names of the block device mapping lead there; on Xen they have those names.
"""

import re

from awsbatch_simulator.host.guest.machine import (
    GIB,
    OK,
    Answer,
    Disk,
    FileSystem,
    Guest,
    Mounted,
    fail,
    option,
    plain,
)

EFI_BYTES, SPARE = 10 << 20, 2 << 20
ROOT_UUID, EFI_UUID = "6d0a1b7e-5c1f-4f0c-9d4e-2a1c3b5d7f90", "0F2A-6B1C"
_VALUED = frozenset(
    {"-t", "--types", "-o", "--options", "-L", "-U", "-b", "-m", "-i", "-n", "-d", "-l", "-s", "-E",
     "-O", "-I", "-N", "--label", "--source", "--target"}
)  # fmt: skip


def attach(guest: Guest) -> None:
    """The disks of the machine, with their device files and links, and the root mounted."""
    for index, volume in enumerate(guest.about["volumes"]):
        mapping = str(volume["device"])
        name = f"nvme{index}n1" if guest.about["nitro"] else _xen(mapping)
        disk = Disk(name, int(volume["gib"]) * GIB, mapping, str(volume["id"]))
        if (made := guest.about["fileSystems"].get(mapping)) is not None and index:
            disk.file_system = FileSystem(**made)
        guest.disks.append(disk)
        if not index:
            _root(guest, disk)
    for disk in guest.disks:
        _show(guest, disk)


def _xen(mapping: str) -> str:
    return re.sub(r"^sd", "xvd", mapping.removeprefix("/dev/"))


def _root(guest: Guest, disk: Disk) -> None:
    """Its partitions, grown at each boot by cloud-init."""
    part = f"{disk.name}p" if disk.name.startswith("nvme") else disk.name
    size = disk.size - EFI_BYTES - SPARE
    root = FileSystem("xfs", ROOT_UUID, "/", size)
    efi = FileSystem("vfat", EFI_UUID, "", EFI_BYTES)
    guest.disks.append(Disk(f"{part}1", size, parent=disk.name, file_system=root))
    guest.disks.append(Disk(f"{part}128", EFI_BYTES, parent=disk.name, file_system=efi))
    guest.mounted.append(Mounted(f"/dev/{part}1", "/", "xfs", "rw,noatime,seclabel"))
    guest.mounted.append(Mounted(f"/dev/{part}128", "/boot/efi", "vfat", "rw,noatime"))


def _show(guest: Guest, disk: Disk) -> None:
    """Ordinary files stand for devices: `test -e` finds them, `test -b` does not."""
    device = guest.path(f"/dev/{disk.name}")
    device.parent.mkdir(parents=True, exist_ok=True)
    device.touch()
    if disk.mapping and disk.mapping != f"/dev/{disk.name}":
        _link(guest, disk.mapping, disk.name)
    if disk.serial and guest.about["nitro"]:
        serial = disk.serial.replace("-", "")
        _link(guest, f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial}", disk.name)
    refresh(guest, disk)


def refresh(guest: Guest, disk: Disk) -> None:
    """The links by UUID and label."""
    if (made := disk.file_system) is not None:
        _link(guest, f"/dev/disk/by-uuid/{made.uuid}", disk.name)
        if made.label and "/" not in made.label:
            _link(guest, f"/dev/disk/by-label/{made.label}", disk.name)


def _link(guest: Guest, name: str, target: str) -> None:
    link = guest.path(name)
    link.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * (name.count("/") - 2)
    link.unlink(missing_ok=True)
    link.symlink_to(f"{up}{target}")


def found(guest: Guest, word: str) -> Disk | None:
    """The disk or partition of a device's name, of one of its links, or of UUID=… and LABEL=…."""
    key, given, value = word.partition("=")
    value = value.strip('"')
    for disk in guest.disks:
        made = disk.file_system
        names = {f"/dev/{disk.name}", disk.name, disk.mapping, _xen_path(disk.mapping)}
        if made is not None:
            names |= {f"/dev/disk/by-uuid/{made.uuid}", f"/dev/disk/by-label/{made.label}"}
            if given and (key, value) in {("UUID", made.uuid), ("LABEL", made.label)}:
                return disk
        if disk.serial:
            serial = disk.serial.replace("-", "")
            names.add(f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial}")
        if word in names - {"", "/dev/disk/by-label/"}:
            return disk
    return None


def _xen_path(mapping: str) -> str:
    return f"/dev/{_xen(mapping)}" if mapping else ""


def mkfs(guest: Guest, words: list[str]) -> Answer:
    """mkfs.KIND, and `mkfs -t KIND`. A device with something on it needs -f (xfs)."""
    name = guest.called
    kind = name.partition(".")[2] or option(words, "-t", "--type") or "ext2"
    devices = plain(words, _VALUED)
    if not devices:
        return fail(f"{name}: no device given")
    disk = found(guest, devices[0])
    if disk is None:
        return fail(f"{devices[0]}: No such file or directory")
    if any(each.source == f"/dev/{disk.name}" for each in guest.mounted):
        return fail(f"{name}: {devices[0]} contains a mounted filesystem")
    if disk.file_system is not None and kind == "xfs" and "-f" not in words:
        said = f"{devices[0]} appears to contain an existing filesystem ({disk.file_system.kind})."
        return fail(f"{name}: {said}\n{name}: Use the -f option to force overwrite.")
    disk.file_system = FileSystem(kind, guest.uuid(), option(words, "-L"), disk.size)
    refresh(guest, disk)
    return Answer(out=f"{kind} on {devices[0]}, UUID {disk.file_system.uuid}\n")


def ebsnvme_id(guest: Guest, words: list[str]) -> Answer:
    """The volume and the device name that an NVMe disk stands for."""
    disk = found(guest, (plain(words) or [""])[0])
    if disk is None or not disk.mapping:
        return fail("[ERROR] Not an EBS device")
    told = {"-b": disk.mapping.removeprefix("/dev/"), "-v": f"Volume ID: {disk.serial}"}
    return Answer(out="".join(f"{text}\n" for flag, text in told.items() if flag in words))


def wipefs(guest: Guest, words: list[str]) -> Answer:
    """`wipefs -a DEVICE`."""
    disk = found(guest, (plain(words, _VALUED) or [""])[0])
    if disk is not None and {"-a", "--all"} & set(words):
        disk.file_system = None
    return OK


def growpart(guest: Guest, words: list[str]) -> Answer:
    """The root's partition has been grown by cloud-init; there is no other."""
    rest = plain(words)
    disk = found(guest, rest[0]) if rest else None
    if disk is None:
        return fail(f"FAIL: failed to get start and end for {rest[0] if rest else ''}", 2)
    return Answer(1, out="NOCHANGE: partition 1 could only be grown by 0\n")


def grow(guest: Guest, words: list[str]) -> Answer:
    """xfs_growfs by mount point (or device), resize2fs by device: up to the volume's size."""
    rest = plain(words, frozenset({"-D", "-m"}))
    place = rest[0] if rest else ""
    source = next((each.source for each in guest.mounted if each.target == place), place)
    disk = found(guest, source)
    if disk is None or disk.file_system is None:
        return fail(f"{guest.called}: {place} is not a mounted XFS filesystem")
    disk.file_system.size = disk.size
    return OK
