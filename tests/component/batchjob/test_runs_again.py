"""A job that runs again: changed, lost, or out of time. In trouble: the files beside this one."""

from tests.component.batchjob.again import (
    CHANGED,
    LIMITED,
    ON_CHANGE,
    SAFE,
    SECONDS,
    at_work,
    began,
    complete,
    ends,
    failed_ever,
    falling_back,
    lost,
    true_conditions,
    until_late,
    with_both_queues,
)
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    alive,
    jobs,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation
from tests.support.manifests import QUEUE

from awsbatch_simulator.jobscript import JobScript


async def test_a_change_ends_the_run_and_begins_another():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER, **ON_CHANGE)
        await at_work(there)
        script(there, 5)
        there.apply(JOB, CHANGED)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run"), shown(there, "runCause")) == (2, 2, "Changed")
        assert ends(there) == [(1, "Changed")]
        assert shown(there, "history")[0]["completionTime"]
        notes = [note for reason, note in there.events(JOB) if reason == "Submitted"]
        assert "It is run 2, since the spec has changed (run 1: Changed)." in notes[1]


async def test_a_change_after_the_end_begins_another_run_and_takes_the_result_away():
    there = Installation()
    async with there.running():
        await complete(there)
        script(there, FOR_EVER)
        there.apply(JOB, CHANGED)
        await at_work(there, run=2)
        assert set(true_conditions(there)) == {"Reconciling"}
        assert ends(there) == [(1, "Succeeded")]
        assert "exitCode" not in there.status(JOB)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert alive(there) == 0


async def test_a_lost_job_goes_on_in_its_queue_and_then_in_the_other_one():
    there = Installation()
    async with there.running():
        await with_both_queues(there, lost("*main*"), JobScript(duration_seconds=5))
        failed = failed_ever(there)
        there.apply(JOB, falling_back(2))
        await there.until(JOB, "Complete", within=3600)
        assert (submits(there), shown(there, "run"), shown(there, "runCause")) == (3, 3, "Lost")
        assert shown(there, "jobQueueArn") == there.status(SAFE)["arn"]
        assert ends(there) == [(1, "HostLost"), (2, "HostLost")]
        main, safe = (there.status(key)["arn"] for key in (QUEUE, SAFE))
        assert [job.queue.arn for job in jobs(there)] == [main, main, safe]
        assert not any(failed)
        submitted = [note for reason, note in there.events(JOB) if reason == "Submitted"]
        assert "It is run 3, in the queue of spec.fallback (run 2: HostLost)." in submitted[2]


async def test_a_job_that_runs_too_long_is_terminated_and_failed():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER, **LIMITED)
        await there.until(JOB, "Failed", "DeadlineExceeded", within=3600)
        assert SECONDS <= there.clock.now().epoch - began(there) < SECONDS + 60
        await until_late(there)
        assert submits(there) == 1
        assert [reason for reason, _ in there.events(JOB)] == ["Submitted", "DeadlineExceeded"]
