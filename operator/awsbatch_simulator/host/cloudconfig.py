"""cloud-config: the members that matter to a container instance.

Sources: cloud-init's documentation, "Merging user-data sections" and "Module reference".
"""

import base64
import binascii
import re
import shlex
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from awsbatch_simulator.host.userdata import LARGEST, Kind, Part

Config = dict[str, Any]
# What is neither done nor recorded changes nothing that an agent could notice.
DONE = ("bootcmd", "write_files", "mounts", "packages", "runcmd", "power_state")


def merged(parts: Iterable[Part]) -> tuple[Config, list[str]]:
    """All cloud-config parts as one, and what was wrong with them.

    Of two parts' members the later one counts as a whole, unless a part says how it is merged.
    """
    whole: Config = {}
    complaints = []
    for part in parts:
        if part.kind is not Kind.CONFIG:
            continue
        try:
            loaded = yaml.safe_load(part.text)
        except (yaml.YAMLError, RecursionError, ValueError):
            complaints.append(f"Failed loading yaml blob of {part.name}; the part is left out")
            continue
        if not isinstance(loaded, dict):
            complaints.append(f"{part.name} is no mapping; the part is left out")
            continue
        how = part.headers.get("merge-type") or loaded.get("merge_how") or loaded.get("merge_type")
        whole = _joined(whole, loaded, _appends(how))
    return whole, complaints


def _appends(how: Any) -> bool:
    """Whether lists are put behind those that came before."""
    if isinstance(how, list):
        return any(
            each.get("name") == "list" and "append" in (each.get("settings") or ())
            for each in how
            if isinstance(each, dict)
        )
    return re.search(r"list\([^)]*append", str(how or "")) is not None


def _joined(before: Config, after: Config, appends: bool) -> Config:  # noqa: FBT001 - of two files
    found = dict(before)
    for name, value in after.items():
        old = found.get(name)
        both = isinstance(old, list) and isinstance(value, list)
        found[str(name)] = [*old, *value] if appends and both and old else value
    return found


def commands(value: Any) -> str:
    """`bootcmd` or `runcmd` as a script: a string is a line, a list a command with its words."""
    lines = ["#!/bin/sh"]
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, list):
            lines.append(shlex.join(str(word) for word in each))
        elif each is not None:
            lines.append(str(each))
    return "\n".join(lines) + "\n"


def files(value: Any) -> Iterator[dict[str, Any]]:
    """`write_files` as steps; those that are deferred have `deferred`."""
    for each in value if isinstance(value, list) else []:
        if not isinstance(each, Mapping) or not isinstance(each.get("path"), str):
            continue
        yield {
            "do": "write",
            "path": each["path"],
            "content": _decoded(each.get("content") or "", str(each.get("encoding") or "")),
            "mode": _mode(each.get("permissions")),
            "append": bool(each.get("append")),
            "deferred": bool(each.get("defer")),
        }


def _decoded(value: Any, encoding: str) -> str:
    """The content; what cannot be decoded is written as it is, as cloud-init does."""
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    form = encoding.lower().strip()
    try:
        if form in {"b64", "base64", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64"}:
            data = base64.b64decode(data)
        if form.startswith(("gz", "gzip")):
            data = zlib.decompressobj(wbits=47).decompress(data, LARGEST)
    except (binascii.Error, zlib.error, ValueError):
        pass
    return data.decode("utf-8", "replace")


def _mode(value: Any) -> int:
    try:
        return int(value, 8) & 0o7777 if isinstance(value, str) else int(value) & 0o7777
    except (TypeError, ValueError):
        return 0o644


def records(config: Config) -> Iterator[dict[str, Any]]:
    """What would change the machine itself, and is only written down."""
    mounts = config.get("mounts")
    for mount in mounts if isinstance(mounts, list) else []:
        words = mount if isinstance(mount, list) else [mount]
        yield _record("mount", *words)
    packages = config.get("packages")
    if isinstance(packages, list) and packages:
        names = (name if isinstance(name, str) else str(name) for name in packages)
        yield _record("dnf", "-y", "install", *names)


def power(config: Config) -> Iterator[dict[str, Any]]:
    """`power_state`, which cloud-init does at the very end."""
    wanted = config.get("power_state")
    if isinstance(wanted, Mapping) and wanted.get("mode") in {"poweroff", "halt"}:
        delay = str(wanted.get("delay") or "now")
        yield _record("shutdown", "-P", delay if delay.startswith(("+", "now")) else f"+{delay}")


def _record(*words: Any) -> dict[str, Any]:
    return {"do": "record", "call": [str(word) for word in words]}
