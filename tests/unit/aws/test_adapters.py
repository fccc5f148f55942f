"""What the adapters send and how they read the answers."""

import asyncio

import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind

SCOPE = Scope("111122223333", "eu-central-1")
QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"


def environment(name: str) -> dict:
    arn = f"arn:aws:batch:eu-central-1:111122223333:compute-environment/{name}"
    return {"computeEnvironmentName": name, "computeEnvironmentArn": arn, "status": "VALID"}


def queue(name: str) -> dict:
    return {"jobQueueName": name, "jobQueueArn": f"{QUEUE[:-1]}{name}"}


def definition(revision: int) -> dict:
    arn = f"arn:aws:batch:eu-central-1:111122223333:job-definition/d:{revision}"
    return {"jobDefinitionName": "d", "jobDefinitionArn": arn, "revision": revision}


async def test_environments_that_are_asked_for_together_are_described_in_one_call(bench):
    bench.stub.answers["DescribeComputeEnvironments"] = lambda asked: {
        "computeEnvironments": [environment(name) for name in asked["computeEnvironments"]]
    }
    names = [f"e{number}" for number in range(20)]
    found = await asyncio.gather(*(bench.aws.batch.compute_environment(SCOPE, n) for n in names))
    assert [detail["computeEnvironmentName"] for detail in found] == names
    # AWS refuses names together with maxResults
    assert bench.stub.sent == [("DescribeComputeEnvironments", {"computeEnvironments": names})]


async def test_a_queue_is_found_by_its_name_and_by_its_arn(bench):
    bench.stub.answers["DescribeJobQueues"] = lambda _: {"jobQueues": [queue("q")]}
    assert await bench.aws.batch.job_queue(SCOPE, "q") == queue("q")
    assert await bench.aws.batch.job_queue(SCOPE, QUEUE) == queue("q")
    assert await bench.aws.batch.job_queue(SCOPE, "other") is None


async def test_all_pages_are_read(bench):
    pages = {None: (["a"], "2"), "2": (["b"], "3"), "3": (["c"], None)}

    def answer(asked):
        names, token = pages[asked.get("nextToken")]
        return {"jobQueues": [queue(name) for name in names], "nextToken": token}

    bench.stub.answers["DescribeJobQueues"] = answer
    found = await bench.aws.batch.job_queues(SCOPE)
    assert [queue["jobQueueName"] for queue in found] == ["a", "b", "c"]


async def test_the_newest_revision_of_a_definition_comes_first(bench):
    bench.stub.answers["DescribeJobDefinitions"] = lambda _: {
        "jobDefinitions": [definition(number) for number in (9, 11, 10)]
    }
    found = await bench.aws.batch.job_definitions(SCOPE, "d")
    assert [each["revision"] for each in found] == [11, 10, 9]
    assert bench.stub.sent[0][1]["status"] == "ACTIVE"


async def test_a_scheduling_policy_is_found_by_its_whole_name_and_by_its_arn(bench):
    prefix = "arn:aws:batch:eu-central-1:111122223333:scheduling-policy/"
    arns = [f"{prefix}fair-2", f"{prefix}fair"]
    bench.stub.answers |= {
        "ListSchedulingPolicies": lambda _: {"schedulingPolicies": [{"arn": arn} for arn in arns]},
        "DescribeSchedulingPolicies": lambda asked: {
            "schedulingPolicies": [
                {"arn": arn, "name": arn.removeprefix(prefix)} for arn in asked["arns"]
            ]
        },
    }
    for asked in ("fair", f"{prefix}fair"):
        found = await bench.aws.batch.scheduling_policy(SCOPE, asked)
        assert found == {"arn": f"{prefix}fair", "name": "fair"}
    assert await bench.aws.batch.scheduling_policy(SCOPE, "fai") is None


async def test_jobs_are_described_a_hundred_at_a_time(bench):
    bench.stub.answers["DescribeJobs"] = lambda asked: {
        "jobs": [{"jobId": job_id, "status": "RUNNING"} for job_id in asked["jobs"]]
    }
    found = await asyncio.gather(*(bench.aws.batch.job(SCOPE, f"j{n}") for n in range(250)))
    assert [job["jobId"] for job in found] == [f"j{n}" for n in range(250)]
    assert [len(asked["jobs"]) for _, asked in bench.stub.sent] == [100, 100, 50]


async def test_active_jobs_are_listed_in_the_order_in_which_jobs_move(bench):
    jobs = {
        "RUNNABLE": [{"jobId": "a", "status": "RUNNABLE"}],
        "RUNNING": [{"jobId": "a", "status": "RUNNING"}, {"jobId": "b", "status": "RUNNING"}],
    }
    bench.stub.answers["ListJobs"] = lambda asked: {
        "jobSummaryList": jobs.get(asked["jobStatus"], [])
    }
    found = await bench.aws.batch.active_jobs(SCOPE, QUEUE)
    assert {job["jobId"]: job["status"] for job in found} == {"a": "RUNNING", "b": "RUNNING"}
    assert [asked["jobStatus"] for _, asked in bench.stub.sent] == [
        "SUBMITTED",
        "PENDING",
        "RUNNABLE",
        "STARTING",
        "RUNNING",
    ]


async def test_a_queue_counts_as_empty_only_after_a_second_look_for_retried_jobs(bench):
    bench.stub.answers["ListJobs"] = lambda asked: {
        "jobSummaryList": [{"jobId": "retried"}]
        if [name for name, _ in bench.stub.sent].count("ListJobs") == 6
        else []
    }
    found = await bench.aws.batch.active_jobs(SCOPE, QUEUE)
    assert [job["jobId"] for job in found] == ["retried"]
    assert bench.stub.sent[-1][1]["jobStatus"] == "RUNNABLE"


async def test_a_look_up_by_name_takes_only_that_very_name(bench):
    bench.stub.answers["ListJobs"] = lambda _: {
        "jobSummaryList": [{"jobName": "Run-1"}, {"jobName": "run-1"}]
    }
    assert await bench.aws.batch.jobs_by_name(SCOPE, QUEUE, "run-1") == [{"jobName": "run-1"}]
    assert bench.stub.sent[0][1]["filters"] == [{"name": "JOB_NAME", "values": ["run-1"]}]


async def test_a_reason_is_cut_to_what_aws_takes(bench):
    await bench.aws.batch.terminate_job(SCOPE, "j", "x" * 5000)
    await bench.aws.batch.terminate_job(SCOPE, "j", "short")
    assert [len(asked["reason"]) for _, asked in bench.stub.sent] == [1024, 5]


async def test_a_change_is_one_call_of_awss_own_name(bench):
    request = {"resourceArn": QUEUE, "tagKeys": ["a"]}
    await bench.aws.batch.change(SCOPE, "UntagResource", request)
    assert bench.stub.operations() == ["UntagResource"]


async def test_active_jobs_are_listed_only_when_there_are_tokens_for_the_whole_look(bench):
    """One token at a time, each turn would spend one for nothing, and never come to the end."""
    bench.stub.answers["ListJobs"] = lambda _: {"jobSummaryList": []}
    for _ in range(6):
        await bench.aws.batch.active_jobs(SCOPE, QUEUE)
    asked = len(bench.stub.sent)
    assert asked == 36
    with pytest.raises(NoTokenError) as caught:
        await bench.aws.batch.active_jobs(SCOPE, QUEUE)
    assert len(bench.stub.sent) == asked
    bench.clock.skip(caught.value.seconds)
    await bench.aws.batch.active_jobs(SCOPE, QUEUE)


async def test_a_look_of_several_pages_takes_their_tokens_together_the_next_time(bench):
    pages = {None: "2", "2": "3", "3": None}
    bench.stub.answers["ListJobs"] = lambda asked: {
        "jobSummaryList": [],
        "nextToken": pages[asked.get("nextToken")],
    }
    await bench.aws.batch.jobs_by_name(SCOPE, QUEUE, "n")
    bench.aws.sender.prepay(SCOPE, "batch:ListJobs", 36)
    bench.stub.sent.clear()
    with pytest.raises(NoTokenError):
        await bench.aws.batch.jobs_by_name(SCOPE, QUEUE, "n")
    assert bench.stub.sent == []


async def test_the_newest_log_lines_come_oldest_first(bench):
    bench.stub.answers["GetLogEvents"] = lambda _: {
        "events": [{"message": "one"}, {"message": "two"}]
    }
    lines = await bench.aws.logs.last_lines(SCOPE, "/aws/batch/job", "s", count=2)
    assert lines == ("one", "two")
    assert bench.stub.sent[0][1]["limit"] == 2
    assert bench.stub.sent[0][1]["startFromHead"] is False


async def test_a_log_stream_that_does_not_exist_yet_has_no_lines(bench):
    def missing(_):
        raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")

    bench.stub.answers["GetLogEvents"] = missing
    assert await bench.aws.logs.last_lines(SCOPE, "g", "s", count=5) == ()


async def test_an_empty_page_of_the_log_is_looked_behind_but_not_for_ever(bench):
    pages = iter([{"events": [], "nextBackwardToken": "b/1"}, {"events": [{"message": "x"}]}])
    bench.stub.answers["GetLogEvents"] = lambda _: next(pages)
    assert await bench.aws.logs.last_lines(SCOPE, "g", "s", count=5) == ("x",)
    bench.stub.answers["GetLogEvents"] = lambda _: {"events": [], "nextBackwardToken": "b/same"}
    assert await bench.aws.logs.last_lines(SCOPE, "g", "s", count=5) == ()
    assert bench.stub.operations().count("GetLogEvents") == 4


async def test_a_log_that_may_not_be_read_is_an_error(bench):
    def denied(_):
        raise Refused("AccessDeniedException", "no")

    bench.stub.answers["GetLogEvents"] = denied
    with pytest.raises(AwsError) as caught:
        await bench.aws.logs.last_lines(SCOPE, "g", "s", count=5)
    assert caught.value.kind is ErrorKind.DENIED
    assert caught.value.action == "logs:GetLogEvents"
