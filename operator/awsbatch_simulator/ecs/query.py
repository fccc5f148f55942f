"""The cluster query language, with which ListContainerInstances is asked.

`subject operator [argument]`, joined by and (&&), or (||), not (!) and parentheses; `not` binds
closest, then `and`. Source: "Cluster query language" in the ECS developer guide, which lists the
subjects, the operators that each has, and the forms of dates. It says nothing of quotes but shows
them around the members of a list; here they may stand around any argument.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NoReturn

from awsbatch_simulator.ecs.model import AGENT_VERSION, ContainerInstance, TaskStatus
from awsbatch_simulator.ecs.patterns import Pattern
from awsbatch_simulator.errors import AwsFailure

Matches = Callable[[ContainerInstance], bool]
Reads = Callable[[str], Any]

DEEPEST = 50  # parentheses in parentheses
_SUBJECT = re.compile(r"[A-Za-z][\w:./\\-]*")
_SIGN = re.compile(r"==|!=|>=|<=|=~|!~|>|<|!?\w+")
_OPERATORS = {
    "==": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    ">=": "greater_than_equal",
    "<": "less_than",
    "<=": "less_than_equal",
    "!exists": "not_exists",
    "!in": "not_in",
    "=~": "matches",
    "!~": "not_matches",
}
_EQUALITY = frozenset({"equals", "not_equals"})
_ORDER = _EQUALITY | {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_TEXT = _EQUALITY | {"in", "not_in", "matches", "not_matches"}
_ALL = _ORDER | _TEXT | {"exists", "not_exists"}
_SUBJECTS = {
    "agentConnected": _TEXT,
    "agentVersion": _ORDER,
    "ec2InstanceId": _TEXT,
    "registeredAt": _ORDER,
    "runningTasksCount": _ORDER,
    "task:group": _ALL,
}
_ATTRIBUTE = "attribute:"
_AND, _OR = re.compile(r"and\b|&&"), re.compile(r"or\b|\|\|")
_NOT = re.compile(r"not\b|!")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_WORD = re.compile(r"(?:(?!&&|\|\|)[^\s()\[\],'\"])+")
_EXPRESSION = re.compile(r"(?:(?!&&|\|\|)[^\s()'\"])+")  # without parentheses, unless quoted
_SPACE = re.compile(r"\s*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:Z|\+00:00)?)?")


def _has_agent(instance: ContainerInstance) -> bool:
    return instance.agent_connected


def matcher(expression: str, connected: Matches = _has_agent) -> Matches:
    """Whether an instance meets the expression, which is read in one pass.

    `connected` says whether an instance's agent is.
    Raises AwsFailure InvalidParameterException if it has no meaning.
    """
    if not expression.strip():
        return lambda _instance: True
    return _Reader(expression, connected).whole()


class _Reader:
    """Goes through an expression from left to right, never back."""

    def __init__(self, text: str, connected: Matches) -> None:
        self._text = text
        self._connected = connected
        self._at = 0

    def whole(self) -> Matches:
        """The expression to its end."""
        found = self._any_of(0)
        if self._at < len(self._text):
            self._fail()
        return found

    def _any_of(self, depth: int) -> Matches:
        parts = [self._all_of(depth)]
        while self._take(_OR):
            parts.append(self._all_of(depth))
        return lambda instance: any(part(instance) for part in parts)

    def _all_of(self, depth: int) -> Matches:
        parts = [self._one(depth)]
        while self._take(_AND):
            parts.append(self._one(depth))
        return lambda instance: all(part(instance) for part in parts)

    def _one(self, depth: int) -> Matches:
        negated = False
        while self._take(_NOT):
            negated = not negated
        if self._sign("("):
            if depth >= DEEPEST:
                self._fail()
            found = self._any_of(depth + 1)
            if not self._sign(")"):
                self._fail()
        else:
            found = self._term()
        return (lambda instance: not found(instance)) if negated else found

    def _term(self) -> Matches:
        subject = self._take(_SUBJECT) or self._fail()
        sign = self._take(_SIGN) or self._fail()
        operator = _OPERATORS.get(sign, sign)
        if operator not in _operators(subject):
            message = f"Invalid filter: {subject[:100]} has no operator {sign[:100]}"
            raise AwsFailure("InvalidParameterException", message)
        test = self._test(subject, operator.removeprefix("not_"))
        if operator.startswith("not_"):
            return lambda instance: not test(self._values(instance, subject))
        return lambda instance: test(self._values(instance, subject))

    def _values(self, instance: ContainerInstance, subject: str) -> Iterable[str]:
        if subject == "agentConnected":
            return (str(self._connected(instance)).lower(),)
        return _values(instance, subject)

    def _test(self, subject: str, operator: str) -> Callable[[Iterable[str]], bool]:
        """What the values of a subject must be, after an operator that is no negation."""
        match operator:
            case "exists":
                return lambda values: any(True for _ in values)
            case "in":
                wanted = frozenset(self._list())
                return lambda values: not wanted.isdisjoint(values)
            case "matches":
                pattern = Pattern(self._argument(_EXPRESSION))
                return lambda values: any(map(pattern.matches, values))
            case _:
                holds = _compared(subject, operator, self._argument(_WORD))
                return lambda values: any(map(holds, values))

    def _list(self) -> Iterable[str]:
        if not self._sign("["):
            self._fail()
        found = [self._argument(_WORD)]
        while self._sign(","):
            found.append(self._argument(_WORD))
        if not self._sign("]"):
            self._fail()
        return found

    def _argument(self, form: re.Pattern[str]) -> str:
        quoted = _QUOTED.match(self._text, self._at)
        if quoted is None:
            return self._take(form) or self._fail()
        self._move(quoted.end())
        return quoted[1] if quoted[1] is not None else quoted[2]

    def _take(self, form: re.Pattern[str]) -> str | None:
        """What stands here if it has that form, and go on behind it."""
        self._move(self._at)
        found = form.match(self._text, self._at)
        if found is None:
            return None
        self._move(found.end())
        return found[0]

    def _sign(self, sign: str) -> bool:
        here = self._text.startswith(sign, self._at)
        if here:
            self._move(self._at + 1)
        return here

    def _move(self, where: int) -> None:
        space = _SPACE.match(self._text, where)
        self._at = where if space is None else space.end()

    def _fail(self) -> NoReturn:
        message = f"Invalid filter, which cannot be read at: {self._text[self._at :][:100]!r}"
        raise AwsFailure("InvalidParameterException", message)


def _operators(subject: str) -> frozenset[str]:
    if subject.startswith(_ATTRIBUTE) and subject != _ATTRIBUTE:
        return _ALL
    found = _SUBJECTS.get(subject)
    if found is None:
        message = f"Invalid filter subject: {subject[:100]}"
        raise AwsFailure("InvalidParameterException", message)
    return found


def _values(instance: ContainerInstance, subject: str) -> Iterable[str]:
    """What an instance has of a subject: nothing, one text, or one for each of its tasks."""
    match subject:
        case "agentVersion":
            return (AGENT_VERSION,)
        case "ec2InstanceId":
            return (instance.ec2_instance_id,)
        case "registeredAt":
            return (datetime.fromtimestamp(int(instance.registered_at), UTC).isoformat(),)
        case "runningTasksCount":
            running = (task.status is TaskStatus.RUNNING for task in instance.tasks.values())
            return (str(sum(running)),)
        case "task:group":
            return {task.group for task in instance.tasks.values()}
        case _:
            name = subject.removeprefix(_ATTRIBUTE)
            return tuple(
                each.get("value", "") for each in instance.attributes if each["name"] == name
            )


def _compared(subject: str, operator: str, argument: str) -> Callable[[str], bool]:
    reads = {"agentVersion": _version, "registeredAt": _date, "runningTasksCount": _count}.get(
        subject, _text
    )
    wanted = reads(argument)
    if reads is _text and operator != "equals":
        reads, wanted = _numbers_first, _numbers_first(argument)
    holds: Callable[[Any], bool] = {
        "equals": lambda value: value == wanted,
        "greater_than": lambda value: value > wanted,
        "greater_than_equal": lambda value: value >= wanted,
        "less_than": lambda value: value < wanted,
        "less_than_equal": lambda value: value <= wanted,
    }[operator]
    return lambda value: holds(reads(value))


def _text(value: str) -> str:
    return value


def _numbers_first(value: str) -> tuple[bool, float, str]:
    """Numbers by their size, and before all other texts."""
    if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", value, re.ASCII):
        return False, float(value), ""
    return True, 0.0, value


def _version(value: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,9}){0,9}", value, re.ASCII):
        raise _no("version", value)
    return tuple(int(part) for part in value.split("."))


def _count(value: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise _no("number of tasks", value)
    return int(value)


def _date(value: str) -> datetime:
    if _DATE.fullmatch(value) is None:
        raise _no("date", value)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise _no("date", value) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _no(what: str, value: str) -> AwsFailure:
    return AwsFailure("InvalidParameterException", f"Invalid filter: no {what}: {value[:100]}")
