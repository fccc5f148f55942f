"""Values by botocore's shapes: such as AWS takes, and such as it never should.

Made from a seeded Random, because strategies for shapes as large as a job definition cost more than
all that is tested with them; Hypothesis chooses the seeds, and the order of the calls.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

DEEPEST = 7
ODD_TEXTS = (
    *("", " ", "-", ".", ":", "/", "*", "?", "%", "%00", "{}", "[", "[]", '"', "'", "\\", "\\*"),
    *("nan", "NaN", "inf", "-inf", "1e999", "-1", "0", "1", "1.0", "0.25", "2", "2048", "1_000"),
    *(
        "٣",
        "²",
        "ü",
        "\u202e",
        "💥",
        "\u0000",
        "\u001b",
        "\ud800",
        "\uffff",
        "\n",
        "a\nb",
        "é" * 64,
    ),
    *("x" * 129, "x" * 300, "9" * 5000, "true", "null", "None", "default", "optimal", "m7i.large"),
    *("arn:", "arn:aws", ":::::::", "arn:aws:batch:eu-central-1:111122223333:", "a:b:c:d:e:f:g"),
    *("arn:aws:batch:us-east-1:444455556666:job-queue/main", "arn:aws:iam::1:role/x", "main:1"),
    *("main:0", "main:-1", "main:99999999999999999999", "main:1:1", ":1", "i-", "i-xyz", "ami-1"),
    *("f/1", "b/" + "9" * 56, "2027-13-45", "2027-01-01T00:00:00Z", "$Latest", "#1", "0:0", "1:"),
    *("0:5", "5:0", "0:0,1", "*:*", "x" * 9000, "..", "a" * 64 + "*", "Host EC2*", "a*b"),
)
ODD_NUMBERS = (
    *(0, 1, -1, 2, 3, 5, 10, 50, 60, 100, 101, 128, 256, 1000, 1001, 10_000, 10_001, 30_720),
    *(2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**63, -(2**63), 10**18, 10**30, 10**400),
)
# A thousand instances take a second.
_FEW = (-1, 0, 1, 2, 3, 10_001, 2**31 - 1)
COSTLY = {
    "MaxCount": _FEW,
    "TotalTargetCapacity": _FEW,
    "OnDemandTargetCapacity": _FEW,
    "SpotTargetCapacity": _FEW,
}
ODD_FRACTIONS = (0.0, -0.0, 0.5, 1.5, -1.0, 1e308, float("nan"), float("inf"), float("-inf"))
WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, "", "x", [], {}, [None], [[]]),
    *({"": None}, {"a": {"b": []}}),
)

Known = Mapping[str, Sequence[str]]


class Values:
    """A source of values. `known` has, by a member's name, what exists in the world."""

    def __init__(self, source: random.Random, known: Known) -> None:
        self._random = source
        self._known = {name.lower(): tuple(values) for name, values in known.items() if values}
        self._texts = tuple(value for values in known.values() for value in values)

    def anew(self, shape: StructureShape) -> dict[str, Any]:
        """Parameters of a request."""
        return self._structure(shape, 0)

    def of(self, shape: Shape, name: str = "", depth: int = 0) -> Any:
        """A value that mostly fits the shape; `name` is the member that it is for."""
        if self._random.random() < 0.01:
            return self.wrong()
        match shape:
            case StructureShape():
                return self._structure(shape, depth)
            case ListShape():
                return [self.of(shape.member, name, depth + 1) for _ in range(self._size(depth))]
            case MapShape():
                return {
                    self._text(shape.key, name): self.of(shape.value, "", depth + 1)
                    for _ in range(self._size(depth))
                }
            case _:
                return self._scalar(shape, name)

    def wrong(self) -> Any:
        """A value of any type."""
        return self._random.choice((*WRONG, *ODD_NUMBERS, *ODD_FRACTIONS, *ODD_TEXTS))

    def changed(self, value: Any, shape: Shape, name: str = "") -> Any:
        """A copy with one change somewhere: another value, one more, or one less."""
        if isinstance(value, dict) and isinstance(shape, StructureShape):
            return self.parameters(value, shape)
        if isinstance(value, list) and isinstance(shape, ListShape):
            return self._other_list(value, shape, name)
        return self.of(shape, name)

    def parameters(self, value: dict[str, Any], shape: StructureShape) -> dict[str, Any]:
        """A copy of a request's parameters, or of a part of them, with one change."""
        names = list(shape.members)
        if not names:
            return value
        have = [name for name in value if name in shape.members]
        name = self._random.choice(have if have and self._random.random() < 0.7 else names)
        member = shape.members[name]
        if name in value and self._random.random() < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if name in value and self._random.random() < 0.8:
            return value | {name: self.changed(value[name], member, name)}
        return value | {name: self.of(member, name, 2)}

    def _other_list(self, value: list[Any], shape: ListShape, name: str) -> list[Any]:
        dice = self._random.random()
        if not value or dice < 0.2:
            return [*value, self.of(shape.member, name, 2)]
        at = self._random.randrange(len(value))
        if dice < 0.3:
            return [*value[:at], *value[at + 1 :]]
        if dice < 0.4:
            return value * self._random.choice((2, 60))
        return [*value[:at], self.changed(value[at], shape.member, name), *value[at + 1 :]]

    def _structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        share = 0.25 if depth < DEEPEST else 0.0
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            needed = name in shape.required_members and self._random.random() > 0.01
            if needed or self._random.random() < share:
                found[name] = self.of(member, name, depth + 1)
        return found

    def _size(self, depth: int) -> int:
        if depth >= DEEPEST:
            return 0
        return self._random.choice((0, 1, 1, 1, 1, 2, 2, 3, 51 if depth < 2 else 1))

    def _scalar(self, shape: Shape, name: str) -> Any:
        match shape.type_name:
            case "string":
                return self._text(shape, name)
            case "boolean":
                return self._random.random() < 0.5
            case "integer" | "long":
                return self._random.choice(COSTLY.get(name, ODD_NUMBERS))
            case "float" | "double":
                return self._random.choice(ODD_FRACTIONS)
            case "timestamp":
                return self._random.choice((0, 1_800_000_000, -1, 10**18, 1.5, "2027-01-01", "x"))
            case "blob":
                return self._random.choice(("", "eA==", "x", "\u0000"))
            case kind:
                raise AssertionError(f"a shape of a new kind: {kind}")

    def _text(self, shape: Shape, name: str) -> str:
        dice = self._random.random()
        if isinstance(shape, StringShape) and shape.enum and dice < 0.85:
            return str(self._random.choice(shape.enum))
        if dice < 0.75 and (known := self._known.get(name.lower())):
            return self._random.choice(known)
        if dice < 0.85:
            return self._random.choice(self._texts)
        return self._random.choice(ODD_TEXTS)
