"""A user's cloud-config: read as cloud-init reads it, and what in it would do harm."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from awsbatch_operator.userdata import lint
from awsbatch_operator.userdata.lint import AGENT_FILE, Place, Runs
from awsbatch_operator.userdata.model import Checked, Problem
from awsbatch_operator.userdata.shell import Command, bare, commands

HEADER = "#cloud-config"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 50  # of lists and mappings in each other; cloud-init's modules need less than ten
_VALUES = 100_000  # that aliases may make of it; without any, 64 kB have a third of that


def read(text: str) -> tuple[Mapping[str, Any] | None, str]:
    """The settings, or None and why they cannot be read."""
    try:
        if too_much := _too_much(text):
            return None, too_much
        made = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        return None, f"{place}{error.problem or error.context}"
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        return None, "it cannot be read"
    if not isinstance(made, dict):
        return None, "it is no mapping of names to values"
    return made, ""


def _too_much(text: str) -> str:
    """Why it is not read as a whole; "" if it can be.

    Libyaml goes into what is nested by itself, and may end the process. And PyYAML copies what a
    merge (`<<: [*a, *a]`) names: in ten steps of ten each that is more than any memory holds.
    """
    sizes, anchors = [0], [""]  # of what is open: how many values it stands for, aliases included
    known: dict[str, int] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        anchor = getattr(event, "anchor", None) or ""
        if isinstance(event, yaml.CollectionStartEvent):
            known[anchor] = len(text)  # at most, as long as it is open: it may stand in itself
            sizes.append(1)
            anchors.append(anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            size = known[anchors.pop()] = sizes.pop()
            sizes[-1] += size
        elif isinstance(event, yaml.AliasEvent):
            sizes[-1] += known.get(anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            known[anchor] = 1
            sizes[-1] += 1
        if len(sizes) - 1 > _DEPTH:
            return f"its lists and mappings stand more than {_DEPTH} deep in each other"
        if sizes[-1] > _VALUES:
            return f"its aliases make more than {_VALUES} values of it"
    return ""


def check(text: str, path: str, *, header: bool) -> Checked:
    """What is wrong with a cloud-config; `header` says whether its first line must tell what it is.

    A part of a MIME message is told by its type.
    """
    if header and text.split("\n", 1)[0].rstrip() != HEADER:
        why = "cloud-init tells by it what the text is, and ignores the text without it"
        remedy = f"Begin the text with a line {HEADER}"
        return Checked((Problem(path, f"does not begin with the line {HEADER}", why, remedy),))
    settings, wrong = read(text)
    if settings is None:
        why = "cloud-init would drop it without an error, and boot without these settings"
        return Checked((Problem(path, f"is no valid YAML: {wrong}", why, "Correct the YAML"),))
    looks = [lint.lines(text, path), _power(settings, path), *_commands(settings, path)]
    looks += [
        Checked((_agent_file_problem(path, index),))
        for index, file in enumerate(_items(settings.get("write_files")))
        if isinstance(file, Mapping) and file.get("path") == AGENT_FILE
    ]
    return Checked.all_of(looks)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _commands(settings: Mapping[str, Any], path: str) -> Iterator[Checked]:
    for key, runs in (("runcmd", Runs.ONCE), ("bootcmd", Runs.ALWAYS)):
        for index, item in enumerate(_items(settings.get(key))):
            place = Place(path, runs)
            for each in _commands_of(item):
                yield lint.command(each, place, f"{key}[{index}]")


def _commands_of(item: object) -> list[Command]:
    """A text goes through a shell, a list is one command."""
    if isinstance(item, str):
        return list(commands(item))
    # By YAML's aliases a list may stand in itself, or many times in another: never its text.
    plain = [str(word) if isinstance(word, str | int | float) else "" for word in _items(item)]
    words = bare(tuple(plain))
    if not words:
        return []
    whole = Command(1, words, conditional=False, background=False)
    # A list may run a shell, too: [sh, -c, "systemctl start docker"].
    given = words[-1] if words[0].endswith("sh") and "-c" in words else ""
    return [whole, *commands(given)]


def _power(settings: Mapping[str, Any], path: str) -> Checked:
    power = settings.get("power_state")
    if not isinstance(power, Mapping) or power.get("mode") not in ("poweroff", "halt"):
        return Checked()
    # With a condition it may be the way in which a failed boot ends; with a delay, a limit.
    if power.get("condition", True) is not True:
        return Checked()
    if power.get("delay", "now") not in ("now", "+0", "0", 0):
        return Checked()
    what = "power_state turns the instance off when it has booted"
    why = "That terminates it before it has run a job, and the next one ends in the same way"
    remedy = "Take it out; idleSeconds says when an instance without jobs ends"
    return Checked((Problem(path, what, why, remedy),))


def _agent_file_problem(path: str, index: int) -> Problem:
    what = f"write_files[{index}] writes {AGENT_FILE}"
    why = "That takes away what the operator wrote there, and the instance joins the cluster "
    return Problem(path, what, f"{why}named default", "Give settings of the agent in ecsConfig")
