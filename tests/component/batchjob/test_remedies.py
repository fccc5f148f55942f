"""What a person gets wrong in a job, and that the remedy which the message gives mends it."""

from tests.component.batchjob.runs import JOB, SPEC, alive, jobs, ready, script, submits
from tests.support.crd_cases.cases import patched
from tests.support.installation import Installation
from tests.support.job_remedies import (
    ARN,
    WRONG,
    job_of,
    mend_elsewhere,
    with_all_that_jobs_name,
)

from awsbatch_operator.api.metadata import SUBMISSION


def is_recorded(there: Installation, name: str) -> bool:
    """Whether a submission was written down, as it is before it is sent."""
    return SUBMISSION in there.kube.see(job_of(name))["metadata"].get("annotations", {})


async def test_each_remedy_that_a_message_gives_mends_a_job_that_was_not_submitted():
    """All at once, in one installation."""
    there = Installation()
    async with there.running():
        script(there, 1)
        await with_all_that_jobs_name(there)
        for name, wrong in WRONG.items():
            there.apply(job_of(name), patched(SPEC, wrong.spec))
        messages = {
            name: await there.until(job_of(name), wrong.condition, wrong.reason)
            for name, wrong in WRONG.items()
        }
        assert [name for name, wrong in WRONG.items() if wrong.says not in messages[name]] == []
        assert jobs(there) == []
        assert [
            name
            for name, wrong in WRONG.items()
            if wrong.reason != "InvalidRequest" and is_recorded(there, name)
        ] == [], "only what AWS itself refuses was about to be sent"
        mend_elsewhere(there)
        for name, wrong in WRONG.items():
            if wrong.mends:
                there.apply(job_of(name), patched(patched(SPEC, wrong.spec), wrong.mends))
        for name in WRONG:
            await there.until(job_of(name), "Complete", within=1200)
        assert len([job for job in jobs(there) if "#" not in job.id]) == len(WRONG)


async def test_a_refused_job_is_not_moved_to_another_region_and_goes_on_when_that_is_undone():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 1)
        wrong = SPEC | {"shareIdentifier": "team"}
        there.apply(JOB, wrong)
        await there.until(JOB, "Stalled", "InvalidRequest")
        there.apply(JOB, wrong | {"region": "eu-west-1"})
        assert "Undo the change" in await there.until(JOB, "Stalled", "ScopeChanged")
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete")
        assert len(jobs(there)) == 1


async def test_a_job_of_which_nobody_knows_whether_it_ran_runs_anew_once_it_is_changed():
    """Its queue, of somebody else, went while the operator was away."""
    there = Installation()
    async with there.running():
        await ready(there)
        order = there.aws().describe_job_queues()["jobQueues"][0]["computeEnvironmentOrder"]
        there.aws().create_job_queue(
            jobQueueName="theirs", priority=1, computeEnvironmentOrder=order
        )
        await there.clock.advance(60)
        script(there, 1)
        there.fault(effect="drop_before", service="batch", operation="SubmitJob")
        there.apply(JOB, SPEC | {"jobQueueRef": {"arn": f"{ARN}:job-queue/theirs"}})
        await there.clock.run_until(lambda: submits(there) > 0)
    there.mend()
    there.aws().update_job_queue(jobQueue="theirs", state="DISABLED")
    await there.clock.advance(60)
    there.aws().delete_job_queue(jobQueue="theirs")
    await there.clock.advance(60)
    async with there.running():
        assert "change it to start a new run" in await there.until(
            JOB, "Stalled", "SubmissionUnknown"
        )
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete")
        assert (len(jobs(there)), alive(there), there.status(JOB)["run"]) == (1, 0, 2)
