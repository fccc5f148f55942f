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


class Asked:
    """Logs that remember where they were looked for."""

    def __init__(self) -> None:
        self.places: list[tuple[str, str, str]] = []

    async def last_lines(self, scope: Any, group: str, stream: str, **_: Any) -> list[str]:
        self.places.append((scope.region, group, stream))
        return ["done"]


async def read(**options: str) -> tuple[Asked, Any]:
    """What is asked, and what is known of the output then."""
    asked: Any = Asked()
    named = {name.replace("_", "-"): value for name, value in options.items()}
    configuration = {"logDriver": "awslogs", "options": named}
    container = {"logStreamName": "s/1", "logConfiguration": configuration}
    resource = job(submission=first_submission(), job_id="job-1")
    reader = OutputReader(asked, SteppedClock(start=NOW.epoch))
    found = await reader.added(resource, known("SUCCEEDED", container=container), SCOPE)
    return asked, found.output


async def test_the_log_is_read_in_the_region_and_group_that_the_definition_names():
    asked, output = await read(awslogs_region="us-west-2", awslogs_group="/climate")
    assert asked.places == [("us-west-2", "/climate", "s/1")]
    assert output.lines == ("done",)


async def test_a_region_that_is_none_is_never_made_a_host_name_of():
    asked, output = await read(awslogs_region="eu-central-1.example.com/")
    assert asked.places == []
    assert "is not an AWS region" in output.trouble
