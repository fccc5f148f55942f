"""What the contract asks about a kind, or about one variant of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.installation import Installation

from awsbatch_operator.api.metadata import ObjectKey

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """One kind, or one variant of it. `id` is the head of its column in the table.

    `makes` is the call that makes it in AWS, `unmakes` the one that takes it away, and `enters` the
    one that must work before it can be Ready: the same as `makes`, but for an AWSAccount. `edited`
    takes exactly `edit_calls`; `unfelt` is an edit that nobody in AWS feels; `heavy` and `beyond`
    take an infrastructure update and a replacement. `drift` is done by somebody else in AWS, and
    `drift_calls` undo it; with `goes` they delete it. `mistakes` are specs that cannot be right,
    with what their refusal must say. `selectors` find it and nothing else. `name_field` is its name
    in the request that makes it.

    What takes several calls to make has them in `making`, sorted, and is cleaned up after for
    `ends_within` seconds more; with `at_once` it is Ready without them, on a clock that cannot be
    stepped. `external` is what it names of others, which its account has to allow.
    """

    id: str
    key: ObjectKey
    spec: Spec
    makes: str = ""
    unmakes: str = ""
    enters: str
    reached: str = "Ready"
    needs: tuple[ObjectKey, ...] = ()
    edited: Spec
    edit_calls: tuple[str, ...] = ()
    unfelt: Spec
    heavy: Spec = field(default_factory=dict)
    beyond: Spec = field(default_factory=dict)
    drift: Callable[[Installation], object] = lambda _: None
    goes: Callable[[Installation], object] = lambda _: None
    drift_calls: tuple[str, ...] = ()
    mistakes: tuple[tuple[Spec, str], ...]
    selectors: tuple[str, ...] = ()
    name_field: str = ""
    making: tuple[str, ...] = ()
    ends_within: float = 0.0
    at_once: Spec = field(default_factory=dict)
    external: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.id

    @property
    def kind(self) -> str:
        """Its kind in Kubernetes."""
        return self.key.kind

    @property
    def made_by(self) -> tuple[str, ...]:
        """All calls that make it, sorted."""
        return self.making or ((self.makes,) if self.makes else ())

    @property
    def lasts(self) -> bool:
        """Whether its AWS object lasts as long as it does."""
        return self.kind not in ("BatchJob", "AWSAccount")
