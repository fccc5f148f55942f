"""The settings of the ECS agent that a user may give, and the form of each.

Names and meanings are those of the agent's own table of environment variables (README.md of
aws/amazon-ecs-agent; its part about ecs-init stands at the end here).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

_BOOLEANS = ("true", "false")
_NUMBER = re.compile(r"[0-9]{1,9}")
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ns|us|ms|s|m|h))+")
_PIECE = re.compile(r"([0-9.]+)(ns|us|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Form(Enum):
    """What a value looks like; the text says it in a message."""

    TEXT = "a text"
    BOOLEAN = "true or false"
    NUMBER = "a whole number"
    DURATION = "a duration such as 90s, 10m or 3h"
    LIST = "a JSON list"
    MAPPING = "a JSON object whose values are texts"
    RATES = "two whole numbers such as 40,60"
    RANGE = "two ports such as 49153-65535"


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting. `least` is a number, or seconds, below which the agent ignores the value."""

    form: Form
    least: float = 0
    choices: tuple[str, ...] = ()


def _all(form: Form, names: str) -> dict[str, Variable]:
    return {name: Variable(form) for name in names.split()}


VARIABLES: Mapping[str, Variable] = {
    **_all(
        Form.BOOLEAN,
        "ECS_AWSVPC_BLOCK_IMDS ECS_DISABLE_DOCKER_HEALTH_CHECK ECS_DISABLE_IMAGE_CLEANUP "
        "ECS_DISABLE_METRICS ECS_DISABLE_PRIVILEGED ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE "
        "ECS_ENABLE_CONTAINER_METADATA ECS_ENABLE_GPU_SUPPORT ECS_ENABLE_HIGH_DENSITY_ENI "
        "ECS_ENABLE_RUNTIME_STATS ECS_ENABLE_SPOT_INSTANCE_DRAINING "
        "ECS_ENABLE_TASK_CPU_MEM_LIMIT ECS_ENABLE_TASK_ENI ECS_ENABLE_TASK_IAM_ROLE "
        "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP "
        "ECS_EXCLUDE_IPV6_PORTBINDING ECS_POLL_METRICS ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT "
        "ECS_SELINUX_CAPABLE ECS_APPARMOR_CAPABLE ECS_SHARED_VOLUME_MATCH_FULL_CONFIG "
        "ECS_UPDATES_ENABLED ECS_EBSTA_SUPPORTED ECS_GMSA_SUPPORTED "
        "ECS_SKIP_LOCALHOST_TRAFFIC_FILTER ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS",
    ),
    **_all(
        Form.DURATION,
        "ECS_CONTAINER_STOP_TIMEOUT ECS_CONTAINER_START_TIMEOUT ECS_MANIFEST_PULL_TIMEOUT "
        "ECS_IMAGE_PULL_TIMEOUT ECS_IMAGE_PULL_INACTIVITY_TIMEOUT ECS_IMAGE_MINIMUM_CLEANUP_AGE "
        "NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION_JITTER "
        "ECS_POLLING_METRICS_WAIT_DURATION ECS_CGROUP_CPU_PERIOD",
    ),
    "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": Variable(Form.DURATION, least=1),
    "ECS_IMAGE_CLEANUP_INTERVAL": Variable(Form.DURATION, least=600),
    "ECS_CONTAINER_CREATE_TIMEOUT": Variable(Form.DURATION, least=60),
    **_all(
        Form.NUMBER,
        "ECS_RESERVED_MEMORY ECS_LOG_MAX_FILE_SIZE_MB ECS_LOG_MAX_ROLL_COUNT",
    ),
    "ECS_NUM_IMAGES_DELETE_PER_CYCLE": Variable(Form.NUMBER, least=1),
    "ECS_TASK_PIDS_LIMIT": Variable(Form.NUMBER, least=1),
    **_all(
        Form.LIST,
        "ECS_AVAILABLE_LOGGING_DRIVERS ECS_RESERVED_PORTS ECS_RESERVED_PORTS_UDP "
        "ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES",
    ),
    **_all(
        Form.MAPPING,
        "ECS_INSTANCE_ATTRIBUTES ECS_CONTAINER_INSTANCE_TAGS ECS_LOG_OPTS ECS_AGENT_LABELS",
    ),
    **_all(
        Form.TEXT,
        "DOCKER_HOST ECS_BACKEND_HOST ECS_CGROUP_PATH ECS_CNI_PLUGINS_PATH "
        "ECS_EXCLUDE_UNTRACKED_IMAGE ECS_NVIDIA_RUNTIME ECS_ALTERNATE_CREDENTIAL_PROFILE "
        "ECS_AGENT_HEALTHCHECK_HOST ECS_OFFHOST_INTROSPECTION_INTERFACE_NAME "
        "ECS_AGENT_APPARMOR_PROFILE ECS_LOGFILE CREDENTIALS_FETCHER_HOST "
        "CREDENTIALS_FETCHER_SECRET_NAME_FOR_DOMAINLESS_GMSA HTTP_PROXY HTTPS_PROXY NO_PROXY",
    ),
    "ECS_TASK_METADATA_RPS_LIMIT": Variable(Form.RATES),
    "ECS_DYNAMIC_HOST_PORT_RANGE": Variable(Form.RANGE),
    "ECS_IMAGE_PULL_BEHAVIOR": Variable(
        Form.TEXT, choices=("default", "always", "once", "prefer-cached")
    ),
    "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM": Variable(
        Form.TEXT, choices=("ec2_instance", "none")
    ),
    "ECS_LOGLEVEL": Variable(Form.TEXT, choices=("crit", "error", "warn", "info", "debug")),
    "ECS_LOGLEVEL_ON_INSTANCE": Variable(
        Form.TEXT, choices=("none", "crit", "error", "warn", "info", "debug")
    ),
    "ECS_LOG_ROLLOVER_TYPE": Variable(Form.TEXT, choices=("size", "hourly", "none")),
    "ECS_LOG_OUTPUT_FORMAT": Variable(Form.TEXT, choices=("logfmt", "json")),
    "ECS_LOG_DRIVER": Variable(
        Form.TEXT,
        choices=(
            "awslogs",
            "fluentd",
            "gelf",
            "json-file",
            "journald",
            "logentries",
            "syslog",
            "splunk",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class NotYours:
    """Why a user may not set something, and what to do instead."""

    why: str
    remedy: str = "Leave it out"


_CLUSTER = NotYours(
    "The operator sets it to the cluster of the compute environment; an instance in another "
    "cluster never gets this environment's jobs"
)
_REGION = NotYours(
    "The operator sets it to the region of the compute environment, where the cluster is"
)
_KEY = NotYours(
    "Whoever reads the object or the instance's metadata would have the key, and the agent takes "
    "the rights of the instance profile without it",
    "Leave it out and give the role of instanceProfile what is needed",
)
_REGISTRY = NotYours(
    "It holds passwords of image registries, and whoever reads the object or the instance's "
    "metadata would have them",
    "Leave it out and use Amazon ECR, or repositoryCredentials in the job definition",
)
_FOLDERS = NotYours(
    "The image sets it together with what it mounts into the agent's container; with another "
    "value the agent forgets its tasks when it restarts"
)
NOT_YOURS: Mapping[str, NotYours] = {
    "ECS_CLUSTER": _CLUSTER,
    "AWS_DEFAULT_REGION": _REGION,
    "AWS_ACCESS_KEY_ID": _KEY,
    "AWS_SECRET_ACCESS_KEY": _KEY,
    "AWS_SESSION_TOKEN": _KEY,
    "ECS_ENGINE_AUTH_TYPE": _REGISTRY,
    "ECS_ENGINE_AUTH_DATA": _REGISTRY,
    "ECS_DATADIR": _FOLDERS,
    "ECS_HOST_DATA_DIR": _FOLDERS,
    "ECS_CHECKPOINT": _FOLDERS,
    "ECS_AGENT_CONFIG_FILE_PATH": _FOLDERS,
    "ECS_EXTERNAL": NotYours(
        "It tells the agent that it does not run on EC2, and it would not join by its instance id"
    ),
    "ECS_WARM_POOLS_CHECK": NotYours(
        "The agent would wait for a life cycle state of an Auto Scaling group before it joins, "
        "and there is no such group"
    ),
}


def fault(variable: Variable, value: str) -> str:
    """What is wrong with the form of the value; empty if nothing is."""
    if variable.choices:
        known = ", ".join(variable.choices)
        return "" if value in variable.choices else f"must be one of {known}"
    if not _has_form(variable.form, value):
        return f"must be {variable.form.value}"
    if variable.least and _amount(variable.form, value) < variable.least:
        unit = " seconds" if variable.form is Form.DURATION else ""
        return f"must be at least {variable.least:g}{unit}; the agent ignores less"
    return ""


def _has_form(form: Form, value: str) -> bool:
    match form:
        case Form.TEXT:
            return True
        case Form.BOOLEAN:
            return value in _BOOLEANS
        case Form.NUMBER:
            return bool(_NUMBER.fullmatch(value))
        case Form.DURATION:
            return bool(_DURATION.fullmatch(value))
        case Form.LIST:
            return isinstance(json_value(value), list)
        case Form.MAPPING:
            return texts(value) is not None
        case Form.RATES:
            return bool(re.fullmatch(r"[0-9]{1,9},[0-9]{1,9}", value))
        case Form.RANGE:
            return bool(re.fullmatch(r"[0-9]{1,5}-[0-9]{1,5}", value))


def _amount(form: Form, value: str) -> float:
    if form is Form.NUMBER:
        return int(value)
    return sum(float(number) * _SECONDS[unit] for number, unit in _PIECE.findall(value))


def json_value(text: str) -> object:
    """The JSON value, or None if it is none."""
    try:
        made: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return made


def texts(text: str) -> dict[str, str] | None:
    """The JSON object if all its values are texts, else None."""
    value = json_value(text)
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        return None
    return value
