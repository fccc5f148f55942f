"""A job that runs more than once is deleted at each moment of that; nothing of it stays in AWS.

The day is lived once; at each moment it goes on in a process of its own, where the job is deleted.
"""

import pytest
from tests.component.batchjob.again import CHANGED, HELD, ON_CHANGE, SAFE, falling_back, lost
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, ready, submits
from tests.integration.crash.conftest import POINTS
from tests.support.installation import Installation
from tests.support.manifests import queue

from awsbatch_simulator.jobscript import JobScript

LATE = CHANGED | {"activeDeadlineSeconds": 60}
ACTS = (HELD | ON_CHANGE, ON_CHANGE, HELD | ON_CHANGE, ON_CHANGE, CHANGED, LATE, ON_CHANGE)
ANOTHER = falling_back(2, rerunPolicy="OnChange", parameters={"year": "2030"})
RUNS = 7  # let go, let go again, changed, changed after its deadline; another, lost twice
MOMENTS = (0.0, 0.1, 0.4, 1.0, 4.0, 30.0, 60.0)  # seconds after one another


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lag", [0.0, 20.0], ids=["", "jobs are shown late"])
async def test_a_deletion_at_any_moment_leaves_nothing(lag, branches, record_property):
    there, number = Installation(), 0
    if lag:
        there.fault(effect="hide", service="batch", operation="DescribeJobs", seconds=lag)

    async def delete(_: str) -> None:
        there.kube.remove(JOB)
        await there.until_gone(JOB, within=900)
        assert alive(there) == 0
        sent = submits(there)
        await there.clock.advance(900)
        assert (alive(there), submits(there)) == (0, sent)

    async with there.running():
        await ready(there)
        there.apply(SAFE, queue())
        await there.until_ready(SAFE)
        world = there.simulator.world
        for spec, scripts in (
            *((spec, (JobScript(duration_seconds=FOR_EVER),)) for spec in ACTS),
            (ANOTHER, (lost("*main*"), JobScript(duration_seconds=FOR_EVER))),
        ):
            world.change(world.settings.model_copy(update={"job_scripts": scripts}))
            there.apply(JOB, spec)
            for moment in MOMENTS:
                await there.clock.advance(moment)
                number = await branches.each(["delete"], delete)
    assert number == len(MOMENTS) * (len(ACTS) + 1)
    assert submits(there) == RUNS
    record_property(f"{POINTS} (deletions of runs{', late' if lag else ''})", number)
