"""The operator dies, or loses an answer, at every call of a day on which jobs run more than once.

One job is held from the start, let go, held while it runs, let go again, changed while it runs, and
changed after its end; another is lost with its host and goes on in another queue. Whatever dies
when, each run has one job in AWS, which has ended before that of the next one is submitted; and the
history tells how each ended.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.job_day import (
    JobsDay,
    are_ready,
    is_over,
    named,
    stands,
    strike_each,
)
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    UNTIMED,
    Step,
    apply,
    has_condition,
)
from tests.support.crashing import Mode, Points
from tests.support.one_process import World

from awsbatch_simulator.jobscript import JobScript

SHARDS = 2
SEEDS = {Mode.BEFORE: 701, Mode.AFTER: 702, Mode.LOST: 703}
HOST_LOST = "Host EC2 (instance i-0a1b2c3d4e5f67890) terminated."


def turns(how: str, *, suspend: bool = False) -> dict[str, Any]:
    spec = {"rerunPolicy": "OnChange", "timeout": UNTIMED["timeout"], "parameters": {"how": how}}
    return named(JOB, "turns", **spec, suspend=suspend)


SAFE = named(QUEUE, "safe")
LOST = named(
    JOB,
    "lost",
    fallback={"jobQueueRef": {"name": "safe"}, "when": ["HostLost"], "afterFailures": 2},
)
LASTING = (ENVIRONMENT, QUEUE, SAFE, DEFINITION)
HELD = has_condition(turns("long"), "Suspended")


def runs(run: int) -> Callable[[World], bool]:
    return stands(turns("long"), run=run, awsStatus="RUNNING")


class RunsDay(JobsDay):
    """That day."""

    acts = (
        Step("make all that jobs need", apply(*LASTING), are_ready(*LASTING)),
        Step("hold a job from the start", apply(turns("long", suspend=True)), HELD),
        Step("let it go", apply(turns("long")), runs(1)),
        Step("hold it", apply(turns("long", suspend=True)), HELD),
        Step("let it go again", apply(turns("long")), runs(2)),
        Step(
            "change it while it runs", apply(turns("short")), is_over(turns("short"), "Complete", 3)
        ),
        Step(
            "change it after its end", apply(turns("brief")), is_over(turns("brief"), "Complete", 4)
        ),
        Step("lose a job", apply(LOST), has_condition(LOST, "Complete")),
    )
    everything = (*LASTING, LOST, turns("long"))
    scripts = (
        JobScript(job_name="turns-*", parameters={"how": "long"}, duration_seconds=1e6),
        JobScript(
            job_name="lost-*",
            job_queue="*main*",
            exit_code=None,
            reason="",
            status_reason=HOST_LOST,
        ),
    )
    runs: ClassVar = {"turns": 4, "lost": 3}
    ends: ClassVar = {"turns": ["Suspended", "Changed", "Succeeded"], "lost": ["HostLost"] * 2}


async def test_a_day_without_a_strike_has_a_good_end():
    await RunsDay(1, Points()).live_well()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])
async def test_every_point_ends_the_same(mode, shard, branches, record_property):
    day = RunsDay(SEEDS[mode], Points())
    number = await strike_each(
        day, mode, branches, first=shard, step=SHARDS, only_while_there_are_jobs=False
    )
    record_property(f"{POINTS} (runs, {mode.value})", number)
