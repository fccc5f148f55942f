"""What a planner answers: the next steps, or why there are none; and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.scope import ScopeRecord


class Action(Protocol):
    """What a step does: a value that names AWS's operation."""

    @property
    def operation(self) -> str:
        """AWS's word for the call, such as "UpdateJobQueue": rate limits go by it."""


ActionT = TypeVar("ActionT", bound=Action)


class Expectation(Protocol):
    """What the next look must show of a step that AWS took. A value: compared like any other."""

    def met(self, observed: Any) -> bool:
        """Whether the observation shows it; `observed` is None if AWS shows no such thing."""


@dataclass(frozen=True, slots=True)
class Step(Generic[ActionT]):
    """One AWS call.

    `record` are annotations that must stand in the object before the call is sent, because AWS
    cannot repeat it safely, or would not tell afterwards what it was for. Steps of one lane follow
    one another and end at the lane's first error; lanes are independent of each other. `note` is
    told as an event when the call has succeeded. Two equal steps in a row are legitimate; a step
    whose `expects` stays unmet at the next look was taken by AWS and is not shown yet. `because` is
    said before the words of an error: what the step would have mended.
    """

    action: ActionT
    record: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""
    note: Finding | None = None
    expects: Expectation | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Plan(Generic[ActionT]):
    """Steps in order; findings; and when to look again.

    `record` are annotations to be written although no call depends on them. `recorded` has the
    names that the object has in AWS from now on, and nothing else of it is heeded: they are written
    before the first step is sent, and the look after that is by them. `announce` are status fields
    that must be written before the first step is sent: what will be done, and why.
    `released` (removal only) means that AWS holds nothing of the object any more, or that it was
    retained on purpose: the finalizer may go. `drift` are the fields in which AWS differs from the
    spec and is left so, because driftPolicy is Report; None: it was not compared for that.
    """

    steps: tuple[Step[ActionT], ...] = ()
    findings: tuple[Finding, ...] = ()
    record: Mapping[str, str] = field(default_factory=dict)
    recorded: ScopeRecord | None = None
    announce: Mapping[str, Any] = field(default_factory=dict)
    released: bool = False
    look_again_seconds: float | None = None
    drift: tuple[str, ...] | None = None

    @property
    def actions(self) -> tuple[ActionT, ...]:
        """The calls alone, in order."""
        return tuple(step.action for step in self.steps)

    def lanes(self) -> Mapping[str, tuple[Step[ActionT], ...]]:
        """The steps of each lane, in order; lanes in the order of their first steps."""
        found: dict[str, list[Step[ActionT]]] = {}
        for step in self.steps:
            found.setdefault(step.lane, []).append(step)
        return {lane: tuple(steps) for lane, steps in found.items()}


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ActionT]):
    """How far a lane came.

    `done` are the steps that AWS took, in order; `answer` is what the last of them returned if that
    is a new observation. A lane that did not come to its end has either `error`, with the step it
    belongs to in `failed`, or `waits_seconds`: there is no rate token for its next step yet.
    """

    done: tuple[Step[ActionT], ...] = ()
    answer: Any = None
    failed: Step[ActionT] | None = None
    error: Exception | None = None
    waits_seconds: float | None = None

    @property
    def came_short(self) -> bool:
        """Whether the lane did not come to its end."""
        return self.error is not None or self.waits_seconds is not None
