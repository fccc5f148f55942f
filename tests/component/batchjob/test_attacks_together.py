"""Arrays, dependencies, further runs and deletions of one job, all at a time."""

from typing import Any

import pytest
from tests.component.batchjob.again import SAFE, with_both_queues
from tests.component.batchjob.inline_jobs import inline, revisions
from tests.component.batchjob.runs import JOB, SPEC, jobs, ready, script, shown
from tests.component.batchjob.test_array_values import environment, values
from tests.component.batchjob.test_dependencies import after, named
from tests.support.installation import Installation

from awsbatch_simulator.jobscript import JobScript

FIRST, SECOND = named("first"), named("second")
FALLBACK: dict[str, Any] = {
    "fallback": {"jobQueueRef": {"name": SAFE.name}, "when": ["ApplicationExit"]}
}
MAIN_FAILS = JobScript(job_queue="*main*", duration_seconds=120, exit_code=1)
WELL = JobScript(duration_seconds=5)


# --- values of an array ---


@pytest.mark.parametrize(
    "kind", [{"jobRef": {"name": "first"}, "type": "N_TO_N"}, {"type": "SEQUENTIAL"}]
)
async def test_an_array_of_one_value_depends_on_others_as_the_single_job_that_it_is(kind):
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 60)
        there.apply(FIRST, SPEC | {"arrayValues": values("1")})
        there.apply(SECOND, SPEC | {"arrayValues": values("1"), "dependsOn": [kind]})
        await there.until(SECOND, "Complete", within=1200)


def own(child: Any) -> str:
    """The value that the child's command finds, as the documentation says."""
    listed = environment(child)["SHARD"].split(",")
    return str(listed[child.index or 0])


@pytest.mark.parametrize("failing", [(1,), (1, 3)])
async def test_the_failed_indexes_of_an_array_of_values_run_with_their_own_values(failing):
    there = Installation()
    retry = {"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "INDEXES"}}
    async with there.running():
        scripts = (JobScript(duration_seconds=20, exit_code=1, indexes=failing), WELL)
        await with_both_queues(there, *scripts)
        there.apply(JOB, SPEC | retry | {"arrayValues": values("a", "b", "c", "d")})
        await there.clock.run_until(lambda: shown(there, "run") == 2, within=1200)
        await there.clock.advance(5)
        again = [each for each in jobs(there) if each.tags.get("awsbatch.dev/run") == "2"]
        parent = again[0]
        made = [each for each in jobs(there) if each.id.startswith(f"{parent.id}:")] or [parent]
        assert sorted(own(each) for each in made) == ["abcd"[each] for each in failing]
        assert environment(made[0])["INDEXES"] == ",".join(map(str, failing))


# --- dependencies of and on jobs that run again ---


async def test_who_depends_on_a_job_that_goes_on_in_the_other_queue_waits_for_its_success():
    there = Installation()
    async with there.running():
        await with_both_queues(there, MAIN_FAILS.model_copy(update={"job_name": "first*"}), WELL)
        there.apply(FIRST, SPEC | FALLBACK)
        there.apply(SECOND, SPEC | after("first"))
        await there.until(FIRST, "Complete", within=3600)
        assert there.status(FIRST)["run"] == 2
        await there.until(SECOND, "Complete", within=3600)


async def test_a_lost_job_goes_on_though_the_job_that_it_waited_for_is_gone_since():
    there = Installation()
    scripts = (MAIN_FAILS.model_copy(update={"job_name": "second*"}), WELL)
    async with there.running():
        await with_both_queues(there, *scripts)
        there.apply(FIRST, SPEC | {"ttlSecondsAfterFinished": 10})
        there.apply(SECOND, SPEC | FALLBACK | after("first"))
        await there.until_gone(FIRST, within=1200)
        await there.until(SECOND, "Complete", within=3600)
        assert there.status(SECOND)["run"] == 2


async def test_a_job_that_is_resumed_finds_what_it_depends_on():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 120)
        there.apply(FIRST, SPEC | {"ttlSecondsAfterFinished": 10})
        there.apply(SECOND, SPEC | after("first"))
        await there.clock.run_until(lambda: "jobId" in there.status(SECOND), within=600)
        there.apply(SECOND, SPEC | after("first") | {"suspend": True})
        await there.clock.advance(1200)
        there.apply(SECOND, SPEC | after("first"))
        await there.until(SECOND, "Complete", within=1200)
        await there.until_gone(FIRST)


# --- what a definition in a job leaves behind ---


async def test_no_definition_is_left_of_a_job_that_was_changed_and_ended_before_aws_listed_it():
    there = Installation()
    async with there.running():
        await with_both_queues(there, WELL)
        there.apply(JOB, inline("one", rerunPolicy="OnChange"))
        await there.until(JOB, "Complete", within=1200)
        there.fault(effect="throttle", service="batch", operation="DeregisterJobDefinition")
        there.apply(JOB, inline("two", rerunPolicy="OnChange"))
        await there.until(JOB, "Complete", within=1200)
        there.mend()
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        ran = [each["containerProperties"]["command"] for each in revisions(there)]
        assert ran == [["true"]]
