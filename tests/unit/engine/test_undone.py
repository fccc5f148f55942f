"""Whoever finds that its writes do not stand makes ever fewer of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import FINALIZER, RESOLVED, ObjectKey, Resource
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.engine.undone import (
    FORGOTTEN_SECONDS,
    FREE,
    LONGEST_SECONDS,
    Undone,
    pause_after,
)

KEY = ObjectKey("BatchJob", "science", "one")
OURS, THEIRS = {"phase": "ours"}, {"phase": "theirs"}


class World:
    """An object, one of us, and somebody who writes over it."""

    def __init__(self):
        self.clock = SteppedClock()
        self.undone = Undone(self.clock)
        made = Resource.from_body(body(KEY, version=1))
        self.now = replace(made, status=OURS, finalizers=(FINALIZER,), annotations={RESOLVED: "x"})
        self.undone.wrote(self.now)

    def changed(self, **fields):
        version = str(int(self.now.resource_version) + 1)
        self.now = replace(self.now, resource_version=version, **fields)

    def looks(self):
        """Whether a turn would write: nothing but a pause holds it back."""
        self.undone.is_undone(self.now)
        if self.undone.seconds_left(self.now.uid):
            return False
        if self.now.status != OURS:
            self.changed(status=OURS)
            self.undone.wrote(self.now)
        return True


@given(st.lists(st.floats(0.0, 30.0), min_size=300, max_size=400))
def test_however_often_it_is_written_over_few_writes_follow(waits):
    there, wrote, passed = World(), 0, 0.0
    for seconds in waits:
        there.clock.skip(seconds)
        passed += seconds
        if there.now.status == OURS:
            there.changed(status=THEIRS)
        wrote += there.looks()
    assert wrote <= 12 + passed / LONGEST_SECONDS


@given(st.lists(st.sampled_from(["label", "spec", "look", "own"]), max_size=60))
def test_without_anybody_who_writes_over_it_nothing_is_held_back(happenings):
    there = World()
    for what in happenings:
        match what:
            case "label":
                there.changed(labels={"any": there.now.resource_version})
            case "spec":
                there.changed(generation=there.now.generation + 1)
            case "own":
                there.changed(status={"phase": there.now.resource_version})
                there.undone.wrote(there.now)
        assert not there.undone.is_undone(there.now)
        assert there.undone.seconds_left(there.now.uid) == 0.0


def test_after_an_answer_was_lost_the_next_version_counts_for_nothing_and_the_one_after_it_does():
    there = World()
    there.undone.unheard(there.now)
    assert not there.undone.is_undone(there.now), "the watch is late"
    there.changed(status={"phase": "of the lost answer"})
    assert not there.undone.is_undone(there.now)
    there.changed(status=THEIRS)
    assert there.undone.is_undone(there.now)


def test_an_edit_ends_a_pause_also_after_an_answer_was_lost():
    there = World()
    for number in range(FREE + 3):
        there.changed(status={"phase": number})
        there.undone.is_undone(there.now)
    assert there.undone.seconds_left(there.now.uid)
    there.undone.unheard(there.now)
    there.changed(generation=there.now.generation + 1)
    assert not there.undone.is_undone(there.now)
    assert not there.undone.seconds_left(there.now.uid)


@pytest.mark.parametrize(
    "change",
    [{"status": THEIRS}, {"finalizers": ()}, {"annotations": {}}, {"annotations": {RESOLVED: "y"}}],
    ids=["status", "finalizer", "record gone", "record edited"],
)
def test_each_thing_that_only_the_operator_writes_counts(change):
    there = World()
    there.changed(**change)
    assert there.undone.is_undone(there.now)
    assert not there.undone.is_undone(there.now), "it counts once"


def test_an_edit_of_the_spec_ends_the_pause():
    there = World()
    for _ in range(9):
        there.changed(status=THEIRS)
        there.undone.is_undone(there.now)
        there.changed(status=OURS)
        there.undone.wrote(there.now)
    assert there.undone.seconds_left(there.now.uid) > 60
    there.changed(generation=there.now.generation + 1)
    assert there.looks()


def test_what_has_stood_for_long_is_forgotten():
    there = World()
    for _ in range(6):
        there.changed(status=THEIRS)
        there.undone.is_undone(there.now)
        there.changed(status=OURS)
        there.undone.wrote(there.now)
    there.clock.skip(FORGOTTEN_SECONDS)
    there.changed(status=THEIRS)
    assert there.undone.is_undone(there.now)
    assert there.undone.seconds_left(there.now.uid) == 0.0


def test_the_pauses_double_up_to_the_longest():
    pauses = [pause_after(times) for times in range(1, 14)]
    assert pauses == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_SECONDS, LONGEST_SECONDS]


def test_nothing_is_kept_of_what_is_gone_or_finished():
    there = World()
    there.changed(status=THEIRS)
    there.undone.is_undone(there.now)
    there.undone.heard(
        Change(there.now.key, there.now.uid, 9, None, own=False, significant=True, settled=False)
    )
    assert there.undone.times(there.now.uid) == 0
    assert not there.undone.is_undone(there.now)
