"""What came of a boot, and what its recorded calls mean for the host."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from awsbatch_simulator.host.baking import BakedRoot

Call = tuple[str, ...]
CONFIG, BAKED_CONFIG = "/etc/ecs/ecs.config", "/var/lib/ecs/ecs.config"
_KEPT_OUT = "ecs or docker was stopped or masked"
_UNITS = frozenset({"ecs", "docker"})
_OFF = frozenset({"poweroff", "halt"})
_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*([a-z]*)", re.ASCII)
_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
    **dict.fromkeys(("ms", "msec"), 0.001),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a boot has left."""

    console: str
    config: str = ""  # /etc/ecs/ecs.config
    baked_config: str = ""  # /var/lib/ecs/ecs.config
    calls: tuple[Call, ...] = ()
    stuck: str = ""  # why the boot never ended; empty: it did
    failed: tuple[str, ...] = ()  # scripts that ended with an error
    executed: bool = True  # False: interpreted
    reads_metadata: bool = False
    reads_clock: bool = False
    disk: BakedRoot | None = None  # None: not executed, so nothing is known of it
    struck: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # faults: seen, struck
    later: str = ""  # what it prints when a timer switches it off
    unmounted: tuple[str, ...] = ()  # places that ecs.service needs, and that are not mounted
    not_queued: frozenset[str] = frozenset()  # units that the boot was not to start

    @property
    def agent_starts(self) -> bool:
        """Whether ecs.service starts: the boot ended, and nothing keeps it or Docker out."""
        return not self.stuck and not self.unmounted and not _kept_out(self.calls, self.not_queued)


def why_no_agent(outcome: Outcome) -> str:
    """Why ecs.service does not start; empty if it does."""
    if outcome.agent_starts:
        return ""
    if outcome.unmounted and not outcome.stuck:
        return f"ecs.service needs mounts that there are not: {', '.join(outcome.unmounted)}"
    return outcome.stuck or _KEPT_OUT


def not_queued(baked: BakedRoot | None) -> frozenset[str]:
    """What of ecs and docker an image keeps from starting: ecs also where it is not enabled.

    docker starts when ecs does, which requires it.
    """
    if baked is None:
        return frozenset()
    out = {name for name in _UNITS if f"{name}.service" in baked.masked}
    return frozenset(out | (set() if "ecs.service" in baked.enabled else {"ecs"}))


def _kept_out(calls: Iterable[Call], asleep: frozenset[str]) -> bool:
    """The unit was stopped or masked, and not started again; or never asked to start (`asleep`).

    `disable` alone changes nothing of this boot, in which the start is waiting already; nor does
    `unmask` of what was masked when it began.
    """
    out: set[str] = set()
    asleep_still = set(asleep)
    for call in calls:
        if call == ("reboot",):
            out.clear()
        units = {word.removesuffix(".service") for word in call[1:]} & _UNITS
        if units and call[0] in {"systemctl", "service", "stop", "start", "restart"}:
            words = {call[0], *call[1:]}
            if words & {"stop", "mask"} or {"disable", "--now"} <= words:
                out |= units
            elif words & {"start", "restart", "reload-or-restart", "unmask"}:
                out -= units
                asleep_still -= set() if "unmask" in words else units
    return bool(out | asleep_still)


@dataclass(slots=True)
class _Ends:
    """The pending ends of a host, by who keeps them."""

    shutdown: float | None = None
    timers: dict[str, float] = field(default_factory=dict)

    def earliest(self) -> float | None:
        found = [*self.timers.values(), *([] if self.shutdown is None else [self.shutdown])]
        return min(found, default=None)


def ends_at(calls: Iterable[Call], now: float, *, took: float = 0.0) -> float | None:
    """When the host shuts itself down (epoch seconds), by the calls of a boot at `now`.

    What is to happen at once does so `took` seconds later, when the script has got there.

    `shutdown` has one time at a time, which `shutdown -c` takes away; a timer of systemd-run is
    stopped by its unit's name. A reboot is no end.
    """
    ends, at_once = _Ends(), now + took
    for call in calls:
        match call[0]:
            case "shutdown":
                _shutdown(ends, call[1:], now, at_once)
            case "poweroff" | "halt":
                ends.shutdown = at_once
            case "init" | "telinit" if call[1:2] == ("0",):
                ends.shutdown = at_once
            case "systemctl":
                _systemctl(ends, call[1:], at_once)
            case "systemd-run":
                _timer(ends, call[1:], now)
            case "reboot":  # timers and shutdowns are gone with it
                ends = _Ends()
    return ends.earliest()


def _shutdown(ends: _Ends, words: Sequence[str], now: float, at_once: float) -> None:
    options = {word for word in words if word.startswith("-")}
    times = [word for word in words if not word.startswith("-")]
    if "-c" in options:
        ends.shutdown = None
    elif not options & {"-r", "--reboot", "-k"}:
        soon = times[:1] in (["now"], ["+0"], ["0"])
        ends.shutdown = at_once if soon else _shutdown_time(times[0] if times else "+1", now)


def _shutdown_time(word: str, now: float) -> float | None:
    """`+N` (minutes) or `hh:mm`; anything else is refused by shutdown."""
    if re.fullmatch(r"\+?\d{1,12}", word, re.ASCII):
        return now + 60.0 * int(word)
    if re.fullmatch(r"\d{1,2}:\d{2}", word, re.ASCII):
        hours, minutes = map(int, word.split(":"))
        today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        when = today.timestamp() + hours * 3600 + minutes * 60
        return when if when > now else when + 86_400
    return None


def _systemctl(ends: _Ends, words: Sequence[str], now: float) -> None:
    plain = [word for word in words if not word.startswith("-")]
    if plain and plain[0] in _OFF:
        ends.shutdown = now
    elif plain and plain[0] == "stop":
        for unit in plain[1:]:
            ends.timers.pop(unit.removesuffix(".timer"), None)


def _timer(ends: _Ends, words: Sequence[str], now: float) -> None:
    """systemd-run: options, then the command; a name is its own option or the next word."""
    options: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        name, given, value = rest.pop(0).partition("=")
        if not given and name in {"--unit", "--on-active", "--on-boot", "--on-calendar", "-u"}:
            value = rest.pop(0) if rest else ""
        options[name] = value
    if not _powers_off(rest):
        return
    times = [
        now + seconds
        for name in ("--on-active", "--on-boot", "--on-startup")
        if (seconds := _span(options.get(name, ""))) is not None
    ]
    if (at := re.fullmatch(r"@(\d{1,12})", options.get("--on-calendar", ""), re.ASCII)) is not None:
        times.append(max(now, float(at[1])))
    unit = options.get("--unit") or options.get("-u") or f"run-{len(ends.timers)}"
    timed = any(name.startswith("--on-") for name in options)
    if times or not timed:
        ends.timers[unit] = min(times, default=now)


def _powers_off(command: Sequence[str]) -> bool:
    text = " ".join(command)
    if re.search(r"\b(poweroff|halt)\b", text):
        return True
    return re.search(r"\bshutdown\b", text) is not None and "-r" not in text.split()


def _span(text: str) -> float | None:
    """A time span of systemd's, in seconds: `90`, `2h`, `1h 30min`."""
    found = _SPAN.findall(text.strip())
    if not found or _SPAN.sub("", text).strip():
        return None
    if any(unit not in _SECONDS for _, unit in found):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in found)
