"""A job that runs again with its definition inside: the same one, or another one.

What AWS has of a definition is only remembered; whoever starts next has to look before each run,
whatever that run begins for.
"""

from typing import Any

import pytest
from tests.component.batchjob.again import SAFE, at_work, ends, lost, scripted
from tests.component.batchjob.inline_jobs import REGISTER, commands, inline, revisions, with_queue
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, script, shown, submits
from tests.support.installation import Installation
from tests.support.manifests import queue

from awsbatch_simulator.jobscript import JobScript

ON_CHANGE = {"rerunPolicy": "OnChange"}
FALLBACK = {"jobQueueRef": {"name": SAFE.name}, "when": ["HostLost"], "afterFailures": 1}
ANEW = pytest.mark.parametrize("anew", [False, True], ids=["", "another operator"])


async def runs(there: Installation, *command: str, **spec: Any) -> None:
    await with_queue(there)
    script(there, FOR_EVER)
    there.apply(JOB, inline(*command, **spec))
    await at_work(there)


@ANEW
async def test_another_definition_takes_the_place_of_the_one_that_runs(anew):
    there = Installation()
    async with there.running():
        await runs(there, "first", **ON_CHANGE)
        script(there, 5)
        if not anew:
            there.apply(JOB, inline("second", **ON_CHANGE))
            await there.until(JOB, "Complete", within=900)
    if anew:
        there.apply(JOB, inline("second", **ON_CHANGE))
        async with there.running():
            await there.until(JOB, "Complete", within=900)
    async with there.running():
        await there.clock.run_until(lambda: commands(there) == ["second"], within=900)
        assert (submits(there), there.calls.count(REGISTER)) == (2, 2)
        assert ends(there) == [(1, "Changed")]


async def test_another_definition_takes_the_place_of_the_one_that_has_run():
    there = Installation()
    async with there.running():
        await runs(there, "first", **ON_CHANGE)
        script(there, 5)
        there.apply(JOB, inline("second", **ON_CHANGE))
        await there.until(JOB, "Complete", within=900)
        there.apply(JOB, inline("third", **ON_CHANGE))
        await there.clock.run_until(lambda: commands(there) == ["third"], within=900)
        await there.until(JOB, "Complete", within=900)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert (revisions(there), alive(there)) == ([], 0)


@ANEW
async def test_a_job_that_was_held_goes_on_with_its_definition(anew):
    there = Installation()
    async with there.running():
        await runs(there, "first")
        there.apply(JOB, inline("first", suspend=True))
        await there.until(JOB, "Suspended", within=900)
        if not anew:
            there.apply(JOB, inline("first"))
            await at_work(there, run=2)
    async with there.running():
        there.apply(JOB, inline("first"))
        await at_work(there, run=2)
        assert (submits(there), there.calls.count(REGISTER)) == (2, 1)


@ANEW
async def test_a_job_that_was_lost_goes_on_with_its_definition(anew):
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.apply(SAFE, queue())
        await there.until_ready(SAFE)
        scripted(there, lost("*main*"), JobScript(duration_seconds=5))
        there.apply(JOB, inline("first", fallback=FALLBACK))
        await there.clock.run_until(lambda: submits(there) == 1, within=900)
        if not anew:
            await there.until(JOB, "Complete", within=900)
    await there.clock.advance(600)
    async with there.running():
        await there.until(JOB, "Complete", within=900)
        assert (submits(there), there.calls.count(REGISTER)) == (2, 1)
        assert shown(there, "runCause") == "Lost"
