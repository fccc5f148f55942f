"""The steps of a long test: each has its own seconds, whatever goes on beside it."""

import pytest
from tests.support.steps import Steps


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(lambda _: None, clock)


def test_a_step_that_goes_on_beside_another_has_its_own_seconds(steps, clock):
    with steps.step("long"):
        clock.now = 2.0
        with steps.step("short"):
            clock.now = 5.0
        clock.now = 7.0
    clock.now = 8.0
    steps.done("after it")
    assert steps.told == [
        "[   5.0 s]    3.0 s  short",
        "[   7.0 s]    7.0 s  long",
        "[   8.0 s]    1.0 s  after it",
    ]


def test_a_step_that_fails_is_told(steps):
    with pytest.raises(KeyError), steps.step("hard"):
        raise KeyError
    assert steps.told == ["[   0.0 s]    0.0 s  FAILED: hard"]
