"""Jobs: submission, dependencies, retries, time limits, cancel and terminate."""

import itertools
from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.region import Region

LONG = JobScript(job_name="long*", duration_seconds=5000)
BAD = JobScript(job_name="bad*", exit_code=1, duration_seconds=1)


def refused(cloud: Cloud, **fields: Any) -> str:
    request = {"jobName": "job", "jobQueue": "main", "jobDefinition": "simulate"}
    return cloud.refused("SubmitJob", **request | fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"jobName": "-a"}, "Job name should match valid pattern"),
        ({"jobName": "a" * 129}, "Job name should match valid pattern"),
        ({"jobQueue": "nobody"}, "JobQueue nobody not found."),
        ({"parameters": {"p": "x" * 31_000}}, "Job size must be less than 30 KiB, got 31 KiB"),
        ({"dependsOn": [{"jobId": "nobody"}]}, "'nobody' does not exist"),
        ({"dependsOn": [{"jobId": "x"}] * 21}, "Job cannot have more than 20 dependencies"),
        ({"dependsOn": [{"type": "SEQUENTIAL"}]}, "for array jobs"),
        ({"arrayProperties": {"size": 1}}, "greater than or equal to 2"),
        ({"arrayProperties": {"size": 10_001}}, "less than or equal to 10000"),
        ({"arrayProperties": {}}, "between 2 and 10,000"),
        ({"timeout": {"attemptDurationSeconds": 59}}, "at least 60 seconds"),
        ({"retryStrategy": {"attempts": 0}}, "between 1 and 10"),
        ({"shareIdentifier": "a"}, "can't be specified for a queue without"),
        ({"schedulingPriorityOverride": 10_000}, "between 0 and 9999"),
        ({"containerOverrides": {"command": [""]}}, "can't contain an empty string"),
        ({"containerOverrides": {"environment": [{"name": "AWS_BATCH_X", "value": ""}]}},
         "cannot start with AWS_BATCH"),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "length less than or equal to 50"),
    ],
)  # fmt: skip
def test_what_submission_refuses(fields, message):
    assert message in refused(serverless(), **fields)


def test_a_fair_share_queue_wants_to_know_the_share():
    cloud = serverless()
    policy = cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy={})["arn"]
    cloud.queue("fair", "serverless", schedulingPolicyArn=policy)
    assert "shareIdentifier must be specified" in refused(cloud, jobQueue="fair")
    job_id = cloud.submit(jobQueue="fair", shareIdentifier="blue", schedulingPriorityOverride=7)
    job = cloud.job(job_id)
    assert (job["shareIdentifier"], job["schedulingPriority"]) == ("blue", 7)


def test_overrides_are_merged_by_name_and_type():
    cloud = ready()
    cloud.definition(container={"environment": [{"name": "A", "value": "1"},
                                                {"name": "B", "value": "2"}]})  # fmt: skip
    job = cloud.job(
        cloud.submit(
            containerOverrides={
                "command": ["other"],
                "environment": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
                "resourceRequirements": [{"type": "VCPU", "value": "2"}],
            }
        )
    )
    container = job["container"]
    assert container["command"] == ["other"]
    assert {each["name"]: each["value"] for each in container["environment"]} == {
        "A": "1", "B": "3", "C": "4",
    }  # fmt: skip
    assert {each["type"]: each["value"] for each in container["resourceRequirements"]} == {
        "VCPU": "2", "MEMORY": "1024",
    }  # fmt: skip


def test_the_same_submission_twice_is_two_jobs():
    cloud = serverless()
    assert cloud.submit("same") != cloud.submit("same")


def test_a_job_waits_for_those_it_depends_on():
    cloud = serverless(JobScript(duration_seconds=30))
    first = cloud.submit("first")
    second = cloud.submit("second", dependsOn=[{"jobId": first}])
    cloud.step(20)
    assert (cloud.status(first), cloud.status(second)) == ("RUNNING", "PENDING")
    cloud.step(20)
    assert (cloud.status(first), cloud.status(second)) == ("SUCCEEDED", "STARTING")


def test_a_dependency_that_has_succeeded_already_is_none():
    cloud = serverless()
    first = cloud.submit("first")
    cloud.step(20)
    second = cloud.submit("second", dependsOn=[{"jobId": first}])
    cloud.step(1)
    assert cloud.status(second) == "RUNNABLE"


def test_a_job_fails_with_the_one_it_depends_on_and_so_on_down_the_line():
    cloud = serverless(BAD)
    first = cloud.submit("bad")
    second = cloud.submit("second", dependsOn=[{"jobId": first}])
    third = cloud.submit("third", dependsOn=[{"jobId": second}])
    cloud.step(10)
    for job_id in (second, third):
        job = cloud.job(job_id)
        assert (job["status"], job["statusReason"]) == ("FAILED", "Dependent Job failed")
        assert job["attempts"] == []
    late = cloud.submit("late", dependsOn=[{"jobId": first}])
    cloud.step(2)
    assert cloud.status(late) == "FAILED"


def test_a_failed_job_is_tried_as_often_as_its_strategy_says():
    cloud = serverless(
        JobScript(attempts=(1, 2), exit_code=9, duration_seconds=1), JobScript(duration_seconds=1)
    )
    job_id = cloud.submit(retryStrategy={"attempts": 3})
    cloud.step(40)
    job = cloud.job(job_id)
    assert job["status"] == "SUCCEEDED"
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [9, 9, 0]
    streams = {each["container"]["logStreamName"] for each in job["attempts"]}
    assert len(streams) == 3


@pytest.mark.parametrize(
    ("rule", "attempts"),
    [
        ({"onExitCode": "9", "action": "exit"}, 1),
        ({"onExitCode": "9*", "action": "RETRY"}, 3),
        ({"onReason": "Out*", "action": "EXIT"}, 1),
        ({"onReason": "Out", "action": "EXIT"}, 3),
        ({"onStatusReason": "Essential container in task exited", "action": "EXIT"}, 1),
        ({"onStatusReason": "Host EC2*", "action": "EXIT"}, 3),
    ],
)
def test_the_first_matching_exit_rule_decides_and_without_one_it_is_retried(rule, attempts):
    cloud = serverless(JobScript(exit_code=9, duration_seconds=1, reason="OutOfMemoryError: x"))
    job_id = cloud.submit(retryStrategy={"attempts": 3, "evaluateOnExit": [rule]})
    cloud.step(60)
    job = cloud.job(job_id)
    assert (job["status"], len(job["attempts"])) == ("FAILED", attempts)


def test_a_container_that_never_starts_has_no_exit_code():
    cloud = serverless(JobScript(exit_code=None, reason="CannotPullContainerError: no such image"))
    job_id = cloud.submit()
    cloud.step(10)
    job = cloud.job(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    assert job["container"]["reason"] == "CannotPullContainerError: no such image"
    assert not {"exitCode", "logStreamName"} & job["container"].keys()
    assert "startedAt" not in job["attempts"][0]


def test_an_attempt_that_takes_too_long_is_ended_and_not_retried():
    cloud = serverless(LONG)
    job_id = cloud.submit(
        "long", timeout={"attemptDurationSeconds": 60}, retryStrategy={"attempts": 3}
    )
    cloud.step(60)
    assert cloud.status(job_id) == "RUNNING"
    cloud.step(10)
    job = cloud.job(job_id)
    assert job["status"] == "FAILED"
    assert job["statusReason"] == "Job attempt duration exceeded timeout"
    assert len(job["attempts"]) == 1


@pytest.mark.parametrize("operation", ["CancelJob", "TerminateJob"])
def test_a_runnable_job_is_cancelled_by_both(operation):
    cloud = ready()
    job_id = cloud.submit()
    cloud.step(2)
    cloud(operation, jobId=job_id, reason="not needed")
    cloud.step(1)
    job = cloud.job(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "not needed")
    assert job["isCancelled" if operation == "CancelJob" else "isTerminated"] is True
    assert job["attempts"] == []


def test_cancelling_a_running_job_does_nothing_and_succeeds():
    cloud = serverless(LONG)
    job_id = cloud.submit("long")
    cloud.step(20)
    cloud("CancelJob", jobId=job_id, reason="please")
    cloud.step(20)
    job = cloud.job(job_id)
    assert (job["status"], job["isCancelled"]) == ("RUNNING", False)


@pytest.mark.parametrize("after", [4, 20])
def test_terminating_a_starting_or_running_job_fails_it_without_a_retry(after):
    cloud = serverless(LONG)
    job_id = cloud.submit("long", retryStrategy={"attempts": 3})
    cloud.step(after)
    assert cloud.status(job_id) == ("STARTING" if after == 4 else "RUNNING")
    cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(1)
    job = cloud.job(job_id)
    assert (job["status"], job["statusReason"], job["isTerminated"]) == ("FAILED", "enough", True)
    assert len(job["attempts"]) == 1


@pytest.mark.parametrize("operation", ["CancelJob", "TerminateJob"])
def test_a_pending_job_is_cancelled_only_when_its_dependencies_end(operation):
    cloud = serverless(LONG)
    first = cloud.submit("long")
    second = cloud.submit("second", dependsOn=[{"jobId": first}])
    cloud.step(10)
    cloud(operation, jobId=second, reason="not needed")
    cloud.step(100)
    assert cloud.status(second) == "PENDING"
    cloud.step(5000)
    job = cloud.job(second)
    assert (job["status"], job["statusReason"]) == ("FAILED", "not needed")


def test_ending_a_job_that_is_unknown_or_finished_succeeds():
    cloud = serverless()
    job_id = cloud.submit()
    cloud.step(20)
    before = cloud.job(job_id)
    for operation in ("CancelJob", "TerminateJob"):
        cloud(operation, jobId="nobody", reason="x")
        cloud(operation, jobId=job_id, reason="x")
    cloud.step(10)
    assert cloud.job(job_id) == before


def test_fifty_jobs_are_ended_at_a_time_and_unknown_ones_count_as_done():
    cloud = ready(LONG)
    ids = [cloud.submit(f"long-{number}") for number in range(3)]
    cloud.step(2)
    answer = cloud("TerminateJobs", jobs=[*ids, "nobody"], reason="bye")
    assert answer == {"successful": [*ids, "nobody"], "errors": []}
    cloud.step(1)
    assert {cloud.status(job_id) for job_id in ids} == {"FAILED"}
    assert "Up to 50" in cloud.refused("CancelJobs", jobs=["x"] * 51, reason="bye")


@pytest.mark.parametrize("end", ["ends by itself", "is terminated", "runs into its time limit"])
def test_a_job_and_its_last_attempt_stop_at_one_moment(end, monkeypatch):
    """JobDetail and AttemptDetail say of stoppedAt that it is when RUNNING was left.

    AWS's own examples of DescribeJobs show one value in both.
    """
    cloud = serverless(JobScript(duration_seconds=100))
    job_id = cloud.submit(timeout={"attemptDurationSeconds": 60} if "limit" in end else {})
    cloud.step(20)
    moments = itertools.count(cloud.region.now_ms())
    monkeypatch.setattr(Region, "now_ms", lambda _: next(moments))  # a clock that never stands
    if end == "is terminated":
        cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(200)
    job = cloud.job(job_id)
    assert job["stoppedAt"] == job["attempts"][-1]["stoppedAt"]


def test_a_finished_job_is_forgotten_after_seven_days():
    cloud = serverless()
    job_id = cloud.submit()
    cloud.step(20)
    cloud.step(6.9 * 86_400)
    assert cloud.status(job_id) == "SUCCEEDED"
    cloud.step(0.2 * 86_400)
    assert cloud("DescribeJobs", jobs=[job_id])["jobs"] == []
    filters = [{"name": "JOB_NAME", "values": ["job"]}]
    assert cloud("ListJobs", jobQueue="main", filters=filters)["jobSummaryList"] == []


def test_a_cancel_that_comes_too_late_keeps_the_job_from_a_retry():
    cloud = serverless(BAD)
    job_id = cloud.submit("bad", retryStrategy={"attempts": 3})
    cloud.step(1.5)
    cloud("CancelJob", jobId=job_id, reason="not needed")
    cloud.step(0.9)
    assert cloud.status(job_id) == "STARTING"
    cloud.step(20)
    job = cloud.job(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "not needed")
    assert len(job["attempts"]) == 1
