"""Events of jobs, as EventBridge would put them into a queue."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, breaches, ready, serverless, service_model
from tests.simulator.parallel import running

from awsbatch_simulator.hosting import JobEvent, JobEvents
from awsbatch_simulator.jobscript import JobScript

SHORT = JobScript(duration_seconds=5)
CHANGE = "Batch Job State Change"


def told(cloud: Cloud, *kinds: JobEvent) -> Cloud:
    events = JobEvents(queue="jobs", kinds=kinds or tuple(JobEvent))
    cloud.world.change(cloud.world.settings.model_copy(update={"job_events": events}))
    return cloud


def heard(cloud: Cloud) -> list[dict[str, Any]]:
    """All events so far, which are taken away."""
    return cloud.mail.queues.pop("jobs", [])


def test_every_change_of_a_job_is_told_with_its_detail_and_the_submission_is_not():
    cloud = told(serverless(SHORT))
    job_id = cloud.submit(retryStrategy={"attempts": 2})
    cloud.step(0.4)
    assert heard(cloud) == []
    cloud.step(30)
    events = heard(cloud)
    states = ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    assert [each["detail"]["status"] for each in events] == states
    last, job = events[-1], cloud.job(job_id)
    assert last["detail"] == job
    assert (last["detail-type"], last["source"], last["version"]) == (CHANGE, "aws.batch", "0")
    assert (last["account"], last["region"]) == ("111122223333", "eu-central-1")
    assert last["resources"] == [job["jobArn"]]
    assert len({each["id"] for each in events}) == len(events)
    for each in events:
        assert not breaches(each["detail"], service_model("batch").shape_for("JobDetail"))


def test_children_and_nodes_are_told_of_as_well_as_their_parents():
    cloud = told(serverless(SHORT))
    parent = cloud.submit(arrayProperties={"size": 2})
    cloud.step(30)
    ended = {each["detail"]["jobId"] for each in heard(cloud) if "stoppedAt" in each["detail"]}
    assert ended == {parent, f"{parent}:0", f"{parent}:1"}
    cloud, job_id = running(JobScript(duration_seconds=200))
    told(cloud)
    cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(10)
    ended = {each["detail"]["jobId"] for each in heard(cloud)}
    assert ended == {job_id, f"{job_id}#0", f"{job_id}#1", f"{job_id}#2"}


def test_a_blocked_queue_is_told_of_once_a_reason():
    cloud = told(ready(), JobEvent.QUEUE_BLOCKED)
    cloud.fault("insufficient_capacity")
    job_id = cloud.submit()
    cloud.submit("behind")
    cloud.step(1000)
    (event,) = heard(cloud)
    queue = cloud("DescribeJobQueues")["jobQueues"][0]["jobQueueArn"]
    assert event["detail-type"] == "Batch Job Queue Blocked"
    assert event["resources"] == [event["detail"]["jobArn"], queue]
    assert event["detail"]["jobId"] == job_id
    assert event["detail"]["status"] == "RUNNABLE"
    assert event["detail"]["statusReason"].startswith("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")


@pytest.mark.parametrize(
    "events", [JobEvents(), JobEvents(queue="jobs", kinds=(JobEvent.QUEUE_BLOCKED,))]
)
def test_without_a_rule_nothing_is_told(events):
    cloud = serverless(SHORT)
    cloud.world.change(cloud.world.settings.model_copy(update={"job_events": events}))
    cloud.submit()
    cloud.step(30)
    assert cloud.mail.queues == {}
