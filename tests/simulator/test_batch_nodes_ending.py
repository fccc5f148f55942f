"""How multi-node parallel jobs end. Source: the user guide's pages of that name."""

import pytest
from tests.simulator.cloud import ready
from tests.simulator.parallel import SHORT, UP, nodes_of, parallel, running, statuses

from awsbatch_simulator.jobscript import JobScript


@pytest.mark.parametrize(("exit_code", "status"), [(0, "SUCCEEDED"), (3, "FAILED")])
def test_the_main_node_decides_and_ends_the_others(exit_code, status):
    main = JobScript(indexes=(1,), duration_seconds=300, exit_code=exit_code)
    cloud, job_id = running(main, JobScript(duration_seconds=3600), main=1)
    cloud.step(240)
    job, nodes = cloud.job(job_id), nodes_of(cloud, job_id)
    assert job["status"] == status
    assert [each["status"] for each in nodes] == ["FAILED", status, "FAILED"]
    assert nodes[0]["container"]["exitCode"] == 137
    (attempt,) = job["attempts"]
    assert attempt == nodes[1]["attempts"][0]
    assert attempt["container"]["exitCode"] == exit_code
    assert (job["statusReason"], job["stoppedAt"]) == (
        nodes[1]["statusReason"],
        nodes[1]["stoppedAt"],
    )
    after = cloud.submit("single")
    cloud.step(10)
    assert cloud.status(after) == "RUNNING"  # the instances are free


def test_a_failed_child_node_changes_nothing_for_the_others():
    child = JobScript(indexes=(2,), duration_seconds=10, exit_code=1)
    cloud, job_id = running(child, JobScript(duration_seconds=300))
    assert statuses(cloud, job_id) == ["RUNNING", "RUNNING", "FAILED"]
    assert cloud.status(job_id) == "RUNNING"
    cloud.step(300)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_another_attempt_is_of_the_whole_job():
    first = JobScript(indexes=(0,), attempts=(1,), duration_seconds=60, exit_code=1)
    cloud, job_id = running(
        first,
        JobScript(indexes=(2,), attempts=(1,), duration_seconds=1, exit_code=9),
        JobScript(duration_seconds=600),
        retryStrategy={"attempts": 2},
    )
    cloud.step(120)
    assert statuses(cloud, job_id) == ["RUNNING"] * 3
    job = cloud.job(job_id)
    assert (job["status"], len(job["attempts"])) == ("RUNNING", 1)
    assert [len(each["attempts"]) for each in nodes_of(cloud, job_id)] == [1, 1, 1]
    cloud.step(700)
    assert cloud.status(job_id) == "SUCCEEDED"
    assert [each["attempts"][0]["container"]["exitCode"] for each in nodes_of(cloud, job_id)] == [
        1,
        137,
        9,
    ]


def test_terminating_the_job_ends_all_nodes_without_another_attempt():
    cloud, job_id = running(retryStrategy={"attempts": 3})
    cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(5)
    job = cloud.job(job_id)
    assert (job["status"], job["statusReason"], job["isTerminated"]) == ("FAILED", "enough", True)
    assert statuses(cloud, job_id) == ["FAILED"] * 3
    assert [jobs.unfinished for jobs in cloud.region.batch.by_queue.values()] == [{}]


def test_terminating_one_node_leaves_the_others_and_the_main_one_ends_all():
    cloud, job_id = running()
    cloud("TerminateJob", jobId=f"{job_id}#2", reason="this one")
    cloud.step(5)
    assert statuses(cloud, job_id) == ["RUNNING", "RUNNING", "FAILED"]
    assert nodes_of(cloud, job_id)[2]["statusReason"] == "this one"
    assert cloud.status(job_id) == "RUNNING"


def test_a_waiting_job_is_cancelled_with_its_nodes_and_no_node_for_itself():
    cloud = ready(SHORT, maxvCpus=2)
    parallel(cloud)
    job_id = cloud.submit(definition="mpi")
    cloud.step(5)
    cloud("CancelJob", jobId=f"{job_id}#1", reason="no")
    cloud.step(5)
    assert statuses(cloud, job_id) == ["RUNNABLE"] * 3
    cloud("CancelJob", jobId=job_id, reason="no more")
    cloud.step(5)
    assert cloud.status(job_id) == "FAILED"
    assert [each["statusReason"] for each in nodes_of(cloud, job_id)] == ["no more"] * 3


def test_the_time_limit_is_that_of_the_whole_job():
    cloud, job_id = running(timeout={"attemptDurationSeconds": 200})
    cloud.step(200)
    job = cloud.job(job_id)
    assert job["status"] == "FAILED"
    assert job["statusReason"] == "Job attempt duration exceeded timeout"
    assert statuses(cloud, job_id) == ["FAILED"] * 3


def test_the_loss_of_the_main_nodes_host_is_that_of_the_attempt():
    cloud, job_id = running(retryStrategy={"attempts": 2})
    main = cloud.region.batch.jobs[f"{job_id}#0"].task
    assert main is not None
    assert main.instance is not None
    cloud("TerminateInstances", InstanceIds=[main.instance.ec2_instance_id])
    cloud.step(60)
    (attempt,) = cloud.job(job_id)["attempts"]
    assert attempt["statusReason"].startswith("Host EC2 (instance ")
    cloud.step(UP)
    assert statuses(cloud, job_id) == ["RUNNING"] * 3


def test_a_job_that_depends_on_a_parallel_one_waits_for_all_of_it():
    cloud, job_id = running(JobScript(duration_seconds=200))
    after = cloud.submit("after", dependsOn=[{"jobId": job_id}])
    cloud.step(5)
    assert cloud.status(after) == "PENDING"
    cloud.step(200)
    assert (cloud.status(job_id), cloud.status(after)) != ("RUNNING", "PENDING")
