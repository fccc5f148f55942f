"""What AWS's model leaves out: the vocabulary of the tables under `tables/`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.rules import Rule

# AWS refuses SubmitJob bodies over 30 KiB and definitions over 24 KiB (Batch service quotas), so
# nothing in them can be longer.
TEXT = 30720
ARN = 2048
NAME = 256
# What AWS puts no bound on has as many entries as the smallest ones would fit into such a body.
LIST = TEXT // len('{"name":"A"},')
MAP = TEXT // len('"A":"",')
TEXTS = TEXT // len('"",')
INT32 = 2**31 - 1
EXACT = 2**53 - 1  # the largest integer that JSON readers keep exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an AWS structure: a line of our own, and the bounds that AWS states in prose.

    `length`, `form` and `enum` are of a string, or of the strings in a list or map of strings;
    `size` is how many entries a list or map may have; `low` and `high` bound an integer.
    `key` makes a list a map by that member, `unordered` a set. `decimal` shows a float as text.
    """

    doc: str
    length: tuple[int, int] | None = None
    form: Rule | None = None
    enum: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    low: int | None = None
    high: int | None = None
    key: str = ""
    unordered: bool = False
    decimal: bool = False
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct:
    """One AWS structure: its members, those left out (with the reason) and those of ours.

    `flags` are booleans, with a line each, that only the update of a thing has in AWS.
    """

    members: Mapping[str, Member]
    required: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    omit: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, "OwnMember"] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMember:
    """A member of ours inside an AWS structure, such as a reference instead of a name."""

    doc: str
    model: type[Fields]
    required: bool = False


Additions = Mapping[str, Struct]


def text(doc: str, high: int = NAME, *, low: int = 1, form: Rule | None = None) -> Member:
    """A string."""
    return Member(doc=doc, length=(low, high), form=form)


def words(doc: str, *values: str) -> Member:
    """A string that is one of AWS's words, where the model does not list them."""
    return Member(doc=doc, enum=values)


def arn(doc: str, *, low: int = 1) -> Member:
    """A role, key or other thing by its ARN (or by a name that AWS accepts in its place)."""
    return Member(doc=doc, length=(low, ARN))


def number(doc: str, low: int = 0, high: int = INT32) -> Member:
    """An integer."""
    return Member(doc=doc, low=low, high=high)


def plain(doc: str) -> Member:
    """A boolean, an enum of the model's, or a structure."""
    return Member(doc=doc)


def many(
    doc: str,
    size: tuple[int, int] = (0, LIST),
    *,
    length: tuple[int, int] | None = None,
    key: str = "",
    unordered: bool = False,
    form: Rule | None = None,
) -> Member:
    """A list, or a map of strings."""
    return Member(doc=doc, size=size, length=length, key=key, unordered=unordered, form=form)
