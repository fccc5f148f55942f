"""Regular expressions of the cluster query language, matched in linear time.

ECS takes Java's, and a text must match as a whole. Known here: characters, `.`, classes, escapes,
`*`, `+`, `?`, `|` and groups. Whatever else Java knows is NotImplemented, so that no filter means
something else here than in AWS. Python's own matcher would not do: it can take for ever.
"""

import re
from dataclasses import dataclass, field

from awsbatch_simulator.errors import AwsFailure, not_implemented

DEEPEST = 50  # groups in groups
_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|.", re.DOTALL)
_SIGNS = frozenset("*+?|()")
_ESCAPED = re.compile(r"\\(?:[dDwWsS]|[^a-zA-Z0-9])")


@dataclass(slots=True)
class _State:
    """A place between two characters: `accepts` leads on by one character, `free` without one."""

    accepts: re.Pattern[str] | None = None
    after: "_State | None" = None
    free: list["_State"] = field(default_factory=list)


class Pattern:
    """One expression. Raises AwsFailure for one that has no meaning."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._start, self._end = self._alternatives(0)
        if self._at < len(self._tokens):
            raise _senseless(text)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        states = _reached([self._start])
        for character in text:
            states = _reached(
                [
                    state.after
                    for state in states
                    if state.accepts is not None
                    and state.after is not None
                    and state.accepts.fullmatch(character)
                ]
            )
        return any(state is self._end for state in states)

    def _alternatives(self, depth: int) -> tuple[_State, _State]:
        if depth > DEEPEST:
            raise _senseless("(" * depth)
        start, end = _State(), _State()
        while True:
            first, last = self._sequence(depth)
            start.free.append(first)
            last.free.append(end)
            if self._next() != "|":
                return start, end
            self._at += 1

    def _sequence(self, depth: int) -> tuple[_State, _State]:
        start = last = _State()
        while (token := self._next()) is not None and token not in {"|", ")"}:
            self._at += 1
            first, end = self._atom(token, depth)
            first, end = self._repeated(first, end)
            last.free.append(first)
            last = end
        return start, last

    def _atom(self, sign: str, depth: int) -> tuple[_State, _State]:
        if sign == "(":
            if self._next() == "?":
                raise not_implemented("ecs", "groups of regular expressions that begin with (?")
            found = self._alternatives(depth + 1)
            if self._next() != ")":
                raise _senseless("(")
            self._at += 1
            return found
        if sign in _SIGNS:
            raise _senseless(sign)
        if sign in {"^", "$"}:  # the whole text must match anyhow
            empty = _State()
            return empty, empty
        end = _State()
        return _State(_character(sign), end), end

    def _repeated(self, first: _State, end: _State) -> tuple[_State, _State]:
        token = self._next()
        if token not in {"*", "+", "?"}:
            return first, end
        self._at += 1
        if self._next() == "+":
            raise not_implemented("ecs", "possessive regular expressions")
        if self._next() == "?":  # takes as little as it can: no other texts match because of it
            self._at += 1
        before, after = _State(free=[first]), _State()
        end.free.append(after)
        if token in {"*", "?"}:
            before.free.append(after)
        if token in {"*", "+"}:
            end.free.append(first)
        return before, after

    def _next(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None


def _reached(states: list[_State]) -> list[_State]:
    """These states and all that can be had from them without a character."""
    found: dict[int, _State] = {}
    while states:
        state = states.pop()
        if id(state) not in found:
            found[id(state)] = state
            states.extend(state.free)
    return list(found.values())


def _character(sign: str) -> re.Pattern[str]:
    """One character: itself, any, one of a class, or what an escape stands for."""
    if sign in {"{", "}"}:
        raise not_implemented("ecs", "regular expressions with counts ({})")
    if sign.startswith("[") and ("[" in sign[1:] or "&&" in sign):
        raise not_implemented("ecs", "regular expressions with classes in classes")
    if sign.startswith("\\") and not _ESCAPED.fullmatch(sign):
        raise not_implemented("ecs", f"the regular expression {sign}")
    if sign in {"[", "]"}:
        raise _senseless(sign)
    special = sign == "." or sign.startswith(("[", "\\"))
    try:
        return re.compile(sign if special else re.escape(sign), re.ASCII)
    except re.error:
        raise _senseless(sign) from None


def _senseless(text: str) -> AwsFailure:
    message = f"Invalid filter: the regular expression cannot be read at {text[:100]}"
    return AwsFailure("InvalidParameterException", message)
