"""A job that is lost with its host goes on, as a new run, and at last in another queue."""

from tests.component.batchjob.again import (
    SAFE,
    at_work,
    ends,
    failed_ever,
    falling_back,
    lost,
    scripted,
    with_both_queues,
)
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, ready, running, shown, submits
from tests.support.installation import Installation
from tests.support.manifests import queue

from awsbatch_operator.api.metadata import PAUSED
from awsbatch_simulator.jobscript import JobScript


async def test_what_is_lost_in_the_other_queue_is_lost():
    there = Installation()
    async with there.running():
        await with_both_queues(there, lost())
        there.apply(JOB, falling_back())
        await there.until(JOB, "Failed", "HostLost", within=3600)
        await there.clock.advance(700)
        assert (submits(there), alive(there)) == (2, 0)
        assert shown(there, "failure") == "HostLost"
        assert ends(there) == [(1, "HostLost")]


async def test_another_failure_than_those_that_are_named_is_one():
    there = Installation()
    async with there.running():
        await with_both_queues(there, JobScript(exit_code=1))
        there.apply(JOB, falling_back())
        await there.until(JOB, "Failed", "ApplicationExit", within=3600)
        there.apply(JOB, falling_back(1, "ApplicationExit"))  # what has failed has failed
        await there.until(JOB, "Failed", "ApplicationExit", within=60)
        await there.clock.advance(700)
        assert submits(there) == 1


async def test_what_somebody_has_terminated_stays_ended():
    there = Installation()
    async with there.running():
        await with_both_queues(there, JobScript(duration_seconds=FOR_EVER))
        there.apply(JOB, falling_back(1, "ApplicationExit", "Infrastructure", "HostLost"))
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=3600)
        there.aws().terminate_job(jobId=shown(there, "jobId"), reason="enough")
        await there.until(JOB, "Failed", "Cancelled", within=600)
        assert submits(there) == 1


async def test_the_other_queue_is_waited_for_and_the_job_is_not_failed_meanwhile():
    there = Installation()
    async with there.running():
        await ready(there)
        scripted(there, lost("*main*"), JobScript(duration_seconds=5))
        failed = failed_ever(there)
        there.apply(JOB, falling_back())
        message = await there.until(JOB, "Reconciling", "ReferenceNotFound", within=900)
        assert "queue of spec.fallback" in message
        described = there.calls.count("batch:DescribeJobs")
        await there.clock.advance(3600)
        assert there.calls.count("batch:DescribeJobs") - described < 3
        there.apply(SAFE, queue())
        await there.until(JOB, "Complete", within=900)
        assert submits(there) == 2
        assert not any(failed)


async def test_a_job_that_waits_for_its_next_run_leaves_nothing_behind():
    there = Installation()
    async with there.running():
        await ready(there)
        scripted(there, lost("*main*"), JobScript(duration_seconds=5))
        there.apply(JOB, falling_back())
        await there.until(JOB, "Reconciling", "ReferenceNotFound", within=900)
        there.kube.remove(JOB)
        await there.until_gone(JOB, within=60)
        assert alive(there) == 0


async def test_a_lost_job_is_not_failed_while_it_is_paused():
    there = Installation()
    async with there.running():
        await with_both_queues(there, lost("*main*"), JobScript(duration_seconds=5))
        there.apply(JOB, falling_back())
        await there.clock.run_until(lambda: submits(there) == 1, within=60)
        there.kube.annotate(JOB, **{PAUSED: "true"})
        await there.clock.advance(600)
        assert not there.condition(JOB, "Failed")
        there.kube.annotate(JOB, **{PAUSED: None})
        await there.until(JOB, "Complete", within=900)
        assert submits(there) == 2


async def test_without_a_fallback_a_running_job_gets_one_by_an_edit():
    there = Installation()
    async with there.running():
        await running(there)
        there.apply(SAFE, queue())
        await there.until_ready(SAFE)
        there.apply(JOB, falling_back(1, "TimedOut"))
        await there.clock.advance(60)
        assert (submits(there), alive(there)) == (1, 1)


async def test_a_job_that_was_held_in_the_other_queue_begins_anew_in_its_own():
    there = Installation()
    async with there.running():
        await with_both_queues(there, lost("*main*"), JobScript(duration_seconds=FOR_EVER))
        there.apply(JOB, falling_back())
        await at_work(there, run=2)
        assert SAFE.name in shown(there, "jobQueueArn")
        there.apply(JOB, falling_back(suspend=True))
        await there.until(JOB, "Suspended", within=120)
        there.apply(JOB, falling_back())
        await there.clock.run_until(lambda: submits(there) == 3, within=120)
        await at_work(there, run=4)
        assert SAFE.name in shown(there, "jobQueueArn")
        assert ends(there) == [(1, "HostLost"), (2, "Suspended"), (3, "HostLost")]
