"""ListJobs and DescribeJobs: selectors, filters, pages, and what is not seen."""

import time
from itertools import chain
from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript


def listed(cloud: Cloud, **request: Any) -> list[str]:
    answer = cloud("ListJobs", **{"jobQueue": "main"} | request)
    return [each["jobName"] for each in answer["jobSummaryList"]]


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"name": name, "values": list(values)}]


@pytest.fixture
def cloud() -> Cloud:
    """Jobs alpha (SUCCEEDED), ALPHABET (RUNNING) and beta (RUNNABLE), each a second younger."""
    made = serverless(
        JobScript(job_name="alpha", duration_seconds=1), JobScript(duration_seconds=500), maximum=1
    )
    made.definition("other")
    made.submit("alpha")
    made.step(1)
    made.submit("ALPHABET", definition="other")
    made.step(1)
    made.submit("beta")
    made.step(30)
    return made


def test_without_a_status_only_running_jobs_are_listed(cloud):
    assert listed(cloud) == ["ALPHABET"]


@pytest.mark.parametrize(
    ("status", "names"),
    [("SUCCEEDED", ["alpha"]), ("RUNNABLE", ["beta"]), ("FAILED", []), ("PENDING", [])],
)
def test_jobs_are_listed_by_status(cloud, status, names):
    assert listed(cloud, jobStatus=status) == names


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (by("JOB_NAME", "Alpha"), ["alpha"]),
        (by("JOB_NAME", "alpha*"), ["ALPHABET", "alpha"]),
        (by("JOB_NAME", "*"), ["beta", "ALPHABET", "alpha"]),
        (by("JOB_NAME", "lpha"), []),
        (by("JOB_DEFINITION", "simulate"), ["beta", "alpha"]),
        (by("JOB_DEFINITION", "Simulate"), []),
        (by("JOB_DEFINITION", "o*"), ["ALPHABET"]),
        (by("JOB_DEFINITION", "simulate:1"), []),
        (by("SHARE_IDENTIFIER", "x"), []),
    ],
)
def test_a_filter_finds_jobs_of_all_statuses_newest_first(cloud, filters, names):
    assert listed(cloud, filters=filters) == names
    assert listed(cloud, filters=filters, jobStatus="FAILED") == names


def test_definitions_are_filtered_by_revision_with_an_arn(cloud):
    arn = "arn:aws:batch:eu-central-1:111122223333:job-definition/simulate:"
    assert listed(cloud, filters=by("JOB_DEFINITION", f"{arn}1")) == ["beta", "alpha"]
    assert listed(cloud, filters=by("JOB_DEFINITION", f"{arn}2")) == []


def test_jobs_are_filtered_by_the_time_of_their_creation(cloud):
    created = cloud("ListJobs", jobQueue="main")["jobSummaryList"][0]["createdAt"]
    assert listed(cloud, filters=by("AFTER_CREATED_AT", str(created))) == ["beta"]
    assert listed(cloud, filters=by("BEFORE_CREATED_AT", str(created))) == ["alpha"]
    assert listed(cloud, filters=by("AFTER_CREATED_AT", str(created - 1))) == ["beta", "ALPHABET"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "Exactly one of jobQueue, arrayJobId, multiNodeJobId"),
        ({"jobQueue": "main", "arrayJobId": "x"}, "Exactly one of"),
        ({"jobQueue": "nobody"}, "nobody not found"),
        ({"jobQueue": "main", "filters": by("JOB_NAME", "a") * 2}, "Only one filter"),
        ({"jobQueue": "main", "filters": by("job_name", "a")}, "Invalid filter name"),
        ({"jobQueue": "main", "filters": by("JOB_NAME")}, "exactly one value"),
        ({"jobQueue": "main", "filters": by("AFTER_CREATED_AT", "now")}, "not a number"),
        ({"jobQueue": "main", "maxResults": 0}, "at least 1"),
        ({"jobQueue": "main", "nextToken": "x"}, "Invalid nextToken"),
        ({"jobQueue": "main", "jobStatus": "running"}, "satisfy enum value set"),
    ],
)
def test_what_listing_refuses(cloud, request_, message):
    assert message in cloud.refused("ListJobs", **request_)


def pages(cloud: Cloud, **request: Any) -> list[list[str]]:
    found, token = [], None
    while True:
        answer = cloud("ListJobs", jobQueue="main", **request, **token or {})
        found.append([each["jobName"] for each in answer["jobSummaryList"]])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_pages_are_a_thousand_by_status_and_a_hundred_by_filter_at_most():
    cloud = ready(maxvCpus=2)
    for number in range(1050):
        cloud.submit(f"job-{number}")
    by_status = pages(cloud, jobStatus="SUBMITTED", maxResults=5000)
    assert [len(page) for page in by_status] == [1000, 50]
    by_filter = pages(cloud, filters=by("JOB_NAME", "job-*"))
    assert [len(page) for page in by_filter] == [100] * 10 + [50]
    newest_first = [f"job-{number}" for number in reversed(range(1050))]
    assert list(chain(*by_filter)) == list(chain(*by_status)) == newest_first


def test_a_page_goes_on_where_the_last_one_ended_although_jobs_have_come():
    cloud = ready()
    for number in range(4):
        cloud.submit(f"job-{number}")
    request = {"jobQueue": "main", "filters": by("JOB_NAME", "job-*"), "maxResults": 2}
    first = cloud("ListJobs", **request)
    cloud.submit("job-late")
    second = cloud("ListJobs", **request, nextToken=first["nextToken"])
    assert [each["jobName"] for each in second["jobSummaryList"]] == ["job-1", "job-0"]


def test_a_summary_says_how_a_job_ended(cloud):
    summary = cloud("ListJobs", jobQueue="main", jobStatus="SUCCEEDED")["jobSummaryList"][0]
    assert summary["container"] == {"exitCode": 0}
    assert summary["statusReason"] == "Essential container in task exited"
    assert summary["startedAt"] < summary["stoppedAt"]
    assert "isCancelled" not in summary


def test_unknown_ids_are_left_out_and_a_hundred_are_the_limit(cloud):
    job_id = cloud.submit()
    found = cloud("DescribeJobs", jobs=["nobody", job_id, job_id])["jobs"]
    assert [each["jobId"] for each in found] == [job_id]
    assert "Maximum number of jobs supported is  100 ." in cloud.refused(
        "DescribeJobs", jobs=["x"] * 101
    )


def test_young_jobs_can_be_hidden_from_listing_and_not_from_describing(cloud):
    cloud.fault("hidden_jobs", seconds=60, operation="ListJobs")
    job_id = cloud.submit("young")
    cloud.step(30)
    assert listed(cloud, filters=by("JOB_NAME", "young")) == []
    assert cloud.job(job_id)["jobName"] == "young"
    cloud.step(31)
    assert listed(cloud, filters=by("JOB_NAME", "young")) == ["young"]


def test_lists_may_show_jobs_later_than_their_submission_is_answered():
    cloud = serverless()
    cloud.delays(job_listed=20)
    job_id = cloud.submit("late", arrayProperties={"size": 2})
    by_name = {"jobQueue": "main", "filters": [{"name": "JOB_NAME", "values": ["late"]}]}
    for after, seen in ((0, []), (19, []), (1, [job_id])):
        cloud.step(after)
        assert [each["jobId"] for each in cloud("ListJobs", **by_name)["jobSummaryList"]] == seen
        assert cloud.job(job_id)["jobId"] == job_id


def test_a_description_is_of_now_although_it_is_kept(cloud):
    job_id = cloud.submit()
    assert cloud.status(job_id) == "SUBMITTED"
    cloud.step(1)
    assert cloud.status(job_id) == "RUNNABLE"
    arn = cloud.job(job_id)["jobArn"]
    cloud("TagResource", resourceArn=arn, tags={"a": "1"})
    assert cloud.job(job_id)["tags"] == {"a": "1"}


def test_describing_a_hundred_of_many_jobs_takes_less_than_five_milliseconds():
    cloud = ready()
    ids = [cloud.submit(f"job-{number}") for number in range(1000)]
    handler = cloud.services["batch"].handlers["DescribeJobs"]
    took = []
    for start in range(0, 1000, 100):
        begun = time.thread_time()
        handler(cloud.caller, {"jobs": ids[start : start + 100]})
        took.append(time.thread_time() - begun)
    assert min(took) < 0.005
