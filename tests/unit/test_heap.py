"""The garbage collector runs seldom, and spares what was there before."""

import gc

import pytest

from awsbatch_operator import heap


@pytest.fixture(autouse=True)
def as_before():
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # as conftest.py does for all tests


def test_the_collector_looks_at_fewer_objects_and_less_often():
    before = len(gc.get_objects())
    heap.seldom()
    assert gc.get_threshold() == heap.THRESHOLDS
    assert gc.get_freeze_count() > before / 2
    assert len(gc.get_objects()) < before / 2


def test_what_came_after_is_spared_when_asked_for_again():
    heap.seldom()
    frozen = gc.get_freeze_count()
    new = [[number] for number in range(1000)]
    heap.spare()
    assert gc.get_freeze_count() >= frozen + len(new)
