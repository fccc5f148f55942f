"""Arrays whose jobs do several tasks each: told by their tasks, and exactly those are run again."""

from typing import Any

import pytest
from tests.component.batchjob.inline_jobs import inline
from tests.component.batchjob.runs import JOB, SPEC, jobs, ready, shown, submits
from tests.component.batchjob.test_arrays import counted_writes
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, definition

from awsbatch_operator.kinds.batchjob.packing import MARK, SCRIPT, nonce_of
from awsbatch_simulator.jobscript import JobScript

PACKED = {"arrayProperties": {"size": 10}, "packing": {"tasksPerJob": 4}}
RETRY = {"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "TASKS"}}


def scripts(there: Installation, *listed: JobScript) -> None:
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"job_scripts": listed}))


def done(there: Installation, run: int, failed: str) -> str:
    """The last line of a job of that run, as its script writes it."""
    nonce = nonce_of(there.kube.see(JOB)["metadata"]["uid"], run)
    return f"{MARK} {nonce} DONE {failed}"


def failing(there: Installation, run: int, failed: str, **of: Any) -> JobScript:
    output = ("a line of a task", done(there, run, failed))
    return JobScript(duration_seconds=20, exit_code=1, output=output, **of)


def sent(there: Installation) -> list[dict[str, Any]]:
    """Of each run: AWS's array size, the variables, and the packing in its command."""
    made = []
    for job in jobs(there):
        if job.index is None:
            variables = {each["name"]: each["value"] for each in job.overrides["environment"]}
            command = job.overrides["command"]
            assert command[:4] == ["/bin/sh", "-c", SCRIPT, MARK]
            made.append({"size": job.array_size, "variables": variables, "packed": command[5:]})
    return made


async def test_tasks_are_counted_and_exactly_those_that_failed_are_run_again():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, SPEC | PACKED | {"containerOverrides": {"environment": []}})
        scripts(
            there,
            failing(there, 1, "5,7", indexes=(1,)),
            JobScript(duration_seconds=20, exit_code=137, indexes=(2,)),  # killed in the middle
            JobScript(duration_seconds=90, indexes=(0,)),
        )
        await there.clock.run_until(
            lambda: bool((shown(there, "array") or {}).get("running")), within=900
        )
        array = shown(there, "array")
        assert (array["size"], array["tasksPerJob"]) == (10, 4)
        message = await there.until(JOB, "Failed", within=3600)
        array = shown(there, "array")
        assert (array["failed"], array["succeeded"], array["progress"]) == (4, 6, "10/10")
        assert array["failedIndexes"] == "5,7-9"
        assert "4 of 10 tasks failed: indexes 5,7-9." in message
        assert "1 failed job ended without naming the tasks that did" in message
        scripts(there, failing(there, 2, "1"))
        there.apply(JOB, SPEC | PACKED | RETRY | {"containerOverrides": {"environment": []}})
        await there.clock.run_until(lambda: shown(there, "run") == 2, within=900)
        message = await there.until(JOB, "Failed", within=3600)
        assert shown(there, "runIndexes") == "5,7-9"
        array = shown(there, "array")
        assert (array["size"], array["failed"], array["failedIndexes"]) == (4, 1, "1")
        scripts(there)
        again = {"retryFailedIndexes": {"ofRun": 2, "indexMapVariable": "TASKS"}}
        there.apply(JOB, SPEC | PACKED | again | {"containerOverrides": {"environment": []}})
        await there.until(JOB, "Complete", within=3600)
        assert shown(there, "array")["succeeded"] == 1
        assert sent(there) == [
            {"size": 3, "variables": {}, "packed": ["10", "4", "true"]},
            {"size": 0, "variables": {"TASKS": "5,7,8,9"}, "packed": ["4", "4", "true"]},
            {"size": 0, "variables": {"TASKS": "7"}, "packed": ["1", "4", "true"]},
        ]
        assert submits(there) == 3


async def test_output_that_cannot_be_read_makes_all_tasks_of_the_failed_jobs_count():
    there = Installation()
    async with there.running():
        await ready(there)
        there.fault(
            effect="error", service="logs", operation="GetLogEvents", code="AccessDeniedException"
        )
        there.apply(JOB, SPEC | PACKED)
        scripts(there, failing(there, 1, "5,7", indexes=(1,)), JobScript(duration_seconds=20))
        message = await there.until(JOB, "Failed", within=3600)
        assert shown(there, "array")["failedIndexes"] == "4-7"
        assert "Of 1 failed job all tasks count as failed" in message
        assert "AccessDenied" in message


async def test_an_image_without_a_shell_is_said():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, SPEC | PACKED)
        reason = (
            "CannotStartContainerError: Error response from daemon: failed to create task for "
            'container: exec: "/bin/sh": stat /bin/sh: no such file or directory'
        )
        scripts(there, JobScript(exit_code=None, reason=reason))
        message = await there.until(JOB, "Failed", within=3600)
        assert shown(there, "array")["failedIndexes"] == "0-9"
        assert "/bin/sh, which the image does not have: use an image with a shell" in message


async def test_an_array_of_which_many_jobs_failed_is_read_a_handful_at_a_time_and_told_once():
    there = Installation()
    async with there.running():
        await ready(there)
        writes = counted_writes(there)
        there.apply(JOB, SPEC | {"arrayProperties": {"size": 48}, "packing": {"tasksPerJob": 4}})
        failed = (
            JobScript(
                exit_code=1,
                duration_seconds=1,
                indexes=(at,),
                output=(done(there, 1, f"{4 * at}"),),
            )
            for at in range(12)
        )
        scripts(there, *failed)
        message = await there.until(JOB, "Failed", within=7200)
        array = shown(there, "array")
        assert array["failedIndexes"] == "0,4,8,12,16,20,24,28,32,36,40,44"
        assert "12 of 48 tasks failed" in message
        assert "count as failed" not in message
        assert len(writes) <= 1 + 1 + 10  # applied, the record, and statuses


@pytest.mark.parametrize("how", ["inline", "arn", "newest", "revision"])
async def test_the_command_is_that_of_what_really_runs(how):
    there = Installation()
    async with there.running():
        await ready(there)
        arn = there.status(DEFINITION)["arn"]
        spec = SPEC | PACKED
        command = "true"
        match how:
            case "inline":
                command = "inside"
                spec = inline("inside", **PACKED)
            case "arn":
                spec |= {"jobDefinitionRef": {"arn": arn}}
            case "newest":
                spec |= {"jobDefinitionRef": {"arn": arn.rpartition(":")[0]}}
            case "revision":
                there.apply(DEFINITION, definition("newer"))
                await there.clock.run_until(
                    lambda: there.status(DEFINITION)["arn"] != arn, within=300
                )
                spec |= {"jobDefinitionRef": {"name": "simulate", "revision": 1}}
        there.apply(JOB, spec)
        await there.until(JOB, "Complete", within=3600)
        (parent,) = [job for job in jobs(there) if job.index is None]
        assert parent.overrides["command"][-1] == command
        assert how == "inline" or shown(there, "jobDefinitionArn") == arn
        assert shown(there, "array")["succeeded"] == 10


async def test_a_retry_goes_on_with_the_command_of_its_revision_whatever_the_definition_says_now():
    there = Installation()
    async with there.running():
        await ready(there)
        first = there.status(DEFINITION)["arn"]
        there.apply(JOB, SPEC | PACKED)
        scripts(there, failing(there, 1, "5", indexes=(1,)), JobScript(duration_seconds=20))
        await there.until(JOB, "Failed", within=3600)
        there.apply(DEFINITION, definition("newer"))
        await there.clock.run_until(lambda: there.status(DEFINITION)["arn"] != first, within=300)
        scripts(there)
        there.apply(JOB, SPEC | PACKED | RETRY)
        await there.until(JOB, "Complete", within=3600)
        assert shown(there, "jobDefinitionArn") == first
        parents = [job for job in jobs(there) if job.index is None]
        assert [job.overrides["command"][-1] for job in parents] == ["true", "true"]
