"""Array jobs: a parent with counts, children with indexes, and the dependencies between them."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, serverless

from awsbatch_simulator.jobscript import JobScript

SHORT = JobScript(duration_seconds=10)


def array(cloud: Cloud, size: int = 3, name: str = "array", **fields: Any) -> str:
    return cloud.submit(name, arrayProperties={"size": size}, **fields)


def counts(cloud: Cloud, job_id: str) -> dict[str, int]:
    summary = cloud.job(job_id)["arrayProperties"]["statusSummary"]
    return {status: count for status, count in summary.items() if count}


def test_a_parent_is_pending_while_its_children_run_and_counts_them():
    cloud = serverless(SHORT, maximum=2)
    parent = array(cloud)
    cloud.step(2)
    assert cloud.status(parent) == "PENDING"
    cloud.step(8)
    assert cloud.status(parent) == "PENDING"
    assert counts(cloud, parent) == {"RUNNING": 2, "RUNNABLE": 1}
    cloud.step(50)
    job = cloud.job(parent)
    assert job["status"] == "SUCCEEDED"
    assert job["arrayProperties"]["size"] == 3
    assert counts(cloud, parent) == {"SUCCEEDED": 3}


def test_children_have_the_ids_and_indexes_of_their_parent():
    cloud = serverless(SHORT)
    parent = array(cloud, containerOverrides={"command": ["x"]})
    cloud.step(20)
    for index in range(3):
        child = cloud.job(f"{parent}:{index}")
        assert child["arrayProperties"] == {"index": index}
        assert child["jobArn"] == f"{cloud.job(parent)['jobArn']}:{index}"
        assert child["container"]["command"] == ["x"]
        assert child["status"] == "SUCCEEDED"


def test_children_are_listed_by_their_parent_and_never_by_their_queue():
    cloud = serverless(SHORT)
    parent = array(cloud)
    cloud.step(10)
    children = cloud("ListJobs", arrayJobId=parent)["jobSummaryList"]
    assert [each["jobId"] for each in children] == [f"{parent}:{index}" for index in range(3)]
    everything = [{"name": "JOB_NAME", "values": ["*"]}]
    listed = cloud("ListJobs", jobQueue="main", filters=everything)["jobSummaryList"]
    assert [each["jobId"] for each in listed] == [parent]
    first = cloud("ListJobs", arrayJobId=parent, maxResults=2)
    rest = cloud("ListJobs", arrayJobId=parent, nextToken=first["nextToken"])["jobSummaryList"]
    assert [each["jobId"] for each in rest] == [f"{parent}:2"]


def test_one_failed_child_fails_the_parent_after_all_have_ended():
    cloud = serverless(JobScript(attempts=(1,), duration_seconds=1, exit_code=1), maximum=1)
    parent = array(cloud, retryStrategy={"attempts": 1})
    cloud.step(10)
    assert cloud.status(parent) == "PENDING"
    cloud.step(30)
    job = cloud.job(parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Array Child Job failed")
    assert counts(cloud, parent) == {"FAILED": 3}


def test_terminating_a_parent_terminates_its_children():
    cloud = serverless(JobScript(duration_seconds=1000), maximum=1)
    parent = array(cloud)
    cloud.step(15)
    cloud("TerminateJob", jobId=parent, reason="enough")
    cloud.step(2)
    job = cloud.job(parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "enough")
    assert counts(cloud, parent) == {"FAILED": 3}


def test_cancelling_a_parent_leaves_the_children_that_run():
    cloud = serverless(JobScript(duration_seconds=100), maximum=1)
    parent = array(cloud)
    cloud.step(15)
    cloud("CancelJob", jobId=parent, reason="enough")
    cloud.step(2)
    assert counts(cloud, parent) == {"RUNNING": 1, "FAILED": 2}
    assert cloud.status(parent) == "PENDING"
    cloud.step(100)
    assert counts(cloud, parent) == {"SUCCEEDED": 1, "FAILED": 2}
    assert cloud.status(parent) == "FAILED"


@pytest.mark.parametrize("operation", ["CancelJob", "TerminateJob"])
def test_a_parent_that_was_ended_never_succeeds_and_ends_with_its_last_child(operation):
    """CancelJob: "The array parent job is cancelled when all child jobs are completed"."""
    cloud = serverless(JobScript(duration_seconds=100), maximum=3)
    parent = array(cloud)
    cloud.step(15)
    assert counts(cloud, parent) == {"RUNNING": 3}
    cloud(operation, jobId=parent, reason="enough")
    cloud.step(0.5)
    assert (cloud.status(parent), counts(cloud, parent)) == ("PENDING", {"RUNNING": 3})
    cloud.step(200)
    job = cloud.job(parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "enough")
    ended = {"SUCCEEDED": 3} if operation == "CancelJob" else {"FAILED": 3}
    assert counts(cloud, parent) == ended


def test_an_array_waits_for_its_dependencies_as_a_whole():
    cloud = serverless(SHORT)
    first = cloud.submit("first")
    parent = array(cloud, dependsOn=[{"jobId": first}])
    cloud.step(10)
    assert counts(cloud, parent) == {"PENDING": 3}
    cloud.step(30)
    assert cloud.status(parent) == "SUCCEEDED"


def test_an_array_fails_with_its_dependency():
    cloud = serverless(JobScript(job_name="bad", exit_code=1, duration_seconds=1), SHORT)
    parent = array(cloud, dependsOn=[{"jobId": cloud.submit("bad")}])
    cloud.step(20)
    job = cloud.job(parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Dependent Job failed")
    assert cloud.status(f"{parent}:1") == "FAILED"


def test_n_to_n_children_wait_for_their_twins_only():
    cloud = serverless(SHORT, maximum=1)
    first = array(cloud, 2, "first")
    second = array(cloud, 2, "second", dependsOn=[{"jobId": first, "type": "N_TO_N"}])
    cloud.step(18)
    assert cloud.status(f"{first}:0") == "SUCCEEDED"
    assert cloud.status(f"{second}:0") == "RUNNABLE"
    assert cloud.status(f"{second}:1") == "PENDING"
    cloud.step(100)
    assert cloud.status(second) == "SUCCEEDED"


def test_n_to_n_wants_arrays_of_the_same_size():
    cloud = serverless()
    first = array(cloud, 2)
    request = {"jobName": "x", "jobQueue": "main", "jobDefinition": "simulate"}
    depends = [{"jobId": first, "type": "N_TO_N"}]
    assert "same size" in cloud.refused(
        "SubmitJob", **request, dependsOn=depends, arrayProperties={"size": 3}
    )


def test_sequential_children_run_one_after_the_other():
    cloud = serverless(SHORT)
    parent = array(cloud, dependsOn=[{"type": "SEQUENTIAL"}])
    cloud.step(10)
    assert counts(cloud, parent) == {"RUNNING": 1, "PENDING": 2}
    cloud.step(100)
    stops = [cloud.job(f"{parent}:{index}")["stoppedAt"] for index in range(3)]
    assert stops == sorted(stops)
    assert cloud.status(parent) == "SUCCEEDED"


@pytest.mark.parametrize("fields", [{}, {"arrayProperties": {"size": 2}}])
def test_sequential_with_a_job_is_a_dependency_on_that_job(fields):
    """JobDependency has both members; SubmitJob says that SEQUENTIAL alone is for arrays."""
    cloud = serverless(SHORT)
    first = cloud.submit("first")
    second = cloud.submit("second", dependsOn=[{"jobId": first, "type": "SEQUENTIAL"}], **fields)
    cloud.step(5)
    assert cloud.status(second) == "PENDING"
    cloud.step(20)
    assert cloud.status(first) == "SUCCEEDED"
    if fields:
        assert counts(cloud, second) == {"RUNNING": 2}, "its children are not in sequence"
    cloud.step(100)
    assert cloud.status(second) == "SUCCEEDED"


@pytest.mark.parametrize("size", [2, 10_000])
def test_arrays_of_all_sizes_end(size):
    cloud = serverless(JobScript(duration_seconds=0, output=()), maximum=10_000)
    parent = array(cloud, size)
    cloud.step(30)
    assert counts(cloud, parent) == {"SUCCEEDED": size}
