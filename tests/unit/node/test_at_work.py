"""Installations at work side by side: what went wrong is told, and whoever leaves does not wait."""

import threading
from typing import Any

import pytest
from tests.support.at_work import AtWork
from tests.support.steps import Steps


class Work:
    """Notes down its jobs; each is Complete once it may be."""

    def __init__(self, may_complete):
        self.submitted = []
        self.busy = threading.Event()
        self._may_complete = may_complete

    def submit(self, names):
        self.submitted += names

    def wait_complete(self, names):
        self.busy.set()
        assert self._may_complete.wait(40)


@pytest.fixture
def may_complete():
    return threading.Event()


@pytest.fixture
def works(may_complete):
    return Work(may_complete), Work(may_complete)


def at_work(works, *, seconds):
    given: Any = works
    return AtWork(given, Steps(lambda _: None), seconds=seconds)


def test_each_has_the_same_jobs_one_after_the_other(works, may_complete):
    may_complete.set()
    with at_work(works, seconds=0.05) as working:
        turns = working.turns()
    assert turns > 0
    for work in works:
        assert work.submitted == [f"side-by-side-{turn}" for turn in range(1, turns + 1)]


def test_whoever_leaves_waits_for_the_turn_and_for_no_other(works, may_complete):
    with at_work(works, seconds=3600):
        assert works[0].busy.wait(40)
        may_complete.set()
    assert works[0].submitted == works[1].submitted


def test_a_job_that_does_not_complete_is_told_to_whoever_asks(works, monkeypatch):
    def fails(_):
        raise AssertionError("not Complete")

    monkeypatch.setattr(works[0], "wait_complete", fails)
    with at_work(works, seconds=3600) as working, pytest.raises(AssertionError, match="not Compl"):
        working.turns()
