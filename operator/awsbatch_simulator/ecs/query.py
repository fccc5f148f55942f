"""The cluster query language, as far as ListContainerInstances is asked with it.

Expressions over `attribute:NAME`, `ec2InstanceId`, `agentConnected`, `agentVersion` and
`runningTasksCount` with `==`, `!=`, `in [a, b]`, `exists`, `<`, `<=`, `>`, `>=`, joined by `and`.
Source: the ECS developer guide's page "Cluster query language".
"""

import re
from collections.abc import Callable

from awsbatch_simulator.ecs.model import ContainerInstance
from awsbatch_simulator.errors import AwsFailure

Matches = Callable[[ContainerInstance], bool]
_TERM = re.compile(
    r"(?P<subject>[\w:.-]+)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>[^\s\[\]]+)"
    r"|in\s*\[(?P<values>[^\]]*)\]|(?P<exists>exists))"
)


def matcher(expression: str) -> Matches:
    """Whether an instance meets the expression; InvalidParameterException if it has no meaning."""
    parts = [part for part in re.split(r"\s+(?:and|&&)\s+", expression.strip()) if part]
    terms = [_term(part) for part in parts]
    return lambda instance: all(term(instance) for term in terms)


def _term(text: str) -> Matches:
    found = _TERM.fullmatch(text.strip().strip("()").strip())
    if found is None:
        raise AwsFailure("InvalidParameterException", f"Invalid filter: {text[:200]}")
    subject, sign, wanted = found["subject"], found["sign"], found["value"]
    if found["exists"]:
        return lambda instance: _value(instance, subject) is not None
    if found["values"] is not None:
        values = {each.strip() for each in found["values"].split(",")}
        return lambda instance: _value(instance, subject) in values
    return lambda instance: _compare(_value(instance, subject), sign, wanted)


def _value(instance: ContainerInstance, subject: str) -> str | None:
    if subject.startswith("attribute:"):
        name = subject.removeprefix("attribute:")
        for each in instance.attributes:
            if each["name"] == name:
                return each.get("value", "")
        return None
    match subject:
        case "ec2InstanceId":
            return instance.ec2_instance_id
        case "agentConnected":
            return str(instance.agent_connected).lower()
        case "runningTasksCount":
            return str(len(instance.tasks))
        case _:
            raise AwsFailure("InvalidParameterException", f"Invalid filter subject: {subject}")


def _compare(value: str | None, sign: str, wanted: str) -> bool:
    if sign == "!=":
        return value != wanted
    if value is None:
        return False
    if sign == "==":
        return value == wanted
    try:
        left, right = float(value), float(wanted)
    except ValueError:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]
