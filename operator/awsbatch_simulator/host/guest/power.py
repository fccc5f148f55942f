"""shutdown and its like, sleep and timeout, and the AWS command line."""

import re

from awsbatch_simulator.host.guest.machine import OK, Answer, Guest, fail, option, plain
from awsbatch_simulator.host.guest.units import systemctl

_SPAN = re.compile(r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_FLAGS = frozenset({"--no-block", "--quiet", "-q", "--collect", "-G", "--user", "--scope"})
RESTARTED = ["reboot"]  # what is written down when a host has come up again
STOP_SECONDS = 90.0
FOREVER = float("inf")


def shutdown(guest: Guest, words: list[str]) -> Answer:
    """One at once ends all processes, also the script that calls it."""
    options = {each for each in words if each.startswith("-")}
    times = plain(words)
    if not options & {"-c", "-k"} and times[:1] in (["now"], ["+0"], ["0"]):
        guest.off, guest.restarts = True, bool(options & {"-r", "--reboot"})
    return OK


def reboot(guest: Guest, words: list[str]) -> Answer:
    """`reboot`: the same, and the host comes up again."""
    guest.off = guest.restarts = not {"-w", "--wtmp-only", "--help"} & set(words)
    return OK


def poweroff(guest: Guest, words: list[str]) -> Answer:
    """`poweroff` and `halt`."""
    guest.off = not {"-w", "--wtmp-only", "--help"} & set(words)
    return OK


def init(guest: Guest, words: list[str]) -> Answer:
    """Run levels 0 and 6."""
    if words[:1] in (["0"], ["6"]):
        guest.off, guest.restarts = True, words[0] == "6"
    return OK


def systemd_run(guest: Guest, words: list[str]) -> Answer:
    """Timers are only written down; without one the command starts at once."""
    timed = any(each.startswith("--on-") for each in words)
    rest = plain(words, frozenset({"-u", "--unit", "-p", "--property", "--description"}))
    command = rest[0].rsplit("/", 1)[-1] if rest and not timed else ""
    if command in {"poweroff", "halt", "shutdown"}:
        return shutdown(guest, ["now"])
    if command == "reboot":
        return reboot(guest, [])
    if not timed and rest[:1] == ["systemctl"]:
        return systemctl(guest, rest[1:])
    return OK


def seconds(words: list[str]) -> float | None:
    """How long `sleep` sleeps: the sum of its words; None: it refuses one."""
    whole = 0.0
    for word in words:
        found = _SPAN.fullmatch(word)
        if word.lower() in {"inf", "infinity"}:
            whole = FOREVER
        elif found is None:
            return None
        else:
            whole += float(found[1]) * _SECONDS[found[2]]
    return whole


def sleep(guest: Guest, words: list[str]) -> Answer:
    """Sleeping takes no time, for simulated time does not pass while a host boots.

    So that a loop that waits for ever is over when its `timeout` says so, or a timer switches the
    host off, what is slept is added up.
    """
    length = seconds(words)
    if length is None or not words:
        return fail(f"sleep: invalid time interval '{' '.join(words)}'")
    if guest.off:
        return _while_it_ends(guest, length)
    process, _, text = guest.timeout.partition(":")
    limit = seconds([text]) if process else None
    left = FOREVER if not limit else max(0.0, limit - guest.slept.get(process, 0.0))
    off = switching_off(guest.calls)[1]
    if guest.elapsed + min(length, left) >= off and off < FOREVER:
        return Answer(then="limit")
    if limit:
        guest.slept[process] = guest.slept.get(process, 0.0) + length
    if min(length, left) < FOREVER:
        guest.elapsed += min(length, left)
    if limit and length >= left:
        return Answer(then="alarm")
    return Answer(then="never") if length == FOREVER else OK


def _while_it_ends(guest: Guest, length: float) -> Answer:
    """What still sleeps when it is asked to end has systemd's 90 seconds for that."""
    guest.last += length if guest.ending else 0.0
    return OK if guest.ending and guest.last <= STOP_SECONDS else Answer(then="off")


def aws(guest: Guest, words: list[str]) -> Answer:
    """A password for ECR; other calls succeed and answer nothing."""
    if not guest.about["profile"]:
        return fail('Unable to locate credentials. You can configure credentials by running "aws '
                    'configure".', 253)  # fmt: skip
    if plain(words)[:2] == ["ecr", "get-login-password"]:
        return Answer(out="simulated\n")
    return OK


def switching_off(calls: list[list[str]]) -> tuple[list[str], float]:
    """The command and the seconds of the last timer of systemd-run that switches the host off."""
    for call in reversed(calls):
        if call == RESTARTED:
            break
        if call[0] != "systemd-run":
            continue
        at = 1
        while at < len(call) and call[at].startswith("-"):
            at += 1 if "=" in call[at] or call[at] in _FLAGS else 2
        command = call[at:]
        after = seconds([option(call[1:at], "--on-active")])
        if after is not None and re.search(r"\b(poweroff|halt|shutdown)\b", " ".join(command)):
            return command, after
    return [], FOREVER
