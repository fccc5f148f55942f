"""A job that is held: nothing of it in AWS, and another run when it is let go."""

import pytest
from tests.component.batchjob.again import (
    HELD,
    conditions,
    held_while_it_runs,
    of_jobs,
    versions,
)
from tests.component.batchjob.runs import (
    JOB,
    SPEC,
    alive,
    jobs,
    ready,
    running,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation
from tests.support.kstatus import Kstatus, kstatus


async def test_what_is_held_from_the_start_costs_nothing_and_needs_nothing_that_it_names():
    there = Installation()
    async with there.running():
        there.apply(JOB, HELD)
        message = await there.until(JOB, "Suspended", "Suspended")
        assert "Set spec.suspend to false" in message
        assert conditions(there) == {"Suspended"}
        assert kstatus(there.kube.see(JOB)) is Kstatus.CURRENT
        calls, seen = len(there.calls), versions(there)
        await there.clock.advance(1300)  # two resyncs are among it
        assert (there.calls[calls:], seen) == ([], [])
        there.kube.remove(JOB)
        await there.until_gone(JOB, within=5)
        assert there.calls[calls:] == []


async def test_what_was_held_from_the_start_is_submitted_once_it_is_let_go():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, HELD)
        await there.until(JOB, "Suspended")
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert conditions(there) == {"Complete"}
        assert (submits(there), shown(there, "run"), shown(there, "runCause")) == (1, 1, None)


async def test_a_job_that_runs_is_terminated_and_runs_again_from_its_beginning():
    there = Installation()
    async with there.running():
        await held_while_it_runs(there)
        assert conditions(there) == {"Suspended"}
        assert (alive(there), submits(there)) == (0, 1)
        calls, seen = of_jobs(there), versions(there)
        await there.clock.advance(1300)
        assert (of_jobs(there), seen) == (calls, [])
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), len(jobs(there)), shown(there, "run")) == (2, 2, 2)
        assert shown(there, "runCause") == "Resumed"
        (before,) = shown(there, "history")
        assert (before["run"], before["jobId"]) == (1, jobs(there)[0].id)
        assert before["result"] == "Suspended"
        assert before["completionTime"]
        assert "failure" not in there.status(JOB)


async def test_a_job_that_has_ended_is_not_held():
    there = Installation()
    async with there.running():
        await submitted(there, 5)
        await there.until(JOB, "Complete", within=900)
        for spec in (HELD, SPEC):
            there.apply(JOB, spec)
            await there.until(JOB, "Complete", within=60)
            assert conditions(there) == {"Complete"}
        assert submits(there) == 1


@pytest.mark.parametrize("flips", [1, 2, 3])
async def test_whoever_changes_his_mind_quickly_gets_what_he_said_last(flips):
    """The call that ends the job may be on its way: it is ended, and another run begins."""
    there = Installation()
    async with there.running():
        await running(there)
        for number in range(flips):
            there.apply(JOB, HELD if number % 2 == 0 else SPEC)
            await there.clock.advance(0.2)
        if flips % 2:
            await there.until(JOB, "Suspended", within=120)
            assert alive(there) == 0
            there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: shown(there, "run") == 2, within=600)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=600)
        assert (submits(there), alive(there)) == (2, 1)


async def test_an_operator_that_starts_anew_knows_who_ended_the_job():
    there = Installation()
    async with there.running():
        await running(there)
        there.apply(JOB, HELD)
        await there.clock.run_until(lambda: "batch:TerminateJob" in there.calls, within=60)
    async with there.running():
        await there.until(JOB, "Suspended", within=120)
    async with there.running():
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: submits(there) == 2, within=120)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=900)
        assert alive(there) == 1
