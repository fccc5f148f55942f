"""CEL rules: what the API server refuses at `kubectl apply`, each with a message that helps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RULES = "x-kubernetes-validations"
"""Where rules stand in a schema."""

RULE_ID = "x-rule-id"
"""Names a rule inside a schema for tests and docs; never written to a CRD."""

RULE_COUNT = "x-rule-count"
"""(low, high, members): how many of them may be set, for validation in Python; not in a CRD."""

RULE_PATTERN = "x-rule-pattern"
"""The pattern of a rule about a text's form, for validation in Python; not in a CRD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of `x-kubernetes-validations`.

    `message` says what is wrong, why, and how to mend it. `words` is a CEL expression that makes
    a more exact message; the API server falls back to `message` if it cannot be evaluated.
    `field` points the error at one member (`.tags`). `count` is the same rule for Python, where
    it is about how many members may be set; so is `pattern`, where it is about a text's form.
    """

    id: str
    cel: str
    message: str
    words: str = ""
    field: str = ""
    count: tuple[int, int, tuple[str, ...]] | None = None
    pattern: str = ""

    def as_schema(self) -> dict[str, Any]:
        """The rule as it stands in a schema."""
        entry: dict[str, Any] = {
            RULE_ID: self.id,
            "rule": " ".join(self.cel.split()),
            "message": self.message,
        }
        if self.words:
            entry["messageExpression"] = " ".join(self.words.split())
        if self.field:
            entry["fieldPath"] = self.field
        if self.count:
            entry[RULE_COUNT] = self.count
        if self.pattern:
            entry[RULE_PATTERN] = self.pattern
        return entry


def form(rule_id: str, pattern: str, wrong: str, right: str) -> Rule:
    """A text looks as the pattern (RE2) says, or its author is told what is wrong and what right.

    The API server shows the text itself before these words. `right` has an example.
    """
    return Rule(
        id=f"{rule_id}-form",
        cel=f"self.matches({literal(pattern)})",
        message=f"This {wrong}. {right}",
        pattern=pattern,
    )


def where_formed(member: str, form_of_it: Rule, cel: str) -> str:
    """CEL that converts a text to a number, asked only where the text has the form of one.

    A conversion that fails ends in "type conversion error … evaluating rule" instead of the words
    of the form: the API server evaluates all rules of an object, whichever of them refuses it.
    """
    return f"!{member}.matches({literal(form_of_it.pattern)}) || ({cel})"


def literal(text: str) -> str:
    """The text as CEL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def exactly_one(rule_id: str, names: Sequence[str], message: str) -> Rule:
    """Of the optional members, one and only one is set."""
    return Rule(id=rule_id, cel=f"{_set(names)} == 1", message=message, count=(1, 1, tuple(names)))


def at_most_one(rule_id: str, names: Sequence[str], message: str) -> Rule:
    """Of the optional members, one or none is set."""
    return Rule(id=rule_id, cel=f"{_set(names)} <= 1", message=message, count=(0, 1, tuple(names)))


def one_given(rule_id: str, conditions: Mapping[str, str], message: str) -> Rule:
    """Of the optional members, one or none says something, as its condition tells.

    AWS describes structures with members that are there and empty: those contradict nothing.
    """
    counted = " + ".join(f"({condition} ? 1 : 0)" for condition in conditions.values())
    return Rule(id=rule_id, cel=f"{counted} <= 1", message=message)


def filled(names: Sequence[str], prefix: str = "self") -> dict[str, str]:
    """CEL by name: whether the optional list, map or text has anything in it."""
    return {name: f"(has({prefix}.{name}) && size({prefix}.{name}) > 0)" for name in names}


def _set(names: Sequence[str]) -> str:
    return " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in names)


def unchanged(name: str, prefix: str = "self") -> str:
    """CEL: the optional member was neither added, removed nor changed.

    A rule on the member itself would not see it added or removed.
    """
    old = prefix.replace("self", "oldSelf")
    return (
        f"has({prefix}.{name}) == has({old}.{name}) && "
        f"(!has({prefix}.{name}) || {prefix}.{name} == {old}.{name})"
    )


def immutable(name: str, message: str) -> Rule:
    """An optional member of `spec` that stays as it was when the object was made."""
    return Rule(id=f"{name}-immutable", cel=unchanged(name), message=message, field=f".{name}")


def present(names: Sequence[str], prefix: str = "self") -> str:
    """CEL: the names of those optional members that are set, each after a space.

    Built by concatenation, because the API server cannot bound the cost of joining a list.
    """
    return chosen({name: f"has({prefix}.{name})" for name in names})


def said(name: str, empty: str = "", prefix: str = "self") -> str:
    """CEL: the optional member says something.

    What a Describe call returns is applied as a manifest, and holds members that are empty or, in
    CEL's words, equal to `empty` (such as 0, '' or false): these contradict nothing. Without
    `empty`, a list or map counts if it has entries.
    """
    member = f"{prefix}.{name}"
    full = f"{member} != {empty}" if empty else f"size({member}) > 0"
    return f"(has({member}) && {full})"


def chosen(conditions: Mapping[str, str]) -> str:
    """CEL: the names whose conditions hold, each after a space."""
    return " + ".join(f"({cel} ? ' {name}' : '')" for name, cel in conditions.items())


def none_of(names: Sequence[str], prefix: str = "self") -> str:
    """CEL: none of the optional members is set."""
    return " && ".join(f"!has({prefix}.{name})" for name in names)
