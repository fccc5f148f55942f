"""What in a user's script or cloud-config would keep an instance from joining, or harm somebody.

Each rule says the line, why it matters and what to do instead. What only might be wrong is a
warning. Scripts in other languages than a shell's are looked through for secrets and for
ECS_CLUSTER only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.userdata.model import Checked, Problem
from awsbatch_operator.userdata.secret_lines import named_secret_in, secret_in
from awsbatch_operator.userdata.shell import Command, commands

AGENT_FILE = "/etc/ecs/ecs.config"

_UNITS = frozenset({"ecs", "docker"})
_STARTS = frozenset(
    {
        "start",
        "restart",
        "try-restart",
        "condrestart",
        "reload-or-restart",
        "try-reload-or-restart",
    }
)
_OFF = frozenset({"poweroff", "halt"})
_CLUSTER_SET = re.compile(r"\bECS_CLUSTER=")
_SHELL_LINE = re.compile(r"#!\s*(?:/usr/bin/env(?:\s+-S)?\s+)?(?:\S*/)?(?:ba|da|k|z|a)?sh\b")


class Runs(Enum):
    """When cloud-init runs a text."""

    ONCE = "Once"  # at the end of the first boot
    ALWAYS = "Always"  # at every boot: boothooks and bootcmd early in it, per-boot scripts late


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands, for messages."""

    path: str
    runs: Runs = Runs.ONCE


_BLOCKED = (
    "Both start by themselves when cloud-init is done; this waits for that, and cloud-init waits "
    "for this, so the boot hangs and the instance never joins"
)
_NO_START = (
    "Leave it out: they start after the script. To have Docker read a new configuration, write it "
    "in a boothook, or run `systemctl restart --no-block docker`"
)


def is_shell(text: str) -> bool:
    """Whether a shell runs the script: by its first line, and where that names nothing, too."""
    return not text.startswith("#!") or bool(_SHELL_LINE.match(text))


def script(text: str, place: Place, *, shell: bool) -> Checked:
    """What is wrong with a script; `shell` says whether a shell runs it."""
    looks = [lines(text, place.path)]
    if shell:
        looks += [command(each, place, f"line {each.line}") for each in commands(text)]
    return Checked.all_of(looks)


def lines(text: str, path: str) -> Checked:
    """What is wrong with a text of any sort, line by line."""
    problems, warnings = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if found := secret_in(line):
            problems.append(
                Problem(
                    path,
                    f"line {number} holds {found}",
                    "Whoever reads the object or the instance's metadata would have it",
                    "Give the role of instanceProfile what is needed, or read it on the instance "
                    "from Secrets Manager or the Parameter Store",
                )
            )
        elif named_secret_in(line):
            warnings.append(
                f"{path}: line {number} looks like a secret, and whoever reads the object or the "
                "instance's metadata has it."
            )
        if _CLUSTER_SET.search(line) and not line.lstrip().startswith("#"):
            problems.append(
                Problem(
                    path,
                    f"line {number} sets ECS_CLUSTER",
                    "The operator sets it to the cluster of the compute environment; an instance "
                    "in another cluster never gets this environment's jobs",
                    "Take the line out",
                )
            )
    return Checked(tuple(problems), tuple(warnings))


def command(each: Command, place: Place, where: str) -> Checked:
    """What is wrong with one command."""
    shown = " ".join(each.words)
    shown = shown if len(shown) <= 80 else f"{shown[:79]}…"  # noqa: PLR2004 - of a line
    problems = []
    if not each.background and (unit := _started(each.words)):
        what = f"{where} starts {unit} (`{shown}`)"
        problems.append(Problem(place.path, what, _BLOCKED, _NO_START))
    if unit := _kept_out(each.words):
        what = f"{where} keeps {unit} from starting (`{shown}`)"
        why = f"Without {unit} the instance never joins the cluster"
        problems.append(Problem(place.path, what, why, "Take it out"))
    if not each.conditional and not each.background:
        problems += _ended(each.words, place, f"{where} (`{shown}`)")
    overwritten, appended = _agent_file(each.words)
    if overwritten:
        what = f"{where} overwrites {AGENT_FILE}"
        why = "That takes away what the operator wrote there, and the instance joins the cluster "
        remedy = "Give settings of the agent in ecsConfig"
        problems.append(Problem(place.path, what, f"{why}named default", remedy))
    warned = f"{place.path}: {where} appends to {AGENT_FILE}; ecsConfig would check the setting."
    return Checked(tuple(problems), (warned,) if appended else ())


def _units(words: tuple[str, ...]) -> Iterator[str]:
    for word in words:
        name = word.removesuffix(".service").removesuffix(".socket")
        if name in _UNITS:
            yield name


def _named(word: str) -> str:
    """A program without its folder."""
    return word.rpartition("/")[2]


def _verbs(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The verb of systemctl, and what it is about."""
    plain = tuple(word for word in words[1:] if not word.startswith("-"))
    return (plain[0], plain[1:]) if plain else ("", ())


def _started(words: tuple[str, ...]) -> str:
    """The unit that the command starts and waits for; empty if none."""
    first = _named(words[0])
    if first == "systemctl":
        verb, rest = _verbs(words)
        starts = verb in _STARTS or (verb in {"enable", "reenable"} and "--now" in words)
        return next(_units(rest), "") if starts and "--no-block" not in words else ""
    if first == "service" and len(words) > 2:  # noqa: PLR2004 - service NAME VERB
        return next(_units(words[1:2]), "") if words[2] in _STARTS else ""
    if words[0].startswith("/etc/init.d/"):
        return next(_units((first,)), "") if words[1:2] and words[1] in _STARTS else ""
    if first in {"start", "restart"} or (first == "initctl" and words[1:2] == ("start",)):
        return next(_units(words[1:]), "")
    if first in {"amazon-ecs-init", "ecs-init"} and {"start", "pre-start"} & set(words[1:]):
        return "ecs"
    return ""


def _kept_out(words: tuple[str, ...]) -> str:
    """The unit that the command keeps from ever starting; empty if none."""
    if _named(words[0]) != "systemctl":
        return ""
    verb, rest = _verbs(words)
    return next(_units(rest), "") if verb in {"disable", "mask"} else ""


def _ended(words: tuple[str, ...], place: Place, where: str) -> list[Problem]:
    """Whether the command ends the instance at once, or for ever boots it anew."""
    off, again = _stops(words, early=place.runs is Runs.ALWAYS)
    if off:
        return [
            Problem(
                place.path,
                f"{where} turns the instance off while it boots",
                "That terminates it before it has run a job, and the next one is launched to end "
                "in the same way",
                "Take it out; idleSeconds says when an instance without jobs ends",
            )
        ]
    if again and place.runs is Runs.ALWAYS:
        why = "What runs at every boot would reboot the instance for ever"
        return [Problem(place.path, f"{where} reboots", why, "Do it in script, which runs once")]
    return []


def _stops(words: tuple[str, ...], *, early: bool) -> tuple[bool, bool]:
    """Whether the command turns off now, and whether it reboots now.

    Early in a boot every `shutdown` counts: without logind it does not wait for its time.
    """
    first = _named(words[0])
    if first == "systemctl":
        verb, _ = _verbs(words)
        return verb in _OFF, verb in {"reboot", "kexec"}
    if first in {"init", "telinit"}:
        return words[1:2] == ("0",), words[1:2] == ("6",)
    if first == "shutdown":
        plain = [word for word in words[1:] if not word.startswith("-")]
        # Without a time, it is in a minute.
        now = early or plain[:1] in ([], ["now"], ["0"], ["+0"], ["1"], ["+1"])
        again = "-r" in words or "--reboot" in words
        cancels = "-c" in words
        return now and not again and not cancels, now and again
    if first == "reboot":
        return False, True
    return first in _OFF, False


def _agent_file(words: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether the command overwrites the agent's file, and whether it appends to it."""
    at = [index for index, word in enumerate(words) if word == AGENT_FILE]
    if not at:
        return False, False
    before = {words[index - 1] for index in at if index}
    first = _named(words[0])
    copied = first in {"cp", "mv", "install", "ln"} and words[-1] == AGENT_FILE
    appends = first == "tee" and bool({"-a", "--append"} & set(words))
    written = first == "tee" and not appends
    taken = first in {"rm", "truncate", "unlink"}
    return bool(before & {">", ">|"}) or copied or written or taken, ">>" in before or appends
