"""What happens to ten objects in a property test: deeds in any order, while much goes wrong.

All of it is drawn by Hypothesis, so that a failure shrinks to few deeds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st
from tests.support import manifests

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey

NAMESPACE = "default"
OBJECTS = 10
FEWEST, DEEDS = 8, 24
PAUSE = 90.0  # seconds, at most, between two deeds
FREED = 0.5  # how likely a deletion that is held up comes to its end
_NEEDED = ("ComputeEnvironment", "JobQueue", "JobDefinition")
_KINDS = (*_NEEDED, "SchedulingPolicy", "BatchJob")

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: each of its specs can follow any other. `uses` are those that it refers to."""

    key: ObjectKey
    specs: tuple[Spec, ...]
    uses: tuple[int, ...] = ()

    @property
    def is_queue(self) -> bool:
        return self.key.kind == "JobQueue"

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
    """Somebody applies a thing with one of its specs, or deletes it; then time passes.

    `alone`: what uses a thing that is deleted stays, so that AWS keeps the thing for a while.
    """

    thing: int
    spec: int | None
    pause: float
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Storm:
    """Ten objects, what is done to them one after another, and the seed of all that goes wrong.

    After all deeds, when everything stands, `held` is deleted while the queues that use it stay;
    and these as well, if it is `freed`.
    """

    things: tuple[Thing, ...]
    deeds: tuple[Deed, ...]
    seed: int
    held: int | None = None
    freed: bool = False

    @property
    def wanted(self) -> Mapping[int, int]:
        """The things that are there when all is done, with the spec of each."""
        found: dict[int, int] = {}
        for deed in self.deeds:
            self.do(deed, found)
        return found

    def do(self, deed: Deed, wanted: dict[int, int]) -> None:
        """Take the deed over into what is wanted."""
        if deed.spec is not None:
            wanted[deed.thing] = deed.spec
            return
        for number in {deed.thing} if deed.alone else {deed.thing} | self.users(deed.thing):
            wanted.pop(number, None)

    def users(self, number: int) -> set[int]:
        """What uses the thing, and what uses that: jobs use queues, and those use environments."""
        found = {number}
        for _ in range(2):
            found |= {each for each, one in enumerate(self.things) if found.intersection(one.uses)}
        return found - {number}

    @property
    def used_by_queues(self) -> Sequence[int]:
        """What the queues use that are there when all is done."""
        queues = (self.things[each] for each in self.wanted if self.things[each].is_queue)
        return sorted({number for queue in queues for number in queue.uses})

    @property
    def stuck(self) -> Iterator[int]:
        """What is deleted alone while something that uses it is wanted."""
        wanted: dict[int, int] = {}
        for deed in self.deeds:
            if deed.spec is None and deed.alone and self.users(deed.thing) & wanted.keys():
                yield deed.thing
            self.do(deed, wanted)


@st.composite
def storms(draw: st.DrawFn) -> Storm:
    """Any storm. When its deeds are done, everything is there that something else refers to.

    Without that the end would depend on the way: a job whose definition was never made has not run,
    and one whose definition was deleted after it has. For the same reason what was deleted alone
    goes with all that uses it in the end; but for the thing that is held.
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
        alone=st.booleans(),
    )
    deeds = draw(st.lists(deed, min_size=FEWEST, max_size=DEEDS))
    storm = Storm(things, tuple(deeds), seed)
    storm = replace(storm, deeds=(*deeds, *(Deed(each, None, 0.0) for each in storm.stuck)))
    storm = replace(storm, deeds=(*storm.deeds, *_closing(storm)))
    # Not drawn: of many storms that are alike Hypothesis would take the same thing each time.
    dice = Random(repr(storm.deeds))
    held = dice.choice([*storm.used_by_queues, None])
    return replace(storm, held=held, freed=dice.random() < FREED)


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
