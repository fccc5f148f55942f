"""The settings of the ECS agent: ours, with the user's merged in, as lines of /etc/ecs/ecs.config.

The file has two readers that do not agree. ecs-init takes all behind the first `=` of a line as it
stands and hands it to the agent (ecs-init/docker/docker.go); systemd reads the same file as an
EnvironmentFile, where quotes, backslashes and blanks at the ends mean something. So a value is
written bare, and one that the two would read differently is refused. Of two lines with one name the
last wins with both.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping

from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.api.tags import CLUSTER, MARKET, OWNER_UID, POOL, RESERVED_PREFIXES
from awsbatch_operator.userdata.agent_variables import (
    NOT_YOURS,
    VARIABLES,
    fault,
    json_value,
    texts,
)
from awsbatch_operator.userdata.model import Checked, Problem, UserData
from awsbatch_operator.userdata.secret_lines import secret_in

IMAGE = f"{GROUP}/image"

# Batch's own environments reserve as much, so that the same job fits the same type here.
RESERVED_MIB = 32
# A Spot instance has 120 s from the notice to its end; the rest is for telling ECS.
SPOT_STOP = "100s"
STOP = "30s"
# All that Docker brings along and Batch's LogConfiguration knows. Batch needs awslogs.
LOG_DRIVERS = (
    "awslogs",
    "fluentd",
    "gelf",
    "journald",
    "json-file",
    "none",
    "splunk",
    "syslog",
)

# Container instance attributes, by ECS's model: Attribute.name and Attribute.value.
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}")
_ATTRIBUTE_VALUE = re.compile(r"(?! )[A-Za-z0-9_.@/\\: -]{1,128}(?<! )")
_AGENTS_OWN = ("ecs.", "com.amazonaws.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def generated(wish: UserData) -> dict[str, str]:
    """What the agent is told when the user says nothing."""
    spot = wish.market != "OnDemand"
    settings = {
        "ECS_CLUSTER": wish.cluster,
        "AWS_DEFAULT_REGION": wish.region,
        "ECS_INSTANCE_ATTRIBUTES": _json(attributes(wish)),
        "ECS_RESERVED_MEMORY": str(RESERVED_MIB),
        "ECS_AVAILABLE_LOGGING_DRIVERS": _json(LOG_DRIVERS),
        "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
        "ECS_ENABLE_TASK_IAM_ROLE": "true",
        "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST": "true",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true" if spot else "false",
        "ECS_CONTAINER_STOP_TIMEOUT": SPOT_STOP if spot else STOP,
        # As in Batch's own environments: many short jobs would fill the disk in the agent's 3 h.
        "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": "2m",
        "ECS_IMAGE_CLEANUP_INTERVAL": "10m",
        "ECS_IMAGE_MINIMUM_CLEANUP_AGE": "10m",
        "ECS_NUM_IMAGES_DELETE_PER_CYCLE": "5",
    }
    if wish.gpu:
        settings["ECS_ENABLE_GPU_SUPPORT"] = "true"
    if wish.ecs_endpoint:
        settings["ECS_BACKEND_HOST"] = wish.ecs_endpoint
    return settings


def attributes(wish: UserData) -> dict[str, str]:
    """The container instance's attributes, by the names that its EC2 instance has as tags.

    They tell whose a container instance is. Tags of ECS would tell the same, but to register with
    tags a role needs ecs:TagResource besides, and one without it would never join.
    """
    return {
        CLUSTER: wish.cluster_id,
        OWNER_UID: wish.environment_uid,
        POOL: wish.pool,
        MARKET: wish.market,
        IMAGE: wish.image_id,
    }


def settings(wish: UserData) -> dict[str, str]:
    """All settings in the order in which they are written; `check` must have found no problem."""
    made = generated(wish)
    for name, value in wish.given.ecs_config:
        if name == "ECS_INSTANCE_ATTRIBUTES":
            value = _json({**(texts(value) or {}), **attributes(wish)})  # noqa: PLW2901 - merged
        made[name] = value
    return made


def block(wish: UserData) -> str:
    """The settings as lines of ecs.config."""
    return "".join(f"{name}={value}\n" for name, value in settings(wish).items())


def check(wish: UserData) -> Checked:
    """What is wrong with the user's settings, and what about them is worth a warning."""
    names = [name for name, _ in wish.given.ecs_config]
    looks = [
        check_setting(wish.path("userData", f"ecsConfig.{name}"), name, value)
        for name, value in wish.given.ecs_config
    ]
    looks += [
        Checked((_problem(wish, name, "is given twice", "Only one could be meant", "Keep one"),))
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return Checked.all_of([*looks, Checked(warnings=tuple(_warnings(wish)))])


def _problem(wish: UserData, name: str, what: str, why: str, remedy: str) -> Problem:
    return Problem(wish.path("userData", f"ecsConfig.{name}"), what, why, remedy)


def check_setting(path: str, name: str, value: str) -> Checked:
    """What is wrong with one setting of the user's, which stands at `path` in the spec."""
    if name in NOT_YOURS:
        told = NOT_YOURS[name]
        return Checked((Problem(path, "may not be set", told.why, told.remedy),))
    if name not in VARIABLES:
        return Checked((_unknown(path, name),))
    problem = (
        _unreadable(path, value)
        or _malformed(path, name, value)
        or _contradicting(path, name, value)
        or _secret(path, name, value)
    )
    return Checked((problem,) if problem else ())


def _unknown(path: str, name: str) -> Problem:
    near = difflib.get_close_matches(name.upper(), VARIABLES, n=1, cutoff=0.6)
    remedy = f"Did you mean {near[0]}?" if near else "Check the name."
    return Problem(
        path.replace(name, repr(name)) if _CONTROL.search(name) else path,
        "is no setting of the ECS agent",
        "The agent would ignore it",
        f"{remedy} The settings are listed in the agent's README (aws/amazon-ecs-agent)",
    )


def _unreadable(path: str, value: str) -> Problem | None:
    """What the two readers of the file would not read as it was given."""
    if found := _CONTROL.search(value):
        what = "has a line break" if found[0] in "\r\n" else f"has the character {found[0]!r}"
        why = "A value of ecs.config is the rest of one line; what follows would be another setting"
        return Problem(path, what, why, "Write the value in one line of printable characters")
    if value != value.strip():
        why = "systemd drops blanks there, the agent keeps some"
        return Problem(path, "begins or ends with a blank", why, "Take the blank away")
    if value[:1] in {'"', "'"}:
        why = "ecs.config has no quotes: the agent would take them as a part of the value"
        return Problem(path, "begins with a quote", why, "Take the quotes away")
    if "\\" in value:
        why = "systemd and the agent read a backslash in ecs.config differently"
        return Problem(path, "has a backslash", why, "Write the value without one")
    if any("\ud800" <= character <= "\udfff" for character in value):
        why = "It cannot be written as UTF-8"
        return Problem(path, "has half of a character", why, "Write the whole character")
    return None


def _malformed(path: str, name: str, value: str) -> Problem | None:
    wrong = fault(VARIABLES[name], value)
    if not wrong:
        return None
    shown = value if len(value) <= 60 else f"{value[:59]}…"  # noqa: PLR2004 - of a line
    why = f"{shown!r} is not what the agent expects there"
    if name == "ECS_LOG_OPTS":  # may hold the token of a log service
        why = "The agent could not read it"
    return Problem(path, wrong, why, "Correct the value")


def _contradicting(path: str, name: str, value: str) -> Problem | None:
    match name:
        case "ECS_AVAILABLE_LOGGING_DRIVERS":
            return _without_awslogs(path, value)
        case "ECS_INSTANCE_ATTRIBUTES":
            return _wrong_attribute(path, texts(value) or {})
        case "ECS_CONTAINER_INSTANCE_TAGS":
            return _reserved_tag(path, texts(value) or {})
        case "NO_PROXY" if "169.254.169.254" not in value:
            why = "The agent reads its identity and its rights there, not through a proxy"
            return Problem(path, "lacks 169.254.169.254", why, "Add 169.254.169.254")
        case _:
            return None


def _without_awslogs(path: str, value: str) -> Problem | None:
    drivers = json_value(value)
    if isinstance(drivers, list) and "awslogs" in drivers:
        return None
    why = "Batch starts jobs only on instances with the log driver awslogs"
    return Problem(path, "lacks awslogs", why, 'Add "awslogs" to the list')


def _wrong_attribute(path: str, given: Mapping[str, str]) -> Problem | None:
    for name, value in given.items():
        if name.startswith((*RESERVED_PREFIXES, *_AGENTS_OWN)):
            why = f"The operator, AWS and the agent set what begins with {GROUP}/ and the like"
            return Problem(path, f"sets the attribute {name}", why, "Choose another name")
        if not _ATTRIBUTE_NAME.fullmatch(name) or not _ATTRIBUTE_VALUE.fullmatch(value):
            why = (
                "ECS would refuse to register the instance: it takes names of letters, digits and "
                "-_./ and values of these, @, : and inner blanks, up to 128 characters each"
            )
            return Problem(path, f"has the attribute {name!r}", why, "Correct name or value")
    return None


def _reserved_tag(path: str, given: Mapping[str, str]) -> Problem | None:
    for key in given:
        if key.lower().startswith(RESERVED_PREFIXES):
            why = "Such keys are reserved for AWS and for the operator"
            return Problem(path, f"sets the tag {key}", why, "Choose another key")
    return None


def _secret(path: str, name: str, value: str) -> Problem | None:
    found = secret_in(f"{name}={value}") or secret_in(value)
    if not found:
        return None
    why = "Whoever reads the object or the instance's metadata would have it"
    return Problem(path, f"holds {found}", why, "Give the role of instanceProfile what is needed")


def _warnings(wish: UserData) -> Iterator[str]:
    """What is allowed, and what comes of it."""
    given = dict(wish.given.ecs_config)
    path = wish.path("userData", "ecsConfig")
    if given.get("ECS_ENABLE_SPOT_INSTANCE_DRAINING") == "false" and wish.market == "Spot":
        said = "the agent goes on taking jobs after a Spot interruption notice"
        yield f"{path}.ECS_ENABLE_SPOT_INSTANCE_DRAINING: with false, {said}."
    if "ECS_CONTAINER_INSTANCE_TAGS" in given:
        said = "without ecs:TagResource in the role of instanceProfile the instance never joins"
        yield f"{path}.ECS_CONTAINER_INSTANCE_TAGS: {said}."
    if given.get("ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM") == "ec2_instance":
        said = "the role of instanceProfile needs ec2:DescribeTags and ecs:TagResource for it"
        yield f"{path}.ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM: {said}."


def _json(value: object) -> str:
    """JSON without line breaks and, as none of our texts needs escaping, without backslashes."""
    return json.dumps(value, separators=(",", ":"))
