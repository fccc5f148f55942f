"""Places in a queue: never more than the limit, the oldest first, and nobody waits for ever."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.kinds.batchjob.jobs import DEFINITION_ARN, NOW, QUEUE_ARN, first_submission, job

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import INSTALLATION, RESOLVED, ObjectKey, Resource
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.kinds.batchjob.in_flight import InFlight

QUEUE = ObjectKey("JobQueue", "climate", "main")
RECORD = (
    '{"accountId":"111122223333","region":"eu-central-1","awsName":"main","account":"",'
    '"origin":"Created"}'
)
BY_NAME = {
    "jobQueueRef": {"name": "main"},
    "jobDefinitionRef": {"arn": DEFINITION_ARN},
}


def key(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", "climate", name)


def change(resource: Resource, *, settled: bool = False, gone: bool = False) -> Change:
    return Change(
        key=resource.key,
        uid=resource.uid,
        version=1,
        resource=None if gone else resource,
        own=False,
        significant=True,
        settled=settled,
    )


def queue(limit: int | None) -> Change:
    spec = {} if limit is None else {"maxInFlight": limit}
    annotations = {RESOLVED: RECORD}
    status = {"arn": QUEUE_ARN}
    return change(job(key=QUEUE, spec=spec, status=status, annotations=annotations))


def waiting(name: str, age: float, **changes: Any) -> Resource:
    """A job of which nothing is recorded yet."""
    return replace(
        job(key=key(name), uid=name, spec=BY_NAME, created=NOW.plus(-age)), status={}, **changes
    )


def told_to_wait(name: str, age: float) -> Resource:
    said = {"type": "Reconciling", "status": "True", "reason": "QueueFull", "message": ""}
    return replace(waiting(name, age), status={"conditions": [said]})


def under_way(name: str, *conditions: dict[str, Any], **status: Any) -> Resource:
    record = replace(first_submission(), uid=name, queue=QUEUE_ARN).annotation()
    made = waiting(name, 0.0, annotations=record)
    return replace(made, status={"conditions": list(conditions), **status})


def of_others(resource: Resource) -> Resource:
    """The same, served by another installation."""
    return replace(resource, annotations={**resource.annotations, INSTALLATION: "team/theirs"})


def holds(reason: str, name: str) -> dict[str, Any]:
    return {"type": name, "status": "True", "reason": reason, "message": ""}


def free_places(limit: int, *changes: Change) -> bool:
    """Whether a newcomer gets a place beside those."""
    places = InFlight()
    for each in (queue(limit), *changes):
        places.heard(each)
    return places.held_back(key("new"), NOW, QUEUE_ARN) is None


def test_who_has_a_place():
    known = {"run": 1, "jobId": "job-1"}
    complete, stalled = holds("Succeeded", "Complete"), holds("InvalidRequest", "Stalled")
    assert not free_places(1, change(under_way("a")))
    assert not free_places(1, change(under_way("a", **known)))
    assert not free_places(1, change(under_way("a", stalled, **known)))
    assert not free_places(1, change(replace(under_way("a", **known), deleting=True)))
    assert free_places(1, change(under_way("a", stalled)))
    assert free_places(1, change(under_way("a", complete, **known)))
    assert free_places(1, change(under_way("a", holds("Suspended", "Suspended"), **known)))
    assert free_places(1, change(under_way("a", **known), settled=True))
    assert free_places(1, change(under_way("a"), gone=True))
    assert free_places(1, change(waiting("a", 5)))
    assert not free_places(1, change(told_to_wait("a", 5)))
    assert free_places(2, change(told_to_wait("a", 5)))
    assert free_places(1, change(told_to_wait("a", -5)))  # it came later
    for held in ({"paused": "true"}, {}):
        annotations = {f"awsbatch.dev/{name}": text for name, text in held.items()}
        spec = BY_NAME if held else BY_NAME | {"suspend": True}
        one = replace(told_to_wait("a", 5), annotations=annotations, spec=spec)
        assert free_places(1, change(one))


def test_who_waits_for_another_installation_keeps_nobody_of_ours_waiting():
    """It is not we who submit it; and that installation may be gone for good."""
    places, theirs = InFlight(installation="ops/ours"), of_others(told_to_wait("a", 5))
    places.heard(queue(1))
    places.heard(change(theirs))
    assert places.held_back(key("new"), NOW, QUEUE_ARN) is None


def test_a_place_is_free_again_when_whoever_was_promised_it_is_handed_over():
    places, mine = InFlight(installation="ops/ours"), waiting("a", 5)
    places.heard(queue(1))
    assert places.held_back(mine.key, mine.created, QUEUE_ARN) is None
    places.heard(change(of_others(mine)))
    assert places.held_back(key("new"), NOW, QUEUE_ARN) is None


def test_what_another_installation_has_submitted_takes_its_place():
    places, theirs = InFlight(installation="ops/ours"), of_others(under_way("a"))
    places.heard(queue(1))
    places.heard(change(theirs))
    assert places.held_back(key("new"), NOW, QUEUE_ARN) is not None


def test_a_queue_that_shows_an_arn_of_another_name_limits_nobody():
    places = InFlight()
    resource = queue(1).resource
    assert resource is not None
    foreign = RECORD.replace('"main"', '"other"')
    places.heard(change(replace(resource, annotations={RESOLVED: foreign})))
    places.heard(change(under_way("a")))
    assert places.held_back(key("new"), NOW, QUEUE_ARN) is None


def test_a_place_that_is_promised_is_neither_given_twice_nor_lost():
    woken: list[ObjectKey] = []
    places = InFlight(woken.append)
    places.heard(queue(1))
    assert places.held_back(key("a"), NOW, QUEUE_ARN) is None
    assert places.held_back(key("b"), NOW, QUEUE_ARN) is not None
    assert places.held_back(key("a"), NOW, QUEUE_ARN) is None
    places.leave(key("a"))
    assert woken == [key("b")]


@pytest.mark.parametrize("limit", [None, 250, 10_000])
def test_who_may_all_go_at_once_are_woken_about_once_each(limit):
    woken: list[ObjectKey] = []
    places = InFlight(woken.append)
    places.heard(queue(0))
    names = [f"job-{number:03}" for number in range(200)]
    for name in names:
        assert places.held_back(key(name), NOW, QUEUE_ARN) is not None
    places.heard(queue(limit))
    for number, name in enumerate(names):
        assert places.held_back(key(name), NOW, QUEUE_ARN) is None
        places.heard(change(under_way(name)))
        if number % 2:
            places.heard(change(under_way(name), settled=True))
    assert {*woken} == {key(name) for name in names}
    assert len(woken) <= 3 * len(names)


class Places(RuleBasedStateMachine):
    """A small cluster: jobs come, have turns, are submitted, end, are paused; the limit changes."""

    def __init__(self) -> None:
        super().__init__()
        self.woken: set[str] = set()
        self.places = InFlight(lambda woken: self.woken.add(woken.name))
        self.limit: int | None = 2
        self.ages: dict[str, float] = {}
        self.state: dict[str, str] = {}  # new, full, promised, under way, over
        self.places.heard(queue(self.limit))

    def born(self, name: str) -> Instant:
        return NOW.plus(-self.ages[name])

    def named(self, *states: str) -> list[str]:
        return [name for name, state in self.state.items() if state in states]

    @property
    def occupied(self) -> int:
        return len(self.named("promised", "under way"))

    @rule(age=st.integers(0, 5))
    def comes(self, age: int) -> None:
        name = f"job-{len(self.ages)}"
        self.ages[name] = float(age)
        self.state[name] = "new"
        self.places.heard(change(waiting(name, age)))
        self.woken.add(name)

    @precondition(lambda self: self.woken)
    @rule(data=st.data())
    def has_a_turn(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.woken)))
        self.woken.discard(name)
        if self.state[name] not in {"new", "full", "promised"}:
            return
        if self.places.held_back(key(name), self.born(name), QUEUE_ARN) is None:
            self.state[name] = "promised"
        else:
            self.state[name] = "full"
            self.places.heard(change(told_to_wait(name, self.ages[name])))

    @precondition(lambda self: self.named("promised"))
    @rule(data=st.data(), goes=st.booleans())
    def is_submitted_or_gives_its_place_up(self, data: st.DataObject, *, goes: bool) -> None:
        name = data.draw(st.sampled_from(self.named("promised")))
        if goes:
            self.state[name] = "under way"
            self.places.heard(change(under_way(name)))
        else:
            self.state[name] = "over"
            self.places.heard(change(waiting(name, 0), gone=True))

    @precondition(lambda self: self.named("under way"))
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.named("under way")))
        self.state[name] = "over"
        self.places.heard(change(under_way(name), settled=True))

    @rule(limit=st.none() | st.integers(1, 4))
    def limit_changes(self, limit: int | None) -> None:
        self.limit = limit
        self.places.heard(queue(limit))

    @rule()
    def restarts(self) -> None:
        """All that is in memory is lost; everybody has a first turn."""
        self.places = InFlight(lambda woken: self.woken.add(woken.name))
        self.places.heard(queue(self.limit))
        for name in self.named("new", "promised"):
            self.state[name] = "new"
            self.places.heard(change(waiting(name, self.ages[name])))
        for name in self.named("full"):
            self.places.heard(change(told_to_wait(name, self.ages[name])))
        for name in self.named("under way"):
            self.places.heard(change(under_way(name)))
        self.woken |= set(self.named("new", "full"))

    @invariant()
    def a_free_place_is_on_its_way_to_whoever_waits_longest(self) -> None:
        full = sorted(self.named("full"), key=lambda name: (-self.ages[name], name))
        free = len(full) if self.limit is None else max(self.limit - self.occupied, 0)
        assert set(full[:free]) <= self.woken

    @precondition(lambda self: self.limit is not None)
    @rule(age=st.integers(0, 9))
    def nobody_gets_in_beyond_the_limit_or_before_one_that_waits_longer(self, age: int) -> None:
        name = f"job-{len(self.ages)}"
        self.ages[name], self.state[name] = float(age), "over"
        born = self.born(name)
        older = [one for one in self.named("full") if (-self.ages[one], one) < (-age, name)]
        assert self.limit is not None
        fits = len(older) < self.limit - self.occupied
        assert (self.places.held_back(key(name), born, QUEUE_ARN) is None) == fits
        self.places.heard(change(waiting(name, age), gone=True))


TestPlaces = Places.TestCase
TestPlaces.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
