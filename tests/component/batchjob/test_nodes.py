"""Multi-node parallel jobs: refused where AWS never runs them, else told by their main node."""

from typing import Any

import pytest
from tests.component.batchjob.runs import JOB, jobs, ready, script, shown, submits
from tests.support.installation import NAMESPACE, Installation
from tests.support.job_remedies import MULTINODE, NODES
from tests.support.manifests import QUEUE, ROLE, SPECS, environment, queue, unmanaged

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

SPEC: dict[str, Any] = {
    "jobQueueRef": {"name": "main"},
    "jobDefinitionRef": {"name": "nodes"},
}
OTHER = ObjectKey("ComputeEnvironment", NAMESPACE, "other")


async def with_nodes(there: Installation) -> None:
    await ready(there)
    there.apply(NODES, MULTINODE)
    await there.until_ready(NODES)


async def test_a_multi_node_job_has_the_verdict_and_the_output_of_its_main_node():
    there = Installation()
    async with there.running():
        await with_nodes(there)
        script(there, 20, "solved")
        there.apply(JOB, SPEC | {"nodeOverrides": {"numNodes": 2}})
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=900)
        assert shown(there, "nodes") == {"count": 2, "mainNode": 0}
        message = await there.until(JOB, "Complete", within=900)
        assert message.startswith("The main node (index 0 of 2 nodes) ended with exit code 0")
        assert shown(there, "exitCode") == 0
        assert shown(there, "logs")["lastLines"] == ["solved"]
        assert submits(there) == 1


async def test_failed_nodes_are_named_and_the_main_one_says_why():
    there = Installation()
    async with there.running():
        await with_nodes(there)
        world = there.simulator.world
        failing = JobScript(duration_seconds=20, exit_code=7, output=("no licence",))
        world.change(world.settings.model_copy(update={"job_scripts": (failing,)}))
        there.apply(JOB, SPEC)
        message = await there.until(JOB, "Failed", within=900)
        assert "nodes failed" in message
        assert "Exit code 7" in message
        nodes = shown(there, "nodes")
        assert nodes["failed"].startswith("0")
        assert shown(there, "logs")["lastLines"] == ["no licence"]
        assert there.calls.count("batch:SubmitJob") == 1


@pytest.mark.parametrize(
    ("other", "words"),
    [(unmanaged(), "ComputeEnvironment science/other (UNMANAGED)"),
     (environment(type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED"), "(Spot instances)")],
)  # fmt: skip
async def test_nothing_is_sent_to_a_queue_where_nodes_never_run_until_the_queue_is_mended(
    other, words
):
    there = Installation()
    async with there.running():
        await with_nodes(there)
        there.apply(OTHER, other)
        await there.until_ready(OTHER)
        there.apply(QUEUE, queue("other"))
        await there.clock.advance(60)
        await there.until_ready(QUEUE)
        script(there, 5)
        there.apply(JOB, SPEC)
        message = await there.until(JOB, "Stalled", "MultiNodeNotSupported")
        assert words in message
        assert "JobQueue science/main" in message
        await there.clock.advance(120)
        calls = len(there.calls)
        await there.clock.advance(600)
        own = [
            call for call in there.calls[calls:] if call in {"batch:ListJobs", "batch:SubmitJob"}
        ]
        assert own == []
        there.apply(QUEUE, SPECS[QUEUE])
        await there.until(JOB, "Complete", within=900)
        assert len([job for job in jobs(there) if "#" not in job.id]) == 1


async def test_an_environment_of_somebody_else_in_a_queue_by_its_arn_counts_as_well():
    there = Installation()
    async with there.running():
        await with_nodes(there)
        batch = there.aws()
        batch.create_compute_environment(
            computeEnvironmentName="theirs", type="UNMANAGED", serviceRole=ROLE
        )
        await there.clock.advance(60)
        order = [{"order": 1, "computeEnvironment": "theirs"}]
        batch.create_job_queue(jobQueueName="theirs", priority=1, computeEnvironmentOrder=order)
        await there.clock.advance(60)
        arn = batch.describe_job_queues(jobQueues=["theirs"])["jobQueues"][0]["jobQueueArn"]
        there.apply(JOB, SPEC | {"jobQueueRef": {"arn": arn}})
        message = await there.until(JOB, "Stalled", "MultiNodeNotSupported")
        assert "queue theirs holds environment theirs (UNMANAGED)" in message
        pool = [
            each["computeEnvironmentArn"]
            for each in batch.describe_compute_environments()["computeEnvironments"]
            if each["computeEnvironmentName"] != "theirs"
        ]
        batch.update_job_queue(
            jobQueue="theirs", computeEnvironmentOrder=[{"order": 1, "computeEnvironment": pool[0]}]
        )
        script(there, 5)
        await there.until(JOB, "Complete", within=300)
