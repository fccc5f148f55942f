"""Which tasks of a packed array failed: how the output of its jobs is read, and how often."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import KEY, NOW, OWNER, SCOPE, first_submission, job, known

from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.children import Children, JobShape
from awsbatch_operator.kinds.batchjob.output import HELD_BACK_SECONDS, PATIENCE_SECONDS, Readings
from awsbatch_operator.kinds.batchjob.packing import MARK, nonce_of
from awsbatch_operator.kinds.batchjob.task_reading import READ_MOST, TaskReader

EACH = 4
NONCE = nonce_of(OWNER.uid, 1)
LATE = HELD_BACK_SECONDS["FAILED"]


class Aws:
    """Batch and its logs: each job has failed, and the first of its tasks."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.error: AwsError | None = None
        self.driver = "awslogs"

    async def job(self, _: Any, job_id: str) -> dict[str, Any]:
        container = {
            "logStreamName": f"stream/{job_id.rpartition(':')[2]}",
            "logConfiguration": {"logDriver": self.driver},
        }
        return {"jobId": job_id, "status": "FAILED", "container": container}

    async def last_lines(self, _: Any, __: str, stream: str, **___: Any) -> list[str]:
        self.read.append(stream)
        if self.error is not None:
            raise self.error
        return ["a line", "", f"{MARK} {NONCE} DONE {EACH * int(stream.rpartition('/')[2])}"]


class Reading:
    """A reader of an array of so many jobs, all of which have failed."""

    def __init__(self, jobs: int) -> None:
        self.aws, self.clock = Aws(), SteppedClock(start=NOW.epoch)
        ports: Any = self.aws
        self.reader = TaskReader(ports, ports, self.clock, Readings())
        record = replace(first_submission(), packed=f"{jobs * EACH}/{EACH}")
        failed = tuple(range(jobs))
        children = Children(JobShape.ARRAY, jobs, {"FAILED": jobs}, failed=failed, index=0)
        self.observed = replace(known("FAILED", of=record), children=children)
        self.resource = job(submission=record, job_id="job-1")
        self.most_at_once = 0

    async def turn(self) -> Any:
        before = len(self.aws.read)
        found = await self.reader.added(self.resource, self.observed, SCOPE)
        self.most_at_once = max(self.most_at_once, len(self.aws.read) - before)
        return found

    async def to_the_end(self) -> Children:
        for _ in range(1000):
            found = await self.turn()
            if found.output.due is None:
                children: Children = found.children
                return children
            self.clock.skip(max(found.output.due.since(self.clock.now()), 0.0))
        raise AssertionError("it has no end")


async def test_what_is_read_is_bounded_in_a_turn_a_second_and_in_all():
    reading = Reading(READ_MOST + 10)
    children = await reading.to_the_end()
    assert len(reading.aws.read) == len(set(reading.aws.read)) == READ_MOST
    assert reading.most_at_once <= 5
    seconds = reading.clock.now().since(NOW)
    assert READ_MOST / 5 - 5 <= seconds <= LATE
    assert children.failed is not None
    assert len(children.failed) == READ_MOST + 10 * EACH
    assert children.failed[:3] == (0, 4, 8)
    assert children.tasks is not None
    assert (children.tasks.unread, children.tasks.whole) == (10, 0)


async def test_what_was_read_is_not_read_again_and_is_forgotten_with_the_object():
    reading = Reading(2)
    first = await reading.to_the_end()
    assert await reading.to_the_end() == first
    assert len(reading.aws.read) == 2
    reading.reader.forget(KEY)
    assert len(reading.reader) == len(reading.reader.readings) == 0


async def test_output_is_not_read_before_its_last_line_can_be_there():
    reading = Reading(1)
    found = await reading.turn()
    assert (found.output.due, reading.aws.read) == (NOW.plus(PATIENCE_SECONDS), [])


async def test_trouble_that_passes_is_waited_for_no_longer_than_an_end_may_be_held_back():
    reading = Reading(2)
    reading.aws.error = AwsError(ErrorKind.TRANSIENT, operation="GetLogEvents", message="no answer")
    children = await reading.to_the_end()
    assert LATE <= reading.clock.now().since(NOW) <= LATE + PATIENCE_SECONDS
    assert children.failed == tuple(range(2 * EACH))
    assert children.tasks is not None
    assert "no answer" in children.tasks.trouble


@pytest.mark.parametrize("driver", ["splunk", "awslogs"])
async def test_what_can_never_be_read_is_not_waited_for(driver):
    reading = Reading(2)
    reading.aws.driver = driver
    reading.aws.error = AwsError(ErrorKind.DENIED, operation="GetLogEvents", message="no right")
    children = await reading.to_the_end()
    assert reading.clock.now().since(NOW) == PATIENCE_SECONDS
    assert children.failed == tuple(range(2 * EACH))
    assert children.tasks is not None
    assert ("splunk" if driver == "splunk" else "no right") in children.tasks.trouble
