"""Why an array waits: asked of its queue, seldom, and told only to the array at the head."""

from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.support.one_process import aws_models
from tests.unit.kinds.batchjob.jobs import NOW, QUEUE_ARN, SCOPE

from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.children import STATES
from awsbatch_operator.kinds.batchjob.head_of_line import LOOK_SECONDS, HeadOfLine
from awsbatch_operator.kinds.batchjob.report import ArrayProgress

WORDS = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - no room"


class Queue:
    """A BatchPort of one queue; counts the questions."""

    def __init__(self, head: str = "job-1:7", error: AwsError | None = None) -> None:
        self.head, self.error, self.asked = head, error, 0

    async def queue_snapshot(self, _: Any, __: str) -> dict[str, Any]:
        self.asked += 1
        if self.error:
            raise self.error
        arn = f"arn:aws:batch:eu-central-1:111122223333:job/{self.head}"
        return {"frontOfQueue": {"jobs": [{"jobArn": arn}] if self.head else []}}

    async def job(self, _: Any, job_id: str) -> dict[str, Any]:
        return {"jobId": job_id, "statusReason": WORDS}


class Line:
    def __init__(self, port: Queue) -> None:
        batch: Any = port
        self.port, self.clock = port, SteppedClock(start=NOW.epoch)
        self.head = HeadOfLine(batch, self.clock)

    async def words(self, array: str = "job-1") -> str:
        return await self.head.words(SCOPE, QUEUE_ARN, array)


async def test_the_array_whose_child_is_at_the_head_hears_why_and_no_other():
    line = Line(Queue())
    assert [await line.words(array) for array in ("job-1", "job-2", "job")] == [WORDS, "", ""]
    assert line.port.asked == 1
    line.clock.skip(LOOK_SECONDS)
    await line.words()
    assert line.port.asked == 2


@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.NOT_FOUND])
async def test_what_may_not_be_read_is_asked_as_seldom(kind):
    line = Line(Queue(error=AwsError(kind, operation="GetJobQueueSnapshot", message="no")))
    assert [await line.words(array) for array in ("job-1", "job-2")] == ["", ""]
    assert line.port.asked == 1


async def test_a_queue_in_which_nothing_waits_says_nothing():
    assert await Line(Queue(head="")).words() == ""


def test_each_state_of_a_child_that_aws_has_is_counted_in_the_status():
    shapes = aws_models().load_service_model("batch", "service-2")["shapes"]
    assert set(STATES) == set(shapes["JobStatus"]["enum"])
    assert set(STATES.values()) <= set(ArrayProgress.model_fields)
