"""How often the log of an ended job is read."""

from dataclasses import replace
from typing import Any

from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, SCOPE, first_submission, job, known

from awsbatch_operator.kinds.batchjob.output import PATIENCE_SECONDS, OutputReader


class Silent:
    """Logs in which nothing stands."""

    def __init__(self) -> None:
        self.read = 0

    async def last_lines(self, *_: Any, **__: Any) -> list[str]:
        self.read += 1
        return []


async def test_a_job_that_wrote_nothing_is_read_twice():
    """AWS lets few logs be read a second, and of such a job each read is two calls."""
    logs, clock = Silent(), SteppedClock(start=NOW.epoch)
    ports: Any = logs
    reader = OutputReader(ports, clock)
    ended = known("SUCCEEDED", container={"logStreamName": "simulate/1"})
    ended = replace(ended, since=NOW)
    resource = job(submission=first_submission(), job_id="job-1")
    first = (await reader.added(resource, ended, SCOPE)).output
    assert (first.lines, first.due) == (None, NOW.plus(PATIENCE_SECONDS))
    clock.skip(PATIENCE_SECONDS)
    assert (await reader.added(resource, ended, SCOPE)).output.lines == ()
    assert logs.read == 2
