"""Arrays: one object and one submission, told by what their children do."""

from typing import Any

from tests.component.batchjob.runs import JOB, SPEC, jobs, ready, script, shown, submits
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

ARRAY = {"arrayProperties": {"size": 20}}


def children(there: Installation) -> list[Any]:
    return [job for job in jobs(there) if job.index is not None]


def ending(there: Installation, seconds: float, exit_code: int, *output: str) -> None:
    """How children end that start from now on."""
    world = there.simulator.world
    one = JobScript(duration_seconds=seconds, exit_code=exit_code, output=output)
    world.change(world.settings.model_copy(update={"job_scripts": (one,)}))


def counted_writes(there: Installation) -> list[str]:
    writes: list[str] = []

    def count(event: str, body: dict[str, Any]) -> None:
        if body["kind"] == "BatchJob":
            writes.append(event)

    there.kube.subscribe(count)
    return writes


async def test_an_array_is_one_submission_and_few_writes_and_tells_what_its_children_do():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 120)
        writes = counted_writes(there)
        there.apply(JOB, SPEC | ARRAY)
        await there.clock.run_until(
            lambda: bool((shown(there, "array") or {}).get("running")), within=900
        )
        array, started = shown(there, "array"), Instant.parse(shown(there, "startedTime"))
        first = min(job.started_at for job in children(there) if job.started_at is not None)
        assert -1 <= started.since(Instant.from_milliseconds(first)) <= 30
        assert shown(there, "awsStatus") == "PENDING"
        there_message = there.condition(JOB, "Reconciling")["message"]
        assert there.is_true(JOB, "Reconciling", "Running")
        assert f"0 of 20 have ended, {array['running']} run" in there_message
        assert "wait for room" in there_message
        await there.until(JOB, "Complete", within=7200)
        array = shown(there, "array")
        assert (array["progress"], array["succeeded"]) == ("20/20", 20)
        assert "failedIndexes" not in array
        assert shown(there, "startedTime") == started.rfc3339()
        assert submits(there) == 1
        assert len(writes) <= 1 + 1 + 10  # applied, the record, and statuses
        message = there.condition(JOB, "Complete")["message"]
        assert message == "All 20 jobs of the array succeeded."


async def test_the_indexes_that_failed_are_listed_once_and_the_first_one_tells_why():
    there = Installation()
    async with there.running():
        await ready(there)
        ending(there, 60, 3, "no such file")
        there.apply(JOB, SPEC | ARRAY)
        await there.clock.run_until(
            lambda: any(job.started_at for job in children(there)), within=900
        )
        ending(there, 60, 0, "done")
        failed = [job.index for job in children(there) if job.started_at]
        message = await there.until(JOB, "Failed", within=7200)
        assert submits(there) == 1
        array = shown(there, "array")
        assert array["failed"] == len(failed)
        assert shown(there, "exitCode") == 3
        assert shown(there, "logs")["lastLines"] == ["no such file"]
        assert shown(there, "failure") == "ApplicationExit"
        assert f"{len(failed)} of 20 jobs of the array failed: indexes " in message
        assert array["failedIndexes"] in message
        assert [reason for reason, _ in there.events(JOB)] == ["Submitted", "ApplicationExit"]
        calls = len(there.calls)
        await there.clock.advance(600)
        assert not {"batch:ListJobs", "batch:DescribeJobs"} & set(there.calls[calls:])


async def test_an_array_that_is_deleted_is_terminated_as_a_whole():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 1e6)
        there.apply(JOB, SPEC | ARRAY)
        await there.clock.run_until(
            lambda: bool((shown(there, "array") or {}).get("running")), within=900
        )
        there.remove(JOB)
        await there.until_gone(JOB)
        assert there.calls.count("batch:TerminateJob") == 1
        assert all(job.status.finished for job in children(there))


async def test_an_array_of_which_nothing_can_start_tells_why_and_costs_a_question_a_queue():
    there = Installation()
    async with there.running():
        await ready(there)
        large = {"resourceRequirements": [{"type": "VCPU", "value": "64"}]}
        keys = [ObjectKey("BatchJob", NAMESPACE, f"sweep-{number}") for number in range(2)]
        for key in keys:
            there.apply(key, SPEC | ARRAY | {"containerOverrides": large})
        first = keys[0]
        await there.clock.run_until(lambda: "statusReason" in there.status(first), within=3600)
        assert "COMPUTE_ENVIRONMENT_MAX_RESOURCE" in there.status(first)["statusReason"]
        message = there.condition(first, "Reconciling")["message"]
        assert "0 of 20 have ended, 20 wait for room. AWS says: MISCONFIGURATION" in message
        assert "Raise maxvCpus" in message
        assert [reason for reason, _ in there.events(first)] == ["Submitted", "Blocked"]
        asked, began = there.calls.count("batch:GetJobQueueSnapshot"), there.clock.monotonic()
        await there.clock.advance(1200)
        passed = there.clock.monotonic() - began
        assert there.calls.count("batch:GetJobQueueSnapshot") - asked <= passed / 300 + 1
        assert [reason for reason, _ in there.events(first)] == ["Submitted", "Blocked"]
