"""What happens to ten objects in a property test: deeds in any order, while much goes wrong.

All of it is drawn by Hypothesis, so that a failure shrinks to few deeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st
from tests.support import manifests

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey

NAMESPACE = "default"
OBJECTS = 10
FEWEST, DEEDS = 8, 24
PAUSE = 90.0  # seconds, at most, between two deeds
_NEEDED = ("ComputeEnvironment", "JobQueue", "JobDefinition")
_KINDS = (*_NEEDED, "SchedulingPolicy", "BatchJob")

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: each of its specs can follow any other. `uses` are those that it refers to."""

    key: ObjectKey
    specs: tuple[Spec, ...]
    uses: tuple[int, ...] = ()

    def body(self, number: int) -> dict[str, Any]:
        """The manifest with that spec."""
        metadata = {"name": self.key.name, "namespace": NAMESPACE}
        spec = self.specs[number % len(self.specs)]
        return {
            "apiVersion": API_VERSION,
            "kind": self.key.kind,
            "metadata": metadata,
            "spec": spec,
        }


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody applies a thing with one of its specs, or deletes it; then time passes."""

    thing: int
    spec: int | None
    pause: float


@dataclass(frozen=True, slots=True)
class Storm:
    """Ten objects, what is done to them one after another, and the seed of all that goes wrong."""

    things: tuple[Thing, ...]
    deeds: tuple[Deed, ...]
    seed: int

    @property
    def wanted(self) -> Mapping[int, int]:
        """The things that are there at the end, with the spec of each."""
        found: dict[int, int] = {}
        for deed in self.deeds:
            self.do(deed, found)
        return found

    def do(self, deed: Deed, wanted: dict[int, int]) -> None:
        """Take the deed over into what is wanted.

        What uses a thing that is deleted goes with it: while it stayed, AWS would keep the thing,
        and nobody can take a deletion back.
        """
        if deed.spec is not None:
            wanted[deed.thing] = deed.spec
            return
        gone = {deed.thing}
        for _ in range(2):  # jobs use queues, and those use environments
            gone |= {
                number for number, thing in enumerate(self.things) if gone.intersection(thing.uses)
            }
        for number in gone:
            wanted.pop(number, None)


@st.composite
def storms(draw: st.DrawFn) -> Storm:
    """Any storm. At its end everything is there that something else refers to.

    Without that the end would depend on the way: an environment whose queue stays cannot go, and
    one that was never made is not there.
    """
    more = st.lists(st.sampled_from(_KINDS), min_size=OBJECTS - 3, max_size=OBJECTS - 3)
    kinds = [*_NEEDED, *draw(more)]
    seed = draw(st.integers(0, 2**16))
    dice = Random(seed)
    things = tuple(_thing(kinds, number, dice) for number in range(len(kinds)))
    deed = st.builds(
        Deed,
        thing=st.integers(0, len(things) - 1),
        spec=st.none() | st.integers(0, 2),
        pause=st.floats(0, PAUSE),
    )
    deeds = draw(st.lists(deed, min_size=FEWEST, max_size=DEEDS))
    storm = Storm(things, tuple(deeds), seed)
    return Storm(things, (*deeds, *_closing(storm)), seed)


def _closing(storm: Storm) -> list[Deed]:
    """What has to be applied again, so that all references lead to something."""
    there = dict.fromkeys(storm.wanted)
    for number in there.copy():
        for used in storm.things[number].uses:
            for each in (used, *storm.things[used].uses):
                there.setdefault(each)
    return [Deed(number, 0, 0.0) for number in there if number not in storm.wanted]


def _name(kinds: Sequence[str], number: int) -> str:
    return f"{kinds[number].lower()[:7]}-{number}"


def _thing(kinds: Sequence[str], number: int, dice: Random) -> Thing:
    kind = kinds[number]
    uses = tuple(dice.choice(_numbers(kinds, of)) for of in _USES.get(kind, ()))
    if kind == "JobQueue" and "SchedulingPolicy" in kinds:
        uses = (*uses, dice.choice(_numbers(kinds, "SchedulingPolicy")))
    specs = _SPECS[kind](*(_name(kinds, used) for used in uses))
    fair = {"shareIdentifier": "team"} if "SchedulingPolicy" in kinds else {}
    if kind == "BatchJob":
        specs = tuple({**spec, **fair} for spec in specs)
    return Thing(ObjectKey(kind, NAMESPACE, _name(kinds, number)), specs, uses)


def _numbers(kinds: Sequence[str], of: str) -> list[int]:
    return [number for number, kind in enumerate(kinds) if kind == of]


def _environments() -> tuple[Spec, ...]:
    made = manifests.environment
    tagged = {**made(maxvCpus=32), "tags": {"team": "climate"}}
    return (made(), tagged, {**made(maxvCpus=64), "tags": {"team": "ocean", "year": "2027"}})


def _policies() -> tuple[Spec, ...]:
    return (manifests.policy(), manifests.policy("2"), {"tags": {"team": "climate"}})


def _definitions() -> tuple[Spec, ...]:
    tagged = manifests.definition("second", tags={"team": "climate"}, keepRevisions=1)
    timed = manifests.definition("third", timeout={"attemptDurationSeconds": 600})
    return (manifests.definition(), tagged, timed)


def _queues(environment: str, *policy: str) -> tuple[Spec, ...]:
    fair = {"schedulingPolicyRef": {"name": policy[0]}} if policy else {}
    return (
        manifests.queue(environment, **fair),
        manifests.queue(environment, priority=20, tags={"team": "climate"}, **fair),
        manifests.queue(environment, priority=30, **fair),
    )


def _jobs(queue: str, definition: str) -> tuple[Spec, ...]:
    spec = {"jobQueueRef": {"name": queue}, "jobDefinitionRef": {"name": definition}}
    return tuple({**spec, "logs": {"statusLines": lines}} for lines in (5, 0, 3))


_USES = {"JobQueue": ("ComputeEnvironment",), "BatchJob": ("JobQueue", "JobDefinition")}
_SPECS: Mapping[str, Callable[..., tuple[Spec, ...]]] = {
    "ComputeEnvironment": _environments,
    "SchedulingPolicy": _policies,
    "JobDefinition": _definitions,
    "JobQueue": _queues,
    "BatchJob": _jobs,
}
