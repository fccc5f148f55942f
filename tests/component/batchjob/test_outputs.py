"""Conformance: what is said of a job's end and its output, and by what AWS says it."""

from typing import Any

from tests.component.batchjob.runs import JOB, SPEC, running, script, shown
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS


def logging(driver: str, **options: str) -> dict[str, Any]:
    """A definition whose container logs so."""
    named = {name.replace("_", "-"): value for name, value in options.items()}
    made = manifests.definition()
    made["containerProperties"]["logConfiguration"] = {"logDriver": driver, "options": named}
    return made


async def ended(there: Installation, definition: dict[str, Any]) -> None:
    for key, spec in (SPECS | {DEFINITION: definition}).items():
        there.apply(key, spec)
    await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
    script(there, 5, "first", "last")
    there.apply(JOB, SPEC)
    await there.until(JOB, "Complete", within=3600)


async def test_the_lines_of_a_group_that_the_definition_names_are_shown():
    there = Installation()
    async with there.running():
        await ended(there, logging("awslogs", awslogs_group="/climate", awslogs_stream_prefix="x"))
        logs = shown(there, "logs")
        assert (logs["group"], logs["stream"].partition("/")[0]) == ("/climate", "x")
        assert logs["lastLines"] == ["first", "last"]


async def test_a_group_that_the_operator_may_not_read_is_named_with_what_to_grant():
    there = Installation()
    there.fault(effect="deny", service="logs", operation="GetLogEvents")
    async with there.running():
        await ended(there, logging("awslogs", awslogs_group="/climate"))
        [note] = [note for reason, note in there.events(JOB) if reason == "LogsUnreadable"]
        assert "Grant logs:GetLogEvents on the log group /climate" in note
        assert ".." not in note
        assert shown(there, "logs")["group"] == "/climate"


async def test_output_that_goes_elsewhere_is_not_looked_for_in_cloudwatch():
    there = Installation()
    async with there.running():
        await ended(there, logging("splunk", splunk_url="https://s:8088", splunk_token="hunter22"))
        assert shown(there, "logs") == {
            "driver": "splunk",
            "destination": "splunk-url: https://s:8088",
        }
        assert "logs:GetLogEvents" not in there.calls
        assert "hunter22" not in str(there.kube.see(JOB))


async def test_a_job_that_ends_with_its_queue_was_not_cancelled_by_somebody():
    there = Installation()
    async with there.running():
        await running(there)
        there.apply(QUEUE, manifests.queue(drain={"policy": "Terminate"}))
        await there.until_ready(QUEUE)
        there.kube.remove(QUEUE)
        message = await there.until(JOB, "Failed", "Cancelled", within=600)
        assert "Its job queue was deleted" in message
        assert "omebody" not in message
