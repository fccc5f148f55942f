"""The difference that a boot makes to its root, and how it is laid over another one.

Part of the program `bootstrap.py`; standard library only.
"""

import base64
import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LARGEST_FILE, LARGEST_ALL, MOST_FILES = 262_144, 1 << 20, 4096  # bytes, bytes, files
# Not on the disk of a host: memory, or made at each boot.
_ELSEWHERE = frozenset({"/.host", "/proc", "/sys", "/dev", "/run", "/tmp"})  # noqa: S108
_PROGRAMS = frozenset({"/usr/bin", "/usr/sbin"})
Look = dict[str, tuple[int, int, int, int]]


def look() -> Look:
    """All files, with what changes when they do.

    The thousands of links to the machine's programs are not looked at; they are known by leading
    out of the root.
    """
    return {
        path: (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)
        for path, found in _walk("/")
    }


def _walk(place: str) -> Iterator[tuple[str, os.stat_result]]:
    programs = place in _PROGRAMS
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if programs and entry.is_symlink() and _leads_out(entry):
                continue
            if entry.path in _ELSEWHERE:
                continue
            found = entry.stat(follow_symlinks=False)
            yield entry.path, found
            if stat.S_ISDIR(found.st_mode):
                yield from _walk(entry.path)


def _leads_out(entry: "os.DirEntry[str]") -> bool:
    return os.readlink(entry.path).startswith("/.host/")  # noqa: PTH115 - there are thousands


def differences(fresh: Look) -> dict[str, Any]:
    """What is there now and was not in `fresh`, or was another; and what is gone."""
    files: dict[str, tuple[int, str]] = {}
    omitted: list[str] = []
    now, room = look(), LARGEST_ALL
    for path in sorted(now):
        mode, size, *_ = now[path]
        if now[path] == fresh.get(path) or (stat.S_ISDIR(mode) and path in fresh):
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            continue
        length = 0 if stat.S_ISDIR(mode) else size
        if length > min(LARGEST_FILE, room) or len(files) >= MOST_FILES:
            omitted.append(path)
            continue
        with contextlib.suppress(OSError):
            files[path] = (mode, base64.b64encode(_content(path, mode)).decode())
            room -= length
    removed = sorted(path for path in fresh if path not in now)
    return {"files": files, "removed": removed, "omitted": omitted[:MOST_FILES]}


def _content(path: str, mode: int) -> bytes:
    if stat.S_ISDIR(mode):
        return b""
    return os.fsencode(Path(path).readlink()) if stat.S_ISLNK(mode) else Path(path).read_bytes()


def lay(files: Mapping[str, tuple[int, str]], removed: list[str]) -> None:
    """Make this root differ so. Raises OSError where it is too small for it."""
    for path in removed:
        clear(Path(path))
    for path in sorted(files):
        mode, encoded = files[path]
        content, place = base64.b64decode(encoded), Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(mode):
            if not place.is_dir():
                clear(place)
                place.mkdir()
            place.chmod(stat.S_IMODE(mode))
            continue
        clear(place)
        if stat.S_ISLNK(mode):
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(stat.S_IMODE(mode))


def clear(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
