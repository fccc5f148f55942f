"""A job that has had its time: all runs together, wherever it stands then."""

import pytest
from tests.component.batchjob.again import LIMITED, SECONDS, began, until_late
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    hidden,
    jobs,
    lost_answer,
    ready,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation


async def test_a_job_that_ends_in_time_costs_nothing_more():
    there = Installation()
    async with there.running():
        await submitted(there, 5, **LIMITED)
        await there.until(JOB, "Complete", within=900)
        await there.clock.advance(2 * SECONDS)
        assert there.is_true(JOB, "Complete")
        assert "batch:TerminateJob" not in there.calls


async def test_the_wait_for_room_counts_as_well():
    there = Installation()
    async with there.running():
        large = [{"type": "VCPU", "value": "16"}, {"type": "MEMORY", "value": "64"}]
        overrides = {"containerOverrides": {"resourceRequirements": large}}  # no instance is
        await submitted(there, FOR_EVER, **LIMITED, **overrides)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNABLE", within=300)
        await until_late(there)
        assert shown(there, "startedTime") is None


async def test_the_time_that_a_job_is_held_counts_as_well():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER, **LIMITED)
        there.apply(JOB, SPEC | LIMITED | {"suspend": True})
        await there.until(JOB, "Suspended")
        described = there.calls.count("batch:DescribeJobs")
        await until_late(there)
        assert there.calls.count("batch:DescribeJobs") == described
        there.apply(JOB, SPEC | LIMITED)
        await there.until(JOB, "Failed", "DeadlineExceeded")
        assert submits(there) == 1


async def test_the_runs_before_count_and_what_is_held_from_the_start_has_not_begun():
    there = Installation()
    async with there.running():
        await ready(there)
        held = SPEC | LIMITED | {"suspend": True}
        there.apply(JOB, held)
        await there.until(JOB, "Suspended")
        await there.clock.advance(2 * SECONDS)
        script(there, FOR_EVER)
        there.apply(JOB, SPEC | LIMITED)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=600)
        await there.clock.advance(SECONDS / 3)
        there.apply(JOB, held)
        await there.until(JOB, "Suspended")
        there.apply(JOB, SPEC | LIMITED)
        await there.until(JOB, "Failed", "DeadlineExceeded", within=3600)
        assert there.clock.now().epoch - began(there) < SECONDS + 60
        assert (submits(there), alive(there)) == (2, 0)


@pytest.mark.parametrize(("lag", "came"), [(1.0, 1), (150.0, 1), (1.0, 0)])
async def test_a_submission_of_unknown_outcome_is_not_made_again_when_the_time_is_over(lag, came):
    """Nor is a job left that AWS lists only after that."""
    there = Installation()
    if came:
        lost_answer(there)
        hidden(there, lag)
    else:
        there.fault(effect="drop_before", service="batch", operation="SubmitJob", times=1)
    async with there.running():
        await submitted(there, FOR_EVER, activeDeadlineSeconds=60)
        await until_late(there)
        assert (submits(there), len(jobs(there))) == (1, came)
        there.kube.remove(JOB)
        await there.until_gone(JOB)


async def test_what_aws_refuses_has_not_begun():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="SubmitJob")
    async with there.running():
        await submitted(there, 5, **LIMITED)
        await there.clock.advance(3 * SECONDS)
        assert there.is_true(JOB, "Stalled", "PermissionDenied")
        there.mend()
        await there.until(JOB, "Complete", within=1800)


async def test_a_change_after_the_deadline_begins_a_new_time():
    there = Installation()
    spec = SPEC | LIMITED | {"rerunPolicy": "OnChange"}
    async with there.running():
        await submitted(there, FOR_EVER, **spec)
        await there.until(JOB, "Failed", "DeadlineExceeded", within=3600)
        script(there, 5)
        there.apply(JOB, spec | {"parameters": {"year": "2025"}})
        await there.until(JOB, "Complete", within=900)
        assert [each["result"] for each in shown(there, "history")] == ["TimedOut"]
