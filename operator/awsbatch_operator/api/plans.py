"""What a planner answers: the next actions, or why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from awsbatch_operator.api.findings import Finding

ActionT = TypeVar("ActionT")


@dataclass(frozen=True, slots=True)
class Plan(Generic[ActionT]):
    """Actions in order, each safe to repeat; findings; and when to look again.

    `intent` are annotations that must stand in the object before the first action is sent, because
    AWS cannot repeat that action safely. `released` (removal only) means that AWS holds nothing of
    the object any more, or that it was retained on purpose: the finalizer may go.
    """

    actions: tuple[ActionT, ...] = ()
    findings: tuple[Finding, ...] = ()
    intent: Mapping[str, str] = field(default_factory=dict)
    released: bool = False
    look_again_seconds: float | None = None
