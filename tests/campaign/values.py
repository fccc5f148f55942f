"""From the schema to values: for each field a valid one, another valid one, and a mistake (pure).

A field is put into the first spec of `bases.BASES` in which an API server with our CRDs takes it,
members that it needs beside it included; so no spec is ever sent that `kubectl apply` would refuse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from tests.campaign.admission import fits, may_follow, refused, schema_of
from tests.campaign.bases import BASES
from tests.campaign.words import AMOUNTS, ANY_MAP, ANY_WORDS, MAPS, MISTAKES, NUMBERS, WORDS

Spec = Mapping[str, Any]
Schema = Mapping[str, Any]
Path = tuple[str, ...]  # names of members; "[]" for an entry of a list

ENTRY = "[]"
TRIED = 8  # values of a field at a place; most are taken at once
FIRST, ADDED = 0, -1  # into which entry of a list a field is put: the first, or one more


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind's spec that has no members of its own."""

    kind: str
    path: Path
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As users write it: computeResources.subnets, containers[].image."""
        return ".".join(self.path).replace(f".{ENTRY}", ENTRY)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one field: `first` and `second` are valid, and may follow `base` and back.

    `second` is None if the schema has only one value besides the base's. If the API server lets
    nobody change the field, it is `fixed`: an object can only be made so. `mistake` is what people
    write instead, and whether the schema refuses it (`unsound`): an object has that when it was
    stored under an older CRD.
    """

    kind: str
    field: str
    shape: str  # the name of the base
    base: Spec
    first: Spec
    second: Spec | None
    fixed: bool
    mistake: Spec
    unsound: bool


def fields(kind: str) -> Iterator[Field]:
    """All fields of the spec that have no members of their own, in the schema's order.

    Those without a description stand in another kind as well, where they are changed.
    """
    for path, schema in _leaves(schema_of(kind)["properties"]["spec"], ()):
        yield Field(kind, path, schema)


def _leaves(schema: Schema, path: Path) -> Iterator[tuple[Path, Schema]]:
    if "properties" in schema:
        for name, inner in schema["properties"].items():
            if "description" in inner:
                yield from _leaves(inner, (*path, name))
    elif "properties" in schema.get("items", {}):
        yield from _leaves(schema["items"], (*path, ENTRY))
    else:
        yield path, schema


def changes(kind: str, part: int = 0, parts: int = 1) -> tuple[Change, ...]:
    """A change for every field that has any valid value besides the base's, and of every shape.

    Of several parts, each has every so many-th field: the same ones every time.
    """
    some = islice(fields(kind), part, None, parts)
    found = [change for field in some if (change := change_of(field)) is not None]
    return (*found, *islice(_shapes(kind), part, None, parts))


def change_of(field: Field) -> Change | None:
    """The best that can be done with the field: a pair in one base, else one value, else fixed."""
    best: Change | None = None
    bases = BASES[field.kind].items()
    for shape, base in sorted(bases, key=lambda each: -_reaches(each[1], field.path)):
        for place in (FIRST, ADDED) if ENTRY in field.path else (FIRST,):
            found = _change_in(field, shape, base, place)
            if found is not None and (best is None or _worth(found) > _worth(best)):
                best = found
            if best is not None and _worth(best) == (True, True):
                return best
    return best


def _reaches(spec: Any, path: Path) -> int:
    """How many names of the path the spec has already."""
    for number, name in enumerate(path):
        if name == ENTRY:
            spec = spec[0] if spec else None
        elif not isinstance(spec, Mapping) or name not in spec:
            return number
        else:
            spec = spec[name]
    return len(path)


def _worth(change: Change) -> tuple[bool, bool]:
    return not change.fixed, change.second is not None


def _change_in(field: Field, shape: str, base: Spec, place: int) -> Change | None:
    """The change in one base, at one place; None if the API server takes no value there."""
    schema = schema_of(field.kind)["properties"]["spec"]
    made: list[Spec] = []
    for value in islice(fitting(field), TRIED):
        spec = put(base, schema, field.path, value, place)
        if spec != base and spec not in made and not refused(field.kind, spec):
            made.append(spec)
    if not made:
        return None
    movable = [spec for spec in made if _may_follow(field.kind, base, spec)]
    fixed = not movable
    first, second = (movable or made)[0], None
    for one, other in combinations(movable, 2):
        if _may_follow(field.kind, one, other):
            first, second = one, other
            break
    if fixed and len(made) > 1:
        second = made[1]
    mistake, unsound = _mistake(field, base, place)
    return Change(field.kind, field.name, shape, base, first, second, fixed, mistake, unsound)


def fitting(field: Field) -> Iterator[Any]:
    """Values that the field's own schema allows."""
    return (value for value in candidates(field.schema, field.path) if fits(field.schema, value))


def _may_follow(kind: str, one: Spec, other: Spec) -> bool:
    """Whether the one may be changed to the other, and back."""
    return may_follow(kind, one, other) and may_follow(kind, other, one)


def _mistake(field: Field, base: Spec, place: int) -> tuple[Spec, bool]:
    wrong = looked_up(MISTAKES, field.path)
    wrong = unfit(field.schema) if wrong is None else wrong
    spec = put(base, schema_of(field.kind)["properties"]["spec"], field.path, wrong, place)
    return spec, bool(refused(field.kind, spec, base))


def _shapes(kind: str) -> Iterator[Change]:
    """From each base to the two after it: what can only change together."""
    names = list(BASES[kind])
    for index, name in enumerate(names):
        others = [names[(index + step) % len(names)] for step in (1, 2)]
        if name in others:
            continue
        base, first, second = (BASES[kind][each] for each in (name, *others))
        steps = ((base, first), (first, second), (base, second))
        if all(_may_follow(kind, *step) for step in steps):
            shape = f"spec, from {name} to {others[0]} and {others[1]}"
            yield Change(kind, shape, name, base, first, second, False, first, False)  # noqa: FBT003


def candidates(schema: Schema, path: Path) -> Iterator[Any]:
    """Values that the field's own schema may allow, the likeliest first."""
    match schema["type"]:
        case "boolean":
            yield from (True, False)
        case "integer":
            low, high = schema["minimum"], schema["maximum"]
            yield from looked_up(AMOUNTS, path) or ()
            yield from (number for number in NUMBERS if low <= number <= high)
            yield from (low, high)
        case "string":
            yield from _texts(schema, path)
        case "array":
            scalars = list(candidates(schema["items"], path))
            yield from ([one] for one in scalars)
            yield from ([scalars[0], other] for other in scalars[1:])
        case _:
            yield from (dict(each) for each in looked_up(MAPS, path) or ANY_MAP)


def _texts(schema: Schema, path: Path) -> Iterator[str]:
    words = looked_up(WORDS, path) or ()
    if "enum" in schema:
        yield from (word for word in words if word in schema["enum"])
        yield from (word for word in schema["enum"] if word not in words)
    else:
        yield from (*words, *ANY_WORDS)


def unfit(schema: Schema) -> Any:
    """A value that no version of the schema has allowed."""
    match schema["type"]:
        case "boolean":
            return "yes"
        case "integer":
            return schema["maximum"] + 1
        case "string":
            return "x y" if "enum" in schema else "x" * (schema.get("maxLength", 100_000) + 1)
        case "array":
            return [unfit(schema["items"])]
        case _:
            return {"team": 5}


def looked_up(table: Mapping[str, Any], path: Path) -> Any:
    """By the member's name with its parent's, else by its name; None if neither is there."""
    names = [name for name in path if name != ENTRY]
    return table.get(".".join(names[-2:]), table.get(names[-1]))


def put(  # noqa: PLR0917 - a spec, where in it, and what
    spec: Any, schema: Schema, path: Path, value: Any, place: int = FIRST, way: Path = ()
) -> Any:
    """A copy of the spec with the value at the path, and what the schema requires on the way.

    `place` is about the last list on the path; of those before it, the first entry is taken. `way`
    are the names that lead to the spec.
    """
    if not path:
        return value
    name, rest, here = path[0], path[1:], (*way, path[0])
    if name == ENTRY:
        entries = list(spec or ())
        added = place == ADDED and ENTRY not in rest
        if added or not entries:
            entries.append(minimal(schema["items"], here))
        index = -1 if added else 0
        entries[index] = put(entries[index], schema["items"], rest, value, place, here)
        return entries
    inner = schema["properties"][name]
    there = (spec or {}).get(name)
    if there is None and rest:
        there = minimal(inner, here)
    return {**(spec or {}), name: put(there, inner, rest, value, place, here)}


def minimal(schema: Schema, way: Path) -> Any:
    """The smallest value of a schema: what it requires, and no more."""
    if schema.get("type") == "object" and "properties" in schema:
        required: Sequence[str] = schema.get("required", ())
        return {name: minimal(schema["properties"][name], (*way, name)) for name in required}
    if "properties" in schema.get("items", {}):
        entries = min(schema.get("minItems", 0), 1)
        return [minimal(schema["items"], (*way, ENTRY))] * entries
    return next(value for value in candidates(schema, way) if fits(schema, value))
