"""What stays behind, and what is said, when runs and objects come to their end in unusual ways."""

import pytest
from tests.component.batchjob.again import without_record
from tests.component.batchjob.inline_jobs import inline, job, revisions, with_queue
from tests.component.batchjob.runs import FOR_EVER, SPEC, alive, ready, script
from tests.component.batchjob.test_dependencies import after, named
from tests.support.installation import Installation

FIRST, SECOND = named("first"), named("second")


async def test_a_job_that_was_held_while_it_waited_for_another_is_not_said_to_have_run_twice():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        there.apply(FIRST, SPEC)
        there.apply(SECOND, SPEC | after("first"))
        await there.clock.run_until(lambda: "jobId" in there.status(SECOND), within=600)
        await there.clock.advance(120)
        there.apply(SECOND, SPEC | after("first") | {"suspend": True})
        await there.until(SECOND, "Suspended")
        there.apply(SECOND, SPEC | after("first"))
        await there.clock.run_until(lambda: there.status(SECOND).get("run") == 2, within=600)
        await there.clock.advance(1500)
        told = [reason for reason, _ in there.events(SECOND)]
        assert "SubmittedTwice" not in told
        assert alive(there) == 2


@pytest.mark.parametrize("held", [False, True])
async def test_a_job_at_rest_that_was_replaced_takes_its_definition_with_it(held):
    there = Installation()
    key = job("simulate")
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER if held else 5)
        there.apply(key, inline("date"))
        if held:
            await there.clock.run_until(lambda: "jobId" in there.status(key), within=600)
            there.apply(key, inline("date", suspend=True))
        await there.until(key, "Suspended" if held else "Complete", within=1200)
        without_record(there)
        await there.clock.advance(700)
        there.kube.remove(key)
        await there.until_gone(key)
        await there.clock.advance(700)
        assert revisions(there) == []
