"""A case: what is changed in a valid spec, and whether that may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Patch = Mapping[str, Any]
"""A change to a spec: structures are merged, everything else replaced, None removes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Specs that a rule accepts and refuses, as patches on the kind's valid one.

    With `before`, the patches are updates of an object that was made with that patch, and got that
    `status`. `says` is to be found in the refusal where the rule makes its message from the object.
    """

    accepts: tuple[Patch, ...]
    refuses: tuple[Patch, ...]
    before: Patch | None = None
    status: Patch | None = None
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A limit that is in the schema itself; `field` must be named by the refusal."""

    field: str
    accepts: tuple[Patch, ...]
    refuses: tuple[Patch, ...]


def case(
    *,
    accepts: Any,
    refuses: Any,
    before: Patch | None = None,
    status: Patch | None = None,
    says: str = "",
) -> Case:
    """A case; a single patch may stand for a list of one."""
    return Case(
        accepts=_many(accepts), refuses=_many(refuses), before=before, status=status, says=says
    )


def bound(field: str, *, accepts: Any, refuses: Any) -> Bound:
    """A bound; a single patch may stand for a list of one."""
    return Bound(field=field, accepts=_many(accepts), refuses=_many(refuses))


def patched(spec: Patch, patch: Patch) -> dict[str, Any]:
    """The spec with the patch applied."""
    made = dict(spec)
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(made.get(name), Mapping):
            made[name] = patched(made[name], value)
        else:
            made[name] = value
    return made


def _many(patches: Any) -> tuple[Patch, ...]:
    return tuple(patches) if isinstance(patches, list | tuple) else (patches,)
