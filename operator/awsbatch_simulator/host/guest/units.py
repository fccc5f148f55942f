"""systemctl and its like: units by the links that systemd has of them, as they go into images.

`enable` and `mask` make the links that systemd makes, `--runtime` below /run. Which unit files
there are is not known for all packages, so a unit that nobody has heard of counts as disabled.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from awsbatch_simulator.host.guest.machine import OK, Answer, Guest, fail, option, plain, unglued

ETC, RUN = "/etc/systemd/system", "/run/systemd/system"
DEFAULT_TARGET = "multi-user.target"
# Enabled in the ECS-optimized image. Source: aws/amazon-ecs-ami, scripts/enable-services.sh.
ENABLED = (
    *("ecs.service", "docker.service", "containerd.service", "amazon-ssm-agent.service"),
    *("sshd.service", "chronyd.service", "amazon-ecs-volume-plugin.service", "docker.socket"),
)
RUNNING = ("network.target", "network-online.target", "cloud-final.service", "multi-user.target")
WAITING = ("ecs.service",)  # for the end of cloud-init
_ENDINGS = (".service", ".socket", ".target", ".timer", ".mount", ".path", ".slice", ".automount")
_NOT_UNITS = frozenset({"-p", "--property", "-t", "--type", "-n", "--lines", "-o", "--output",
                        "--state", "-H", "-M", "-s", "--signal", "--kill-who"})  # fmt: skip


def unit(name: str) -> str:
    """A unit's whole name."""
    return name if name.endswith(_ENDINGS) else f"{name}.service"


def enabled(guest: Guest) -> list[str]:
    """The units that the next boot starts, masked ones included."""
    return sorted({link.name for link in _wants(guest)})


def _wants(guest: Guest) -> list[Path]:
    """The links of enabled units; they may lead nowhere, for not all unit files are here."""
    place = guest.path(ETC)
    return [*place.glob("*.wants/*"), *place.glob("*.requires/*")]


def masked(guest: Guest, place: str = ETC) -> list[str]:
    """The units that are masked."""
    try:
        entries = sorted(guest.path(place).iterdir())
    except OSError:
        return []
    return [each.name for each in entries if _is_mask(each)]


def _is_mask(path: Path) -> bool:
    return path.is_symlink() and str(path.readlink()) == "/dev/null"


def start_boot(guest: Guest) -> None:
    """What runs when user data does."""
    hidden = {*masked(guest), *WAITING}
    guest.active |= {name for name in enabled(guest) if name not in hidden} | set(RUNNING)


def systemctl(guest: Guest, words: list[str]) -> Answer:
    """All of systemctl that a script asks for; other verbs are written down and succeed."""
    words = unglued(words, "ptnosHM")
    rest = plain(words, _NOT_UNITS)
    verb, named = (rest[0] if rest else ""), [unit(each) for each in rest[1:]]
    answering = _VERBS.get(verb)
    return OK if answering is None else answering(guest, words, named)


def _is_enabled(guest: Guest, words: list[str], units: list[str]) -> Answer:
    return _told(words, [_enablement(guest, each) for each in units], "enabled", 1)


def _is_active(guest: Guest, words: list[str], units: list[str]) -> Answer:
    return _told(words, [_activity(guest, each) for each in units], "active", 3)


def _is_failed(guest: Guest, words: list[str], units: list[str]) -> Answer:
    return _told(words, [_activity(guest, each) for each in units], "failed", 1)


def _is_system_running(_guest: Guest, words: list[str], _units: list[str]) -> Answer:
    return _told(words, ["starting"], "running", 1)


def _status(guest: Guest, _words: list[str], units: list[str]) -> Answer:
    states = [_activity(guest, each) for each in units]
    told = "".join(f"{one}: {state}\n" for one, state in zip(units, states, strict=True))
    return Answer(0 if set(states) <= {"active"} else 3, out=told)


def _stop(guest: Guest, _words: list[str], units: list[str]) -> Answer:
    guest.active -= set(units)
    return OK


def _off(guest: Guest, _words: list[str], _units: list[str]) -> Answer:
    guest.off = True
    return OK


def _restart(guest: Guest, _words: list[str], _units: list[str]) -> Answer:
    guest.off = guest.restarts = True
    return OK


def _told(words: list[str], states: list[str], good: str, code: int) -> Answer:
    """One state a line, unless it is to be quiet; it succeeds if one of the units is in it."""
    quiet = bool({"-q", "--quiet"} & set(words))
    out = "" if quiet else "".join(f"{each}\n" for each in states)
    return Answer(0 if good in states else code, out=out)


def _enablement(guest: Guest, name: str) -> str:
    if name in masked(guest):
        return "masked"
    if name in masked(guest, RUN):
        return "masked-runtime"
    return "enabled" if name in enabled(guest) else "disabled"


def _activity(guest: Guest, name: str) -> str:
    return "active" if name in guest.active else "inactive"


def _shown(guest: Guest, words: list[str], units: list[str]) -> Answer:
    wanted = option(words, "-p", "--property").split(",")
    lines = []
    for each in units or [""]:
        about = {
            "Id": each,
            "LoadState": "masked" if _enablement(guest, each).startswith("masked") else "loaded",
            "ActiveState": _activity(guest, each),
            "SubState": "running" if each in guest.active else "dead",
            "UnitFileState": _enablement(guest, each),
            "Result": "success",
        }
        for key, value in about.items():
            if wanted in ([""], [key]) or key in wanted:
                lines.append(value if "--value" in words else f"{key}={value}")
    return Answer(out="".join(f"{line}\n" for line in lines))


def _enable(guest: Guest, words: list[str], units: list[str]) -> Answer:
    said = ""
    for each in units:
        if each in masked(guest) or each in masked(guest, RUN):
            return fail(f"Failed to enable unit: Unit file {ETC}/{each} is masked.")
        text = guest.read(f"{ETC}/{each}")
        for target in re.findall(r"^WantedBy=(.+)$", text, re.MULTILINE) or [DEFAULT_TARGET]:
            for one in target.split():
                link = guest.path(f"{ETC}/{one}.wants/{each}")
                if link.is_symlink():
                    continue
                source = f"{ETC if text else '/usr/lib/systemd/system'}/{each}"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source)
                said += f"Created symlink {ETC}/{one}.wants/{each} → {source}.\n"
    answer = Answer(err=said)
    return _started(guest, answer, words, units) if "--now" in words else answer


def _disable(guest: Guest, words: list[str], units: list[str]) -> Answer:
    said = ""
    for link in _wants(guest):
        if link.name in units:
            link.unlink()
            said += f'Removed "{ETC}/{link.parent.name}/{link.name}".\n'
    if "--now" in words:
        guest.active -= set(units)
    return Answer(err=said)


def _mask(guest: Guest, words: list[str], units: list[str]) -> Answer:
    said, place = "", _place(words)
    for each in units:
        path = guest.path(f"{place}/{each}")
        if _is_mask(path):
            continue
        if path.exists():
            return fail(f"Failed to mask unit: File '{place}/{each}' already exists.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
        said += f"Created symlink {place}/{each} → /dev/null.\n"
    if "--now" in words:
        guest.active -= set(units)
    return Answer(err=said)


def _unmask(guest: Guest, words: list[str], units: list[str]) -> Answer:
    said, place = "", _place(words)
    for each in units:
        path = guest.path(f"{place}/{each}")
        if _is_mask(path):
            path.unlink()
            said += f'Removed "{place}/{each}".\n'
    return Answer(err=said)


def _place(words: list[str]) -> str:
    return RUN if "--runtime" in words else ETC


def _start(guest: Guest, words: list[str], units: list[str]) -> Answer:
    return _started(guest, OK, words, units)


def _started(guest: Guest, before: Answer, words: list[str], units: list[str]) -> Answer:
    """A start of ecs or docker that waits: both come after cloud-init, so it never ends."""
    if before.code:
        return before
    for each in units:
        if each in masked(guest) or each in masked(guest, RUN):
            return fail(f"Failed to start {each}: Unit {each} is masked.")
    waits = {"ecs.service", "docker.service", "docker.socket"} & set(units)
    if waits and "--no-block" not in words:
        last = min(waits).removesuffix(".service")
        said = f"systemctl: waiting for {last}, which waits for the end of cloud-init\n"
        return Answer(err=said, then="never")
    guest.active |= set(units) - set(WAITING)
    return before


_VERBS: Mapping[str, Callable[[Guest, list[str], list[str]], Answer]] = MappingProxyType(
    {
        "is-enabled": _is_enabled,
        "is-active": _is_active,
        "is-failed": _is_failed,
        "is-system-running": _is_system_running,
        "show": _shown,
        "status": _status,
        **dict.fromkeys(("enable", "reenable"), _enable),
        "disable": _disable,
        "mask": _mask,
        "unmask": _unmask,
        **dict.fromkeys(("start", "restart", "try-restart", "reload-or-restart"), _start),
        **dict.fromkeys(("stop", "kill"), _stop),
        **dict.fromkeys(("poweroff", "halt"), _off),
        **dict.fromkeys(("reboot", "kexec"), _restart),
    }
)


def required_mounts(guest: Guest) -> list[str]:
    """Paths without whose mounts ecs.service does not start (RequiresMountsFor in its drop-ins)."""
    found: list[str] = []
    for path in sorted(guest.path(f"{ETC}/ecs.service.d").glob("*.conf")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for line in re.findall(r"^RequiresMountsFor=(.+)$", text, re.MULTILINE):
            found += [each.strip('"') for each in line.split()]
    return found


def service(guest: Guest, words: list[str]) -> Answer:
    """`service ecs stop`, and upstart's `stop ecs`."""
    if guest.called == "service":
        return systemctl(guest, [*words[1:2], *words[:1], *words[2:]])
    return systemctl(guest, [guest.called, *words])
