"""When the progress of an array is worth a write."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, SCOPE, desired, first_submission, job, known

from awsbatch_operator.kinds.batchjob.array_status import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    array_fields,
    differs,
    next_write,
)
from awsbatch_operator.kinds.batchjob.child_reading import ChildReader
from awsbatch_operator.kinds.batchjob.children import Children, children_of
from awsbatch_operator.kinds.batchjob.plan import plan_job

POLL = 8.0  # seconds between two looks at an array
HOUR = 3600.0


@dataclass
class Life:
    """An array from its submission to its end, looked at as the poller does."""

    size: int
    status: dict[str, Any] = field(default_factory=dict)
    writes: list[float] = field(default_factory=list)
    oldest: float = 0.0

    def children(self, counts: dict[str, int]) -> Children:
        found = children_of(self.detail(counts))
        assert found is not None
        return found

    def write(self, age: float, counts: dict[str, int]) -> None:
        children = self.children(counts)
        fields = array_fields(children, NOW.plus(age))
        self.status = {"submittedTime": NOW.rfc3339(), "array": fields}
        self.writes.append(age)

    def detail(self, counts: dict[str, int]) -> dict[str, Any]:
        return {"arrayProperties": {"size": self.size, "statusSummary": counts}}

    def look(self, age: float, counts: dict[str, int]) -> None:
        """One look before the end."""
        due = next_write(self.status, NOW.plus(age))
        other = differs(self.status, self.children(counts), "")
        if other and NOW.plus(age) >= due:
            self.write(age, counts)


def live(ends: list[float], size: int) -> Life:
    """Children end at these ages, in seconds."""
    life = Life(size)
    life.write(0.0, {})
    age, over = 0.0, sorted(ends)
    while age < over[-1]:
        age += POLL
        done = sum(end <= age for end in over)
        if done == size:
            break
        counts = {"SUCCEEDED": done, "RUNNING": size - done}
        life.look(age, counts)
        if life.status["array"].get("succeeded") != done:
            life.oldest = max(life.oldest, age - life.writes[-1])
    life.write(age, {"SUCCEEDED": size})
    return life


LIVES = st.integers(2, 40).flatmap(
    lambda size: st.lists(st.floats(1, 1.2 * HOUR), min_size=size, max_size=size)
)


@given(LIVES)
def test_an_array_that_takes_up_to_an_hour_and_a_fifth_costs_ten_writes_at_most(ends):
    assert len(live(ends, len(ends)).writes) <= 10


@given(LIVES)
def test_what_is_shown_is_never_older_than_a_quarter_of_an_hour(ends):
    assert live(ends, len(ends)).oldest <= LONGEST_SECONDS + POLL


def test_an_array_that_goes_on_for_days_takes_a_write_each_quarter_of_an_hour():
    ends = [600.0 * number for number in range(1, 1 + 24 * 6)]
    life = live(ends, len(ends))
    assert 24 * 4 <= len(life.writes) <= 24 * 4 + 10


def test_an_array_in_which_nothing_changes_is_not_written():
    ends = [48 * HOUR] * 3
    assert len(live(ends, 3).writes) == 3  # submitted, running, ended


@given(st.floats(0, 100 * HOUR), st.floats(0, 100 * HOUR))
def test_the_next_write_is_a_minute_away_at_least_and_a_quarter_of_an_hour_at_most(begun, later):
    life = Life(2)
    life.write(begun, {"RUNNING": 2})
    due = next_write(life.status, NOW.plus(begun + later))
    assert FIRST_SECONDS - 1 <= due.since(NOW.plus(begun)) <= LONGEST_SECONDS + 1


def test_what_aws_says_anew_of_the_array_is_worth_a_write_as_well():
    life = Life(2)
    life.write(0, {"RUNNABLE": 2})
    children = life.children({"RUNNABLE": 2})
    assert not differs(life.status, children, "")
    assert differs(life.status, children, "CAPACITY")


async def test_an_array_that_was_just_found_is_looked_at_again_after_it_was_shown():
    detail = Life(9).detail({"RUNNING": 9})
    ports: Any = None
    reader = ChildReader(ports, SteppedClock(start=NOW.epoch), ports)
    resource = job(submission=first_submission())
    observed = await reader.counted(resource, known("PENDING", **detail), SCOPE)
    plan = plan_job(desired(resource), observed, NOW)
    assert plan.look_again_seconds == FIRST_SECONDS


@pytest.mark.parametrize(
    ("age", "written", "counts", "looks"),
    [
        (90.0, 60.0, {"RUNNING": 2}, 30.0),  # nothing is written before two minutes
        (90.0, 60.0, {"RUNNING": 1, "FAILED": 1}, 30.0),
        (300.0, 60.0, {"RUNNING": 2}, 300.0),  # nothing has changed
        (300.0, 60.0, {"RUNNING": 1, "FAILED": 1}, 300.0),  # it is written now
        (9000.0, 60.0, {"RUNNING": 1, "FAILED": 1}, LONGEST_SECONDS),
    ],
)
async def test_a_look_follows_each_write_because_the_feed_does_not_tell_of_each_child(
    age, written, counts, looks
):
    life = Life(2)
    life.write(written, {"RUNNING": 2})
    resource = job(submission=first_submission(), job_id="job-1")
    resource = replace(resource, status={**resource.status, **life.status})
    ports: Any = None
    reader = ChildReader(ports, SteppedClock(start=NOW.epoch + age), ports)
    observed = await reader.counted(resource, known("PENDING", **life.detail(counts)), SCOPE)
    plan = plan_job(desired(resource), observed, NOW.plus(age))
    assert plan.look_again_seconds == looks
