"""The whole way of a job: environment, queue, definition, job, result."""

from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript


def test_a_job_passes_all_states_on_an_instance_that_batch_starts_for_it():
    cloud = ready(JobScript(duration_seconds=10, output=("one", "two")))
    job_id = cloud.submit()
    assert cloud.status(job_id) == "SUBMITTED"
    cloud.step(1)
    assert cloud.status(job_id) == "RUNNABLE"
    cloud.step(42)  # look 1, pending 20, agent 20, and a moment
    assert cloud.status(job_id) == "STARTING"
    cloud.step(5)
    assert cloud.status(job_id) == "RUNNING"
    cloud.step(10)
    job = cloud.job(job_id)
    assert job["status"] == "SUCCEEDED"
    assert job["container"]["exitCode"] == 0
    assert (
        job["container"]["containerInstanceArn"]
        == (job["attempts"][0]["container"]["containerInstanceArn"])
    )
    assert job["startedAt"] < job["stoppedAt"]
    stream = job["container"]["logStreamName"]
    assert stream == f"simulate/default/{job['container']['taskArn'].rpartition('/')[2]}"
    assert cloud.lines.streams[stream] == ["one", "two"]
    assert cloud.lines.groups == {"/aws/batch/job"}


def test_states_change_only_when_time_passes():
    cloud = Cloud()
    cloud.environment()
    described = [cloud("DescribeComputeEnvironments")["computeEnvironments"][0] for _ in range(3)]
    assert {each["status"] for each in described} == {"CREATING"}
    cloud.step(10)
    environment = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]
    assert (environment["status"], environment["statusReason"]) == (
        "VALID",
        "ComputeEnvironment Healthy",
    )


def test_a_fargate_job_needs_no_instance():
    cloud = serverless()
    job_id = cloud.submit()
    cloud.step(20)
    job = cloud.job(job_id)
    assert job["status"] == "SUCCEEDED"
    assert "containerInstanceArn" not in job["container"]
    assert cloud("DescribeInstances")["Reservations"] == []


def test_a_job_fails_with_the_exit_code_of_its_script():
    cloud = serverless(JobScript(job_name="bad*", exit_code=3, reason="boom"), JobScript())
    bad, good = cloud.submit("bad-1"), cloud.submit("good-1")
    cloud.step(20)
    job = cloud.job(bad)
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 3)
    assert job["container"]["reason"] == "boom"
    assert job["statusReason"] == "Essential container in task exited"
    assert cloud.status(good) == "SUCCEEDED"
