"""A job that runs again when its spec changes, and no sooner."""

import pytest
from tests.component.batchjob.again import (
    CHANGED,
    ON_CHANGE,
    at_work,
    complete,
    ends,
    true_conditions,
)
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    jobs,
    lost_answer,
    ready,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, definition

from awsbatch_operator.api.metadata import ObjectKey

OTHER = ObjectKey("JobDefinition", NAMESPACE, "other")
ELSEWHERE = ON_CHANGE | {"jobDefinitionRef": {"name": OTHER.name}}


async def test_what_is_not_submitted_may_change_and_nothing_runs_again():
    there = Installation()
    async with there.running():
        await complete(there)
        for spec in (ON_CHANGE | {"logs": {"statusLines": 3}}, SPEC, ON_CHANGE):
            there.apply(JOB, spec)
            await there.until(JOB, "Complete", within=30)
        there.apply(DEFINITION, definition("false"))
        await there.clock.advance(700)
        assert there.status(DEFINITION)["revision"] == 2
        assert submits(there) == 1


async def test_a_change_that_is_taken_back_while_the_job_is_ended_runs_it_again_as_it_was():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER, **ON_CHANGE)
        await at_work(there)
        there.apply(JOB, CHANGED)
        await there.clock.run_until(lambda: "batch:TerminateJob" in there.calls, within=60)
        there.apply(JOB, ON_CHANGE)
        await at_work(there, run=2)
        assert submits(there) == 2
        assert not [note for reason, note in there.events(JOB) if reason == "ChangeNotRun"]


@pytest.mark.parametrize("ended", [True, False])
async def test_nothing_is_given_up_before_what_is_to_run_is_there(ended):
    there = Installation()
    async with there.running():
        await submitted(there, 5 if ended else FOR_EVER, **ON_CHANGE)
        await there.clock.run_until(
            lambda: there.is_true(JOB, "Complete") or shown(there, "awsStatus") == "RUNNING",
            within=900,
        )
        if ended:
            await there.until(JOB, "Complete")
        there.apply(JOB, ELSEWHERE)
        await there.until(JOB, "Reconciling", "ReferenceNotFound")
        await there.clock.advance(700)
        assert true_conditions(there) == {"Reconciling": 2} | ({"Complete": 1} if ended else {})
        assert alive(there) == (not ended)
        script(there, 5)
        there.apply(OTHER, definition())
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 2)


async def test_a_held_job_waits_with_its_change_and_keeps_its_result_until_then():
    there = Installation()
    async with there.running():
        await complete(there)
        there.apply(JOB, CHANGED | {"suspend": True})
        await there.until(JOB, "Suspended")
        assert true_conditions(there) == {"Suspended": 2, "Complete": 1}
        calls = there.calls.count("batch:DescribeJobs")
        await there.clock.advance(700)
        assert there.calls.count("batch:DescribeJobs") == calls
        there.apply(JOB, CHANGED)
        await there.until(JOB, "Complete", within=900)
        assert submits(there) == 2


async def test_the_change_of_a_job_that_succeeds_meanwhile_runs_all_the_same():
    there = Installation()
    async with there.running():
        await submitted(there, 30, **ON_CHANGE)
        await at_work(there)
        there.fault(effect="drop_before", service="batch", operation="TerminateJob")
        there.apply(JOB, CHANGED)
        await there.clock.run_until(lambda: submits(there) == 2, within=120)
        await there.until(JOB, "Complete", within=900)
        assert ends(there) == [(1, "Succeeded")]


async def test_a_change_while_the_outcome_is_unknown_closes_the_run_and_loses_no_job():
    there = Installation()
    async with there.running():
        await ready(there)
        lost_answer(there)
        script(there, FOR_EVER)
        there.apply(JOB, ON_CHANGE)
        await there.clock.run_until(lambda: submits(there) == 1, within=60)
        there.apply(JOB, CHANGED)
        await at_work(there, run=2)
        assert (submits(there), len(jobs(there))) == (2, 2)


async def test_what_came_too_late_runs_once_on_change_is_set():
    """The remedy of ChangeNotRun."""
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER, **ON_CHANGE)
        await at_work(there)
        there.apply(JOB, ELSEWHERE)  # it waits for its definition
        await there.until(JOB, "Reconciling", "ReferenceNotFound")
        there.apply(JOB, ELSEWHERE | {"rerunPolicy": "Never"})
        await there.clock.run_until(
            lambda: any(reason == "ChangeNotRun" for reason, _ in there.events(JOB)), within=60
        )
        (note,) = [note for reason, note in there.events(JOB) if reason == "ChangeNotRun"]
        assert "set rerunPolicy to OnChange" in note
        there.apply(OTHER, definition())
        script(there, 5)
        there.apply(JOB, ELSEWHERE)
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), shown(there, "run")) == (2, 2)
