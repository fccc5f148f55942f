"""The ways on which the campaign leads an object through its states (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.campaign.values import Change

KINDS = ("ComputeEnvironment", "JobQueue", "SchedulingPolicy", "JobDefinition", "BatchJob")


class Act(Enum):
    """What somebody does."""

    CREATE = "create"
    SET = "set"  # a valid value
    REFUSED = "set, and AWS refuses it"
    MISTAKE = "set by mistake"
    BACK = "set back"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One transition: what is done, and the spec that is then wanted."""

    act: Act
    spec: Mapping[str, Any]
    unsound: bool = False  # the schema of this version refuses the spec


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of one object's life, from its creation to its deletion."""

    change: Change
    number: int
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """What it is about."""
        change = self.change
        return f"{change.kind} {change.field} (in {change.shape}, way {self.number})"

    @property
    def transitions(self) -> int:
        """How many; a creation is the beginning, and none."""
        return len(self.steps) - 1


def routes_of(change: Change) -> tuple[Route, ...]:
    """All states of the field, each way back, and the deletion from each state."""
    ways = _fixed_ways(change) if change.fixed else _ways(change)
    return tuple(Route(change, number, steps) for number, steps in enumerate(ways, start=1))


def _ways(change: Change) -> Iterator[tuple[Step, ...]]:
    begin, back = Step(Act.CREATE, change.base), Step(Act.BACK, change.base)
    first = Step(Act.SET, change.first)
    last = first if change.second is None else Step(Act.SET, change.second)
    refused = Step(Act.REFUSED, change.first)
    mistake = Step(Act.MISTAKE, change.mistake, change.unsound)
    undone = Step(Act.BACK, change.first)
    further = () if last == first else (last,)
    yield (begin, first, *further, back, _deleted(back))
    yield (begin, refused, back, mistake, back, last, _deleted(last))
    yield (begin, first, mistake, undone, _deleted(undone))
    yield (begin, refused, _deleted(refused))
    yield (begin, mistake, _deleted(mistake))


def _fixed_ways(change: Change) -> Iterator[tuple[Step, ...]]:
    """An object is made so, and nobody can change it."""
    for spec in (change.first, change.second):
        if spec is not None:
            made = Step(Act.CREATE, spec)
            yield (made, _deleted(made))


def _deleted(last: Step) -> Step:
    return Step(Act.DELETE, last.spec)
