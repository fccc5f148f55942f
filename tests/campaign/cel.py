"""CEL as far as the rules of our CRDs use it, evaluated as the API server does.

A test holds it to every case of tests/support/crd_cases, which the real API server decides in
tests/integration/test_crds.py. What the rules do not use yet is a CelError, never a guess.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

Scope = Mapping[str, Any]
Node = Callable[[Scope], Any]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*') | (?P<number>\d+(?:\.\d+)?) | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        | (?P<sign>\|\||&&|[=!<>]=|[-+*/%<>!?:.,()\[\]])
    )""",
    re.VERBOSE,
)
_LEVELS: tuple[Mapping[str, Callable[[Any, Any], Any]], ...] = (
    {
        "==": lambda left, right: left == right,
        "!=": lambda left, right: left != right,
        "<": lambda left, right: left < right,
        "<=": lambda left, right: left <= right,
        ">": lambda left, right: left > right,
        ">=": lambda left, right: left >= right,
        "in": lambda left, right: left in right,
    },
    {"+": lambda left, right: left + right, "-": lambda left, right: left - right},
)
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"size": len, "double": float, "int": int}
_METHODS: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "sum": sum,
    "contains": lambda text, part: part in text,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "lowerAscii": str.lower,
    "matches": lambda text, pattern: _found(text, pattern) is not None,
}
_MACROS: Mapping[str, Callable[[list[Any], list[Any]], Any]] = {
    "all": lambda _, results: all(results),
    "exists": lambda _, results: any(results),
    "exists_one": lambda _, results: sum(results) == 1,
    "map": lambda _, results: results,
    "filter": lambda each, results: [one for one, kept in zip(each, results, strict=True) if kept],
}


class CelError(ValueError):
    """The expression cannot be read or evaluated; the API server then refuses the object."""


def evaluate(rule: str, this: Any, old: Any = None) -> bool:
    """Whether the rule holds of a value (`self`), and of the one before it (`oldSelf`)."""
    try:
        return bool(_compiled(rule)({"self": this, "oldSelf": old}))
    except (KeyError, TypeError, ValueError) as error:
        raise CelError(f"{rule}: {error!r}") from error


@cache
def asks_for_the_past(rule: str) -> bool:
    """Whether the rule is one of transitions, which the API server asks at updates only."""
    return re.search(r"\boldSelf\b", rule) is not None


@cache
def _compiled(rule: str) -> Node:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(rule.rstrip()):
        found = _TOKEN.match(rule, at)
        if found is None or found.lastgroup is None:
            raise CelError(f"cannot read {rule[at:]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    parser = _Parser(tokens)
    node = parser.choice()
    if parser.peek() is not None:
        raise CelError(f"{rule}: what is {parser.peek()!r}?")
    return node


@dataclass
class _Parser:
    """Recursive descent: one method a level of precedence."""

    tokens: list[tuple[str, str]]
    at: int = 0

    def peek(self) -> str | None:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def choice(self) -> Node:
        """condition ? yes : no"""
        condition = self._either()
        if not self._took("?"):
            return condition
        yes = self.choice()
        self._expect(":")
        no = self.choice()
        return lambda scope: yes(scope) if condition(scope) else no(scope)

    def _either(self) -> Node:
        parts = [self._both()]
        while self._took("||"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)

    def _both(self) -> Node:
        parts = [self._level(0)]
        while self._took("&&"):
            parts.append(self._level(0))
        return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)

    def _level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self._unary()
        left = self._level(number + 1)
        while (sign := self.peek()) in _LEVELS[number]:
            self.at += 1
            left = _joined(_LEVELS[number][str(sign)], left, self._level(number + 1))
        return left

    def _unary(self) -> Node:
        if self._took("!"):
            node = self._unary()
            return lambda scope: not node(scope)
        if self._took("-"):
            node = self._unary()
            return lambda scope: -node(scope)
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while self._took("."):
            name = self._next()
            node = self._method(node, name) if self._took("(") else _field(node, name)
        return node

    def _method(self, node: Node, name: str) -> Node:
        if name in _MACROS:
            variable = self._next()
            self._expect(",")
            (body,) = self._arguments(")")
            return _over(_MACROS[name], node, variable, body)
        arguments = self._arguments(")")
        return _called(_METHODS, name, (node, *arguments))

    def _primary(self) -> Node:
        if self._took("("):
            node = self.choice()
            self._expect(")")
            return node
        if self._took("["):
            entries = self._arguments("]")
            return lambda scope: [entry(scope) for entry in entries]
        kind, text = self.tokens[self.at]
        self.at += 1
        match kind:
            case "text":
                value = re.sub(r"\\(.)", _unescaped, text[1:-1])
                return lambda _: value
            case "number":
                number = float(text) if "." in text else int(text)
                return lambda _: number
            case "name":
                return self._named(text)
            case _:
                raise CelError(f"what is {text!r}?")

    def _named(self, name: str) -> Node:
        if name in _WORDS:
            return lambda _: _WORDS[name]
        if not self._took("("):
            return lambda scope: scope[name]
        arguments = self._arguments(")")
        if name == "has":
            return _there(arguments[0])
        return _called(_FUNCTIONS, name, arguments)

    def _arguments(self, end: str) -> tuple[Node, ...]:
        if self._took(end):
            return ()
        found = [self.choice()]
        while self._took(","):
            found.append(self.choice())
        self._expect(end)
        return tuple(found)

    def _took(self, sign: str) -> bool:
        if self.peek() != sign:
            return False
        self.at += 1
        return True

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise CelError(f"{sign!r} is missing before {self.peek()!r}")


def _joined(operation: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    return lambda scope: operation(left(scope), right(scope))


def _field(node: Node, name: str) -> Node:
    member = name[2:-2] if name.startswith("__") and name.endswith("__") else name
    return lambda scope: node(scope)[member]


def _there(field: Node) -> Node:
    def node(scope: Scope) -> bool:
        try:
            field(scope)
        except KeyError:
            return False
        return True

    return node


def _called(
    known: Mapping[str, Callable[..., Any]], name: str, arguments: tuple[Node, ...]
) -> Node:
    if name not in known:
        raise CelError(f"{name}() is not known here")
    function = known[name]
    return lambda scope: function(*(argument(scope) for argument in arguments))


def _over(
    macro: Callable[[list[Any], list[Any]], Any], node: Node, variable: str, body: Node
) -> Node:
    def over(scope: Scope) -> Any:
        each = list(node(scope))
        return macro(each, [body({**scope, variable: one}) for one in each])

    return over


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1])


def _found(text: str, pattern: str) -> re.Match[str] | None:
    r"""As RE2 does: \w is ASCII, and $ is not before a line end."""
    strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    return re.search(strict, text, re.ASCII)
