"""What whoever runs the operator sees of all objects: a count by condition, and a line a deed."""

from structlog.testing import capture_logs
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey

JOB = ObjectKey("BatchJob", NAMESPACE, "one")


def told(logs):
    """(what, name) of every line about an object."""
    return [(line["event"], line["name"]) for line in logs if "aws_name" in line]


async def test_an_hour_of_refusals_is_one_line_and_one_object_in_the_metric():
    there = Installation()
    there.fault(service="batch", operation="CreateComputeEnvironment", effect="deny")
    stalled = {"kind": "ComputeEnvironment", "condition": "Stalled", "status": "True"}
    with capture_logs() as logs:
        async with there.running():
            there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
            await there.until(ENVIRONMENT, "Stalled")
            await there.clock.advance(3600)
            assert there.metric("objects", **stalled) == 1
            assert there.metric("objects", **stalled, reason="PermissionDenied") == 1
            there.mend()
            await there.until_ready(ENVIRONMENT, within=1200)
            assert there.metric("objects", **stalled) == 0
            assert there.metric("objects", kind="ComputeEnvironment", condition="Stalled") == 1
    pool = ENVIRONMENT.name
    assert told(logs) == [("needs a person", pool), ("created", pool), ("ready", pool)]


async def test_what_is_made_changed_repaired_and_ended_is_a_line_each_and_a_resync_none():
    there = Installation()
    with capture_logs() as logs:
        async with there.running():
            for key in (ENVIRONMENT, QUEUE, DEFINITION):
                there.apply(key, SPECS[key])
            await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION)
            there.apply(JOB, manifests.job())
            await there.until(JOB, "Complete", within=1200)
            there.apply(QUEUE, {**SPECS[QUEUE], "priority": 7})
            await there.until_ready(QUEUE)
            there.aws().update_job_queue(jobQueue=there.status(QUEUE)["awsName"], priority=3)
            await there.clock.advance(1500)
            assert there.metric("objects", kind="BatchJob", condition="Complete", status="True")
            there.kube.remove(QUEUE)
            await there.until_gone(QUEUE)
            assert there.metric("objects", kind="JobQueue") == 0
    lines = [line for line in told(logs) if line[1] in (QUEUE.name, JOB.name)]
    assert lines == [
        ("created", QUEUE.name),
        ("ready", QUEUE.name),
        ("created", JOB.name),
        ("ended", JOB.name),
        ("changed", QUEUE.name),
        ("repaired", QUEUE.name),
        ("ended", QUEUE.name),
    ]
    (name,) = {line["aws_name"] for line in logs if line.get("name") == QUEUE.name}
    assert name.startswith("science-main-")
