"""What the ECS agent makes of its settings.

Sources: aws/amazon-ecs-agent, README.md (environment variables), agent/config/parse.go (what keeps
it from starting), ecs-init (the two files, of which the later one wins).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

DEFAULT = "default"
_IMAGE = re.compile(r"(^|/)amazon-ecs-agent(:|@|$)")


class BadConfigError(ValueError):
    """The agent ends with an error and is not started again."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The settings that ECS gets to see."""

    cluster: str = ""  # name or ARN; empty: `default`, which the agent may create
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    host_tags: bool = False  # those of the EC2 instance too
    reserved_memory: int = 0  # MiB
    gpu: bool | None = None  # None: as the image has it
    spot_draining: bool = False


def parsed(*files: str) -> AgentConfig:
    """The settings of files, of which a later line wins. Raises BadConfigError.

    A line is NAME=VALUE, taken literally; others are left out.
    """
    return configured(_variables(*files))


def _variables(*files: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in files:
        for line in text.splitlines():
            name, given, value = line.strip().partition("=")
            if given and not name.startswith("#"):
                found[name.strip()] = value.strip()
    return found


def configured(found: Mapping[str, str]) -> AgentConfig:
    """The settings of variables. Raises BadConfigError."""
    gpu = found.get("ECS_ENABLE_GPU_SUPPORT", "")
    return AgentConfig(
        cluster=found.get("ECS_CLUSTER", ""),
        attributes=_texts("ECS_INSTANCE_ATTRIBUTES", found),
        tags=_texts("ECS_CONTAINER_INSTANCE_TAGS", found),
        host_tags=found.get("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM", "") == "ec2_instance",
        reserved_memory=_number("ECS_RESERVED_MEMORY", found),
        gpu=_true(gpu) if gpu else None,
        spot_draining=_true(found.get("ECS_ENABLE_SPOT_INSTANCE_DRAINING", "")),
    )


def _texts(name: str, found: Mapping[str, str]) -> dict[str, str]:
    try:
        value = json.loads(found.get(name) or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise BadConfigError(f"Invalid format for {name}. Expected a json hash")
    return value


def _number(name: str, found: Mapping[str, str]) -> int:
    """A number of MiB; what is none counts as 0, with a warning in the agent's log."""
    text = found.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _true(text: str) -> bool:
    """As Go's strconv.ParseBool."""
    return text in {"1", "t", "T", "TRUE", "true", "True"}


def others(calls: Iterable[Sequence[str]]) -> Iterator[dict[str, str]]:
    """The variables of further agents, which a script has started as containers."""
    for call in calls:
        if call[:2] != ("docker", "run") or not any(_IMAGE.search(word) for word in call):
            continue
        variables = {}
        for option, word in zip(call, [*call[1:], ""], strict=True):
            given = word if option in {"-e", "--env"} else ""
            if option.startswith("--env="):
                given = option.removeprefix("--env=")
            name, _, value = given.partition("=")
            if name:
                variables[name] = value
        yield variables
