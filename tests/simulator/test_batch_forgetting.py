"""Finished jobs that AWS forgets before their time, and what is left of them."""

import gc

import pytest
from tests.simulator.cloud import serverless
from tests.simulator.parallel import nodes_of, running

from awsbatch_simulator.batch import forgetting
from awsbatch_simulator.batch.forgetting import Order
from awsbatch_simulator.batch.model import Job
from awsbatch_simulator.jobscript import JobScript

SHORT = JobScript(duration_seconds=5)
ALL = [{"name": "JOB_NAME", "values": ["*"]}]


def test_finished_jobs_are_forgotten_and_all_others_stay():
    cloud = serverless(JobScript(job_name="long", duration_seconds=300), SHORT)
    done, array, long = (
        cloud.submit("done"),
        cloud.submit("array", arrayProperties={"size": 2}),
        cloud.submit("long"),
    )
    cloud.step(60)
    assert forgetting.carry_out(cloud.world.regions(), Order()) == 2
    ids = [done, array, f"{array}:0", long]
    assert [each["jobId"] for each in cloud("DescribeJobs", jobs=ids)["jobs"]] == [long]
    listed = cloud("ListJobs", jobQueue="main", filters=ALL)["jobSummaryList"]
    assert [each["jobId"] for each in listed] == [long]
    assert cloud("ListJobs", jobQueue="main", jobStatus="SUCCEEDED")["jobSummaryList"] == []
    assert cloud("ListJobs", arrayJobId=array, jobStatus="SUCCEEDED")["jobSummaryList"] == []
    request = {"jobName": "after", "jobQueue": "main", "jobDefinition": "simulate"}
    refusal = cloud.refused("SubmitJob", dependsOn=[{"jobId": done}], **request)
    assert "does not exist" in refusal
    cloud("TerminateJob", jobId=done, reason="nobody")
    cloud.step(8 * 86_400)
    assert cloud.world.clock.failed_timers == 0


def test_nodes_are_forgotten_with_their_job():
    cloud, job_id = running(SHORT)
    assert len(nodes_of(cloud, job_id)) == 3
    assert forgetting.carry_out(cloud.world.regions(), Order(job_ids=(job_id,))) == 1
    ids = [job_id, f"{job_id}#0", f"{job_id}#2"]
    assert cloud("DescribeJobs", jobs=ids)["jobs"] == []


@pytest.mark.parametrize(
    ("order", "forgotten"),
    [
        (Order(job_name="a*"), 1),
        (Order(job_queue="ma*"), 2),
        (Order(job_queue="other"), 0),
        (Order(account="4*"), 0),
        (Order(region="eu-*"), 2),
    ],
)
def test_an_order_says_which_are_meant(order, forgotten):
    cloud = serverless(SHORT)
    cloud.submit("a")
    cloud.submit("b")
    cloud.step(30)
    assert forgetting.carry_out(cloud.world.regions(), order) == forgotten


def test_nothing_holds_a_job_that_is_forgotten():
    cloud = serverless(SHORT)
    job_id = cloud.submit(timeout={"attemptDurationSeconds": 3600})
    cloud.step(30)
    forgetting.carry_out(cloud.world.regions(), Order())
    cloud.step(3700)  # ECS shows its task for an hour
    gc.collect()
    kept = [each for each in gc.get_objects() if isinstance(each, Job) and each.id == job_id]
    assert kept == []
