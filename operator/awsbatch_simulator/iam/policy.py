"""Identity policies, and what they say of an action on a resource.

Sources: "IAM JSON policy elements", "Policy evaluation logic" and "IAM JSON policy elements:
Condition operators" in the IAM user guide. A condition that is not simulated never allows, and
always denies: refusing is the safe side of what is not known.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Condition = tuple[str, str, tuple[str, ...]]  # operator, key in lower case, values


class Decision(Enum):
    """What the policies of an identity say together."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"  # no statement allows it
    DENIED = "denied"  # a statement denies it


@dataclass(frozen=True, slots=True)
class Need:
    """An action on a resource, with the condition keys (in lower case) that go with it."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision; of one that allows, the statement and its pattern of the resource."""

    decision: Decision
    statement: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy, ready to be compared."""

    name: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    but_actions: bool = False  # NotAction
    but_resources: bool = False  # NotResource

    def matching(self, need: Need) -> str | None:
        """The pattern of the resource by which the statement is about the need; None: it isn't."""
        named = any(matches(each, need.action.lower()) for each in self.actions)
        if named == self.but_actions:
            return None
        found = next((each for each in self.resources if matches(each, need.resource)), None)
        if self.but_resources:
            found = "*" if found is None else None
        if found is None:
            return None
        held = [_holds(condition, need.context) for condition in self.conditions]
        unknown = not self.allows  # of a condition that is not simulated
        return found if all(unknown if each is None else each for each in held) else None


def judge(statements: Sequence[Statement], need: Need) -> Judgement:
    """A denial wins; without one a single statement that allows is enough."""
    allowed = None
    for statement in statements:
        pattern = statement.matching(need)
        if pattern is None:
            continue
        if not statement.allows:
            return Judgement(Decision.DENIED, statement.name, pattern)
        allowed = allowed or Judgement(Decision.ALLOWED, statement.name, pattern)
    return allowed or Judgement(Decision.NOT_ALLOWED)


def statements_of(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a policy document; those without a Sid are named by their number."""
    return tuple(
        _statement(each, f"statement {number}")
        for number, each in enumerate(_listed(document.get("Statement", [])), start=1)
    )


def check(document: Any) -> None:
    """Raise ValueError for a document that is none of IAM's."""
    listed = _listed(document.get("Statement")) if isinstance(document, Mapping) else [None]
    for each in listed:
        if not isinstance(each, Mapping) or each.get("Effect") not in ("Allow", "Deny"):
            raise ValueError("a policy has a Statement with the Effect Allow or Deny")
        for name in ("Action", "Resource"):
            if (name in each) == (f"Not{name}" in each):
                raise ValueError(f"a statement of a policy has either {name} or Not{name}")
        conditions = each.get("Condition", {})
        if not isinstance(conditions, Mapping) or not all(
            isinstance(keys, Mapping) for keys in conditions.values()
        ):
            raise ValueError("a Condition has keys by operator")


def _statement(given: Mapping[str, Any], name: str) -> Statement:
    actions, resources = (_listed(given.get(each, given.get(f"Not{each}", ())))
                          for each in ("Action", "Resource"))  # fmt: skip
    return Statement(
        name=str(given.get("Sid") or name),
        allows=given.get("Effect") == "Allow",
        actions=tuple(str(each).lower() for each in actions),
        resources=tuple(str(each) for each in resources),
        conditions=tuple(
            (operator, key.lower(), tuple(_text(each) for each in _listed(values)))
            for operator, keys in given.get("Condition", {}).items()
            for key, values in keys.items()
        ),
        but_actions="NotAction" in given,
        but_resources="NotResource" in given,
    )


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` is any text and `?` any character; brackets mean themselves."""
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in text)
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a policy is about the text."""
    return pattern in ("*", text) or _pattern(pattern).fullmatch(text) is not None


def _equal(value: str, texts: Sequence[str]) -> bool:
    return value in texts


def _equal_whatever_case(value: str, texts: Sequence[str]) -> bool:
    return value.lower() in {each.lower() for each in texts}


def _like(value: str, texts: Sequence[str]) -> bool:
    return any(matches(each, value) for each in texts)


_TESTS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_whatever_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal_whatever_case,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(condition: Condition, context: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None: it is not simulated."""
    operator, key, values = condition
    value = context.get(key)
    if operator == "Null":
        return all((value is None) == (each.lower() == "true") for each in values)
    optional = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    if value is None and (optional or operator in _NEGATED):
        return True
    test = _TESTS.get(_NEGATED.get(operator, operator))
    if test is None:
        return None
    if value is None:
        return False
    return test(value, values) != (operator in _NEGATED)


def _text(value: object) -> str:
    """A condition's value; true and false may be written as such."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:
    """IAM writes one thing with or without a list around it."""
    return list(value) if isinstance(value, list | tuple) else [value]
