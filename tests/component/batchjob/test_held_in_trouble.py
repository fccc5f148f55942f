"""A job that is held while AWS, the API server and people make trouble."""

import pytest
from tests.component.batchjob.again import (
    HELD,
    conditions,
    held_while_it_runs,
    of_jobs,
    without_record,
)
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    hidden,
    lost_answer,
    running,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation


@pytest.mark.parametrize("in_aws", [True, False])
async def test_a_submission_of_unknown_outcome_is_held_once_it_is_known(in_aws):
    there = Installation()
    if in_aws:
        lost_answer(there)
    else:
        there.fault(effect="drop_before", service="batch", operation="SubmitJob", times=1)
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, HELD)
        await there.until(JOB, "Suspended", within=300)
        assert (submits(there), alive(there)) == (1, 0)
        await there.clock.advance(800)  # a run that AWS has no job of is looked for twice more
        calls = of_jobs(there)
        await there.clock.advance(1300)
        assert of_jobs(there) == calls
        assert there.is_true(JOB, "Suspended")
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 2 if in_aws else 1)


async def test_what_is_held_is_still_looked_for_and_what_comes_to_light_is_ended():
    there = Installation()
    lost_answer(there)
    hidden(there, 200, "ListJobs")
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, HELD)
        await there.until(JOB, "Suspended", within=150)
        assert alive(there) == 1, "nobody can know of it yet"
        await there.clock.run_until(lambda: alive(there) == 0, within=900)
        await there.until(JOB, "Suspended", within=300)
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 2)


async def test_what_aws_never_had_is_sent_however_long_it_was_held():
    there = Installation()
    there.fault(effect="drop_before", service="batch", operation="SubmitJob", times=1)
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, HELD)
        await there.until(JOB, "Suspended", within=300)
        await there.clock.advance(800)
    await there.clock.advance(30 * 86_400)
    async with there.running():
        listed = there.calls.count("batch:ListJobs")
        await there.clock.advance(650)
        assert there.calls.count("batch:ListJobs") == listed
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 1)


async def test_a_termination_that_is_not_answered_is_made_until_aws_shows_its_effect():
    there = Installation()
    there.fault(effect="drop_before", service="batch", operation="TerminateJob", times=3)
    async with there.running():
        await held_while_it_runs(there)
        assert alive(there) == 0
        assert there.calls.count("batch:TerminateJob") == 4


async def test_a_held_job_whose_record_is_taken_away_is_still_known_to_be_held():
    there = Installation()
    async with there.running():
        await held_while_it_runs(there)
        without_record(there)
        await there.clock.advance(700)
        assert there.is_true(JOB, "Suspended")
        script(there, 5)
        without_record(there)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 2)


@pytest.mark.parametrize("when", ["while it is ended", "when it is held", "when it runs again"])
async def test_a_deletion_leaves_nothing_behind_whenever_it_comes(when):
    there = Installation()
    hidden(there, 20, "DescribeJobs")
    async with there.running():
        await running(there)
        there.apply(JOB, HELD)
        if when == "while it is ended":
            await there.clock.run_until(lambda: "batch:TerminateJob" in there.calls, within=60)
        else:
            await there.until(JOB, "Suspended")
        if when == "when it runs again":
            there.apply(JOB, SPEC)
            await there.clock.run_until(lambda: submits(there) == 2, within=60)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert alive(there) == 0


async def test_a_job_that_succeeds_before_it_can_be_stopped_is_complete():
    there = Installation()
    async with there.running():
        await submitted(there, 30)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=3600)
        there.fault(effect="drop_before", service="batch", operation="TerminateJob")
        there.apply(JOB, HELD)
        await there.until(JOB, "Complete", within=120)
        assert conditions(there) == {"Complete"}
        calls = of_jobs(there)
        await there.clock.advance(700)
        assert of_jobs(there) == calls
