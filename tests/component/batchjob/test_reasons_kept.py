"""A job that we ended, whose record was taken away before its end was seen: AWS keeps why."""

from tests.component.batchjob.again import HELD, LIMITED, ON_CHANGE, SECONDS, ends
from tests.component.batchjob.runs import FOR_EVER, JOB, SPEC, alive, shown, submits, submitted
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import SUBMISSION


async def ended_unseen(there: Installation, spec: dict[str, object]) -> None:
    """The operator ends the job and stops, the record is taken away, and the job ends."""
    async with there.running():
        await submitted(there, FOR_EVER, **(LIMITED | {"rerunPolicy": "OnChange"}))
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=300)
        there.apply(JOB, spec)
        await there.clock.run_until(lambda: "batch:TerminateJob" in there.calls, within=SECONDS)
    there.kube.annotate(JOB, **{SUBMISSION: None})
    await there.clock.advance(120)
    assert alive(there) == 0


async def test_a_job_that_was_held_is_suspended_and_goes_on():
    there = Installation()
    await ended_unseen(there, HELD | ON_CHANGE | {"suspend": True})
    async with there.running():
        await there.until(JOB, "Suspended", "Suspended", within=120)
        assert "failure" not in there.status(JOB)
        there.apply(JOB, ON_CHANGE)
        await there.clock.run_until(lambda: submits(there) == 2, within=900)
        assert ends(there) == [(1, "Suspended")]
        assert shown(there, "runCause") == "Resumed"


async def test_a_job_that_was_out_of_time_has_failed_for_that():
    there = Installation()
    await ended_unseen(there, SPEC | LIMITED | {"rerunPolicy": "OnChange"})
    async with there.running():
        await there.until(JOB, "Failed", "DeadlineExceeded", within=120)
        assert shown(there, "failure") == "TimedOut"


async def test_a_job_that_somebody_else_has_ended_is_cancelled():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=300)
    there.kube.annotate(JOB, **{SUBMISSION: None})
    there.aws().terminate_job(jobId=shown(there, "jobId"), reason="enough")
    async with there.running():
        await there.until(JOB, "Failed", "Cancelled", within=300)
        assert submits(there) == 1
