"""With an event queue the end of a job is known at once; lost or false events change nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.component.batchjob.runs import JOB, jobs, running, shown
from tests.support.installation import ACCOUNT, Installation

from awsbatch_simulator.hosting import JobEvents

NAME = "aws-batch-operator-jobs"
DESCRIBED = "batch:DescribeJobs"
ARN = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:{NAME}"
LONG = 96.0  # a job that has run so long is asked about every sixteen seconds


def listening(there: Installation, *, rule: bool = True) -> Callable[[str], Any]:
    """Make a queue, and a rule that fills it; what sends a message to it."""
    sqs = there.aws("sqs")
    url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    world = there.simulator.world
    events = JobEvents(queue=NAME if rule else "")
    world.change(world.settings.model_copy(update={"job_events": events}))
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


async def end_is_seen_after(there: Installation) -> float:
    """Seconds from the end of a job that has run for long until AWS is asked about it."""
    [job] = jobs(there)
    await there.clock.advance(LONG)
    there.calls.clear()
    await there.clock.run_until(lambda: DESCRIBED in there.calls, within=30)
    there.calls.clear()
    assert job.run is not None
    job.run.stop()
    seconds = await there.clock.run_until(lambda: DESCRIBED in there.calls, within=30)
    await there.clock.run_until(lambda: shown(there, "awsStatus") == "FAILED", within=10)
    return seconds


async def test_the_end_of_a_job_is_known_within_a_moment_of_its_event():
    there = Installation(event_queue=ARN)
    listening(there)
    async with there.running():
        await running(there)
        assert await end_is_seen_after(there) <= 4
        assert there.metric("job_events_total", kind="StateChange") >= 1
        assert there.metric("event_queue_failing") == 0
        there.calls.clear()
        await there.clock.advance(60)
        assert DESCRIBED not in there.calls


async def test_without_any_event_it_is_known_later_and_with_false_ones_nothing_happens():
    there = Installation(event_queue=ARN)
    send = listening(there, rule=False)
    async with there.running():
        await running(there)
        [job] = jobs(there)
        detail = {"jobId": job.id, "status": "FAILED", "statusReason": "said by nobody"}
        event = {
            "detail-type": "Batch Job State Change",
            "source": "aws.batch",
            "account": ACCOUNT,
            "region": "eu-central-1",
            "detail": detail,
        }
        for body in (json.dumps(event), json.dumps(event), "no event"):
            send(body)
        await there.clock.advance(30)
        assert shown(there, "awsStatus") == "RUNNING"
        assert there.metric("job_events_total", kind="StateChange") == 2
        assert there.metric("job_events_total", kind="Unreadable") == 1
        assert "said by nobody" not in json.dumps(there.kube.see(JOB))
        assert await end_is_seen_after(there) == pytest.approx(16, abs=1)
        assert len(jobs(there)) == 1


async def test_a_queue_that_is_gone_is_told_of_and_ends_nothing():
    there = Installation(event_queue=ARN)
    async with there.running():
        await there.clock.advance(10)
        assert there.metric("event_queue_failing") == 1
