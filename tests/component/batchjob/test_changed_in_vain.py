"""A change that cannot run: the job at work goes on until what is to run can be sent."""

from functools import partial
from typing import Any

from tests.component.batchjob.again import SAFE, at_work, ends
from tests.component.batchjob.inline_jobs import REGISTER, commands, inline, revisions, with_queue
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, script, shown, submits
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import queue

from awsbatch_operator.api.metadata import ObjectKey

ON_CHANGE = {"rerunPolicy": "OnChange"}
OTHER = ObjectKey("BatchJob", NAMESPACE, "other")
GOES_ON = "Run 1 goes on as it was submitted."
LONG = {"containerOverrides": {"environment": [{"name": "A", "value": "x" * 9000}]}}
RANGES = [{"targetNodes": "0", "container": manifests.definition("true")["containerProperties"]}]
NODES = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": RANGES}
NOWHERE = "arn:aws:batch:eu-central-1:111122223333:job-definition/nowhere:1"
IN_VAIN: dict[str, tuple[dict[str, Any], str]] = {
    "no queue": ({"jobQueueRef": {"name": "nowhere"}}, "nowhere does not exist"),
    "a queue that takes no job": ({"jobQueueRef": {"name": SAFE.name}}, "is DISABLED"),
    "a definition that AWS has not": (
        {"jobDefinition": None, "jobDefinitionRef": {"arn": NOWHERE}},
        "AWS lists no ACTIVE definition",
    ),
    "overrides that ECS does not take": (LONG, "ECS starts a task with"),
    "nodes without a definition": (
        {"jobDefinition": {"type": "multinode", "nodeProperties": NODES}},
        "spec.jobDefinition.nodeProperties.nodeRangeProperties: no targetNodes has node 1",
    ),
    "a job that is not there": ({"dependsOn": [{"jobRef": {"name": "no"}}]}, "no does not exist"),
}


async def runs(there: Installation, **spec: Any) -> None:
    await with_queue(there)
    script(there, FOR_EVER)
    there.apply(JOB, inline("first", **ON_CHANGE, **spec))
    await at_work(there)


def refused(there: Installation) -> None:
    there.fault(
        effect="error",
        service="batch",
        operation="RegisterJobDefinition",
        code="ClientException",
        status=400,
        message="The role is not to be assumed.",
    )


async def test_a_definition_that_aws_refuses_costs_no_job_that_runs():
    there = Installation()
    async with there.running():
        await runs(there)
        refused(there)
        there.apply(JOB, inline("second", **ON_CHANGE))
        message = await there.until(JOB, "Stalled", "InvalidRequest", within=120)
        assert "not to be assumed" in message
        assert GOES_ON in message
        await there.clock.advance(650)
        assert (alive(there), submits(there), commands(there)) == (1, 1, ["first"])
        assert "batch:TerminateJob" not in there.calls
    async with there.running():  # another operator
        await there.clock.advance(100)
        assert alive(there) == 1
        there.mend()
        script(there, 5)
        await there.until(JOB, "Complete", within=1500)
        assert (submits(there), ends(there)) == (2, [(1, "Changed")])
        await there.clock.run_until(lambda: commands(there) == ["second"], within=900)


async def test_a_definition_that_was_registered_for_a_change_taken_back_is_deregistered():
    there = Installation()
    async with there.running():
        await runs(there)
        there.fault(effect="drop_after", service="batch", operation="RegisterJobDefinition")
        there.apply(JOB, inline("second", **ON_CHANGE))
        await there.clock.run_until(lambda: there.calls.count(REGISTER) == 2, within=60)
    there.apply(JOB, inline("first", **ON_CHANGE))
    async with there.running():
        await there.clock.run_until(lambda: commands(there) == ["first"], within=900)
        assert (alive(there), submits(there)) == (1, 1)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert revisions(there) == []


async def test_a_job_that_is_to_go_on_in_a_full_queue_runs_until_there_is_a_place():
    there = Installation()
    async with there.running():
        await runs(there)
        there.apply(SAFE, {**queue(), "maxInFlight": 1})
        await there.until_ready(SAFE)
        there.apply(OTHER, inline("other", jobQueueRef={"name": SAFE.name}))
        await there.clock.run_until(lambda: submits(there) == 2, within=300)
        there.apply(JOB, inline("first", **ON_CHANGE, jobQueueRef={"name": SAFE.name}))
        message = await there.until(JOB, "Reconciling", "QueueFull", within=60)
        assert GOES_ON in message
        await there.clock.advance(100)
        assert (alive(there), shown(there, "run")) == (2, 1)
        there.kube.remove(OTHER)
        await there.clock.run_until(lambda: submits(there) == 3, within=60)
        await at_work(there, run=2)
        assert SAFE.name in shown(there, "jobQueueArn")
        assert alive(there) == 1


async def test_whatever_can_be_told_of_a_change_is_told_before_the_job_at_work_is_ended():
    there = Installation()
    async with there.running():
        await runs(there)
        there.apply(SAFE, {**queue(), "state": "DISABLED"})
        await there.until_ready(SAFE)
        for change, words in IN_VAIN.values():
            spec = {**inline("first", **ON_CHANGE), **change}
            there.apply(JOB, {name: value for name, value in spec.items() if value is not None})
            await there.clock.run_until(partial(told, there, words), within=120)
            assert (alive(there), submits(there)) == (1, 1)
        assert "batch:TerminateJob" not in there.calls


def told(there: Installation, words: str) -> bool:
    """Whether a condition says so."""
    listed = there.status(JOB)["conditions"]
    return any(words in each["message"] for each in listed if each["status"] == "True")
