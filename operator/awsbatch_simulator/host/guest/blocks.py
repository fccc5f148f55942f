"""What lsblk, blkid, df, findmnt and mountpoint say of disks and mounts."""

import json
import os
from itertools import pairwise

from awsbatch_simulator.host.guest import disks, mounts
from awsbatch_simulator.host.guest.machine import (
    Answer,
    Disk,
    Guest,
    Mounted,
    fail,
    option,
    plain,
    unglued,
)

_UNITS = "BKMGTP"
_LSBLK = ("NAME", "MAJ:MIN", "RM", "SIZE", "RO", "TYPE", "MOUNTPOINTS")
_LSBLK_FS = ("NAME", "FSTYPE", "FSVER", "LABEL", "UUID", "FSAVAIL", "FSUSE%", "MOUNTPOINTS")
_FINDMNT = ("TARGET", "SOURCE", "FSTYPE", "OPTIONS")
_DF_HEADS = {
    "source": "Filesystem",
    "fstype": "Type",
    "used": "Used",
    "avail": "Avail",
    "pcent": "Use%",
    "target": "Mounted on",
}
_SIZE_HEADS = {1: "1B-blocks", 1024: "1K-blocks", 1 << 20: "1M-blocks", 1 << 30: "1G-blocks"}
_DF = ("source", "size", "used", "avail", "pcent", "target")


def human(size: int) -> str:
    """As lsblk writes a size: 30G, 10M, 1.5T."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - binary units
        value, unit = value / 1024, unit + 1
    text = f"{value:.1f}".removesuffix(".0")
    return f"{text}{_UNITS[unit]}"


def lsblk(guest: Guest, words: list[str]) -> Answer:
    """All disks or those that are named, with their partitions."""
    words = unglued(words, "oeIx")
    short = _short(words)
    columns = _columns(option(words, "-o", "--output"), _LSBLK_FS if "f" in short else _LSBLK)
    named = plain(words, frozenset({"-o", "--output", "-e", "-I", "-x", "--sort"}))
    chosen = [disks.found(guest, each) for each in named]
    for each, disk in zip(named, chosen, strict=True):
        if disk is None:
            return fail(f"lsblk: {each}: not a block device", 32)
    tops = [one for one in chosen if one] or [one for one in guest.disks if not one.parent]
    flat = "d" in short or "--nodeps" in words
    shown = [
        each for top in tops for each in (top, *([] if flat else _parts(guest, top)))
    ]  # fmt: skip
    size_bytes = "b" in short or "--bytes" in words
    paths = "p" in short or "--paths" in words
    rows = [_row(guest, each, plain_bytes=size_bytes, paths=paths) for each in shown]
    if "J" in short or "--json" in words:
        found = [{key.lower(): row.get(key) or None for key in columns} for row in rows]
        return Answer(out=json.dumps({"blockdevices": found}, indent=3) + "\n")
    if "P" in short or "--pairs" in words:
        return Answer(out="".join(_pairs(row, columns) for row in rows))
    return _table(rows, columns, words)


def _short(words: list[str]) -> str:
    return "".join(each[1:] for each in words if each[:1] == "-" and each[:2] != "--")


def _columns(given: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.strip().upper() for each in given.split(",")) if given else usual


def _parts(guest: Guest, top: Disk) -> list[Disk]:
    return [each for each in guest.disks if each.parent == top.name]


def _row(guest: Guest, disk: Disk, *, plain_bytes: bool, paths: bool) -> dict[str, str]:
    made = disk.file_system
    targets = [each.target for each in guest.mounted if each.source == f"/dev/{disk.name}"]
    return {
        "NAME": f"/dev/{disk.name}" if paths else disk.name,
        "KNAME": disk.name,
        "PATH": f"/dev/{disk.name}",
        "PKNAME": disk.parent,
        "MAJ:MIN": f"259:{guest.disks.index(disk)}",
        "RM": "0",
        "RO": "0",
        "ROTA": "0",
        "SIZE": str(disk.size) if plain_bytes else human(disk.size),
        "TYPE": "part" if disk.parent else "disk",
        "FSTYPE": made.kind if made else "",
        "LABEL": made.label if made else "",
        "UUID": made.uuid if made else "",
        "MOUNTPOINT": targets[0] if targets else "",
        "MOUNTPOINTS": targets[0] if targets else "",
        "MODEL": "" if disk.parent else "Amazon Elastic Block Store",
        "SERIAL": disk.serial.replace("-", ""),
    }


def _pairs(row: dict[str, str], columns: tuple[str, ...]) -> str:
    return " ".join(f'{key}="{row.get(key, "")}"' for key in columns) + "\n"


def _table(rows: list[dict[str, str]], columns: tuple[str, ...], words: list[str]) -> Answer:
    short = _short(words)
    lines = [] if "n" in short or "--noheadings" in words else [list(columns)]
    lines += [[row.get(key, "") for key in columns] for row in rows]
    if "r" in short or "--raw" in words:
        return Answer(out="".join(" ".join(line).rstrip() + "\n" for line in lines))
    widths = [max((len(line[at]) for line in lines), default=0) for at in range(len(columns))]
    padded = (
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return Answer(out="".join(f"{line}\n" for line in padded))


def blkid(guest: Guest, words: list[str]) -> Answer:
    """By devices, `-L LABEL`, `-U UUID`; nothing found is exit code 2."""
    words = unglued(words, "socLUt")
    for flag, key in (("-L", "LABEL"), ("--label", "LABEL"), ("-U", "UUID"), ("--uuid", "UUID")):
        if value := option(words, flag):
            disk = disks.found(guest, f"{key}={value}")
            return Answer(2) if disk is None else Answer(out=f"/dev/{disk.name}\n")
    valued = frozenset({"-s", "--match-tag", "-o", "--output", "-c", "-t"})
    named = plain(words, valued)
    token = option(words, "-t", "--match-token")
    wanted = [disks.found(guest, each) for each in named] if named else list(guest.disks)
    if token:
        wanted = [disks.found(guest, token)]
    tags = [word for flag, word in pairwise(words) if flag in {"-s", "--match-tag"}]
    form = option(words, "-o", "--output")
    lines = []
    for disk in wanted:
        if disk is None or (made := disk.file_system) is None:
            continue
        pairs = {"LABEL": made.label, "UUID": made.uuid, "TYPE": made.kind}
        pairs = {key: value for key, value in pairs.items() if value and (not tags or key in tags)}
        match form:
            case "value":
                lines += list(pairs.values())
            case "export":
                lines += [f"DEVNAME=/dev/{disk.name}", *(f"{k}={v}" for k, v in pairs.items()), ""]
            case "device":
                lines.append(f"/dev/{disk.name}")
            case _:
                told = " ".join(f'{key}="{value}"' for key, value in pairs.items())
                lines.append(f"/dev/{disk.name}: {told}")
    return Answer(0 if lines else 2, out="".join(f"{line}\n" for line in lines))


def df(guest: Guest, words: list[str]) -> Answer:
    """Mounted file systems; the root is as full as the boot's own root is."""
    words = unglued(words, "Btx")
    short = _short(words)
    columns = tuple(option(words, "--output").split(",")) if _given(words, "--output") else _DF
    if "T" in short or "--print-type" in words:
        columns = ("source", "fstype", *_DF[1:])
    given = "M" if "-m" in words else option(words, "-B", "--block-size")
    unit = {"1": 1, "M": 1 << 20, "G": 1 << 30}.get(given.removeprefix("1") or given[:1], 1024)
    places = plain(words, frozenset({"-B", "-t", "-x"}))
    chosen = [_holding(guest, each) for each in places] if places else list(guest.mounted)
    for each in places:
        if not guest.path(each).exists():
            return fail(f"df: {each}: No such file or directory")
    rows = [_usage(guest, each, unit, readable="h" in short) for each in chosen]
    heads = _DF_HEADS | {"size": _SIZE_HEADS.get(unit, "Size")}
    lines = [[heads.get(key, key) for key in columns]]
    lines += [[row.get(key, "-") for key in columns] for row in rows]
    return Answer(out="".join("  ".join(line) + "\n" for line in lines))


def _given(words: list[str], name: str) -> bool:
    return any(each.startswith(f"{name}=") for each in words)


def _holding(guest: Guest, place: str) -> Mounted:
    """The file system that a path is on."""
    place = place if place.startswith("/") else f"/{place}"
    inside = [
        each
        for each in guest.mounted
        if place == each.target or place.startswith(each.target.rstrip("/") + "/")
    ]
    return max(inside, key=lambda each: len(each.target))


def _usage(guest: Guest, mounted: Mounted, unit: int, *, readable: bool) -> dict[str, str]:
    disk = disks.found(guest, mounted.source)
    size = disk.file_system.size if disk and disk.file_system else 8 << 60
    share = 0.01
    if mounted.target == "/":
        real = os.statvfs(guest.root)
        share = 1 - real.f_bavail / real.f_blocks if real.f_blocks else 0.01
    used = int(size * share)

    def told(value: int) -> str:
        return human(value) if readable else str(value // unit)

    return {
        "source": mounted.source,
        "fstype": mounted.kind,
        "size": told(size),
        "used": told(used),
        "avail": told(size - used),
        "pcent": f"{round(share * 100)}%",
        "target": mounted.target,
    }


def findmnt(guest: Guest, words: list[str]) -> Answer:
    """What is mounted; with --verify whether fstab could be."""
    if "--verify" in words or "-x" in words:
        return _verified(guest)
    words = unglued(words, "otSTM")
    columns = _columns(option(words, "-o", "--output"), _FINDMNT)
    valued = frozenset({"-o", "--output", "-t", "--types"})
    rest = plain([each for each in words if each not in {"-S", "-T", "-M"}], valued)
    source, target = option(words, "-S", "--source"), option(words, "--target", "--mountpoint")
    disk = disks.found(guest, source) if source else None
    wanted = {f"/dev/{disk.name}" if disk else source, target, *rest} - {""}
    kinds = option(words, "-t", "--types").split(",")
    rows = [
        {
            "SOURCE": each.source,
            "TARGET": each.target,
            "FSTYPE": each.kind,
            "OPTIONS": each.options,
            **_identity(guest, each),
        }
        for each in guest.mounted
        if (not wanted or {each.source, each.target} & wanted)
        and (kinds == [""] or each.kind in kinds)
    ]
    if "-T" in words and not rows and rest:
        there = _holding(guest, rest[0])
        rows = [{"SOURCE": there.source, "TARGET": there.target, "FSTYPE": there.kind,
                 "OPTIONS": there.options, **_identity(guest, there)}]  # fmt: skip
    if not rows:
        return Answer(1)
    if "J" in _short(words) or "--json" in words:
        found = [{key.lower(): row.get(key) or None for key in columns} for row in rows]
        return Answer(out=json.dumps({"filesystems": found}, indent=3) + "\n")
    return _table(rows, columns, words)


def _identity(guest: Guest, mounted: Mounted) -> dict[str, str]:
    disk = disks.found(guest, mounted.source)
    made = disk.file_system if disk else None
    return {"UUID": made.uuid, "LABEL": made.label, "SIZE": human(made.size)} if made else {}


def _verified(guest: Guest) -> Answer:
    said = []
    for source, target, kind, _ in mounts.entries(guest):
        if not guest.path(target).is_dir():
            said.append(f"{target}\n   [E] unreachable on boot required target: No such file")
        if kind not in mounts.NETWORK | mounts.VIRTUAL and disks.found(guest, source) is None:
            said.append(f"{target}\n   [E] unreachable on boot required source: {source}")
    if said:
        lines = "\n".join(said)
        return Answer(1, out=f"{lines}\n\n0 parse errors, {len(said)} errors, 0 warnings\n")
    return Answer(out="Success, no errors or warnings detected\n")


def mountpoint(guest: Guest, words: list[str]) -> Answer:
    """Whether something is mounted there."""
    place = (plain(words) or [""])[0]
    there = any(each.target == (place.rstrip("/") or "/") for each in guest.mounted)
    if {"-q", "--quiet"} & set(words):
        return Answer(int(not there))
    return Answer(int(not there), out=f"{place} is {'' if there else 'not '}a mountpoint\n")
