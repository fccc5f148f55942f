"""What a call costs does not grow with the number of jobs that there are."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from tests.simulator.cloud import Cloud, serverless

from awsbatch_simulator.batch import details
from awsbatch_simulator.jobscript import JobScript

FEW, MANY = 150, 1500
LONG = JobScript(duration_seconds=100_000)


def lines(do: Callable[[], Any]) -> int:
    """How many lines of Python it takes, each round of a loop counted."""
    count = 0

    def trace(_frame: FrameType, kind: str, _: Any) -> Any:
        nonlocal count
        count += kind == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def filled(jobs: int, *, fair: bool = False) -> tuple[Cloud, list[str]]:
    """A queue in which ten jobs run and the others wait, each with another name."""
    cloud = serverless(LONG, maximum=10)
    fields: dict[str, Any] = {}
    if fair:
        policy = cloud("CreateSchedulingPolicy", name="fair")["arn"]
        cloud.queue("fair", "serverless", schedulingPolicyArn=policy)
        fields["jobQueue"] = "fair"
    submit = cloud.services["batch"].handlers["SubmitJob"]
    request = {"jobQueue": "main", "jobDefinition": "simulate"} | fields
    ids = []
    for number in range(jobs):
        share = {"shareIdentifier": f"s{number % 3}"} if fair else {}
        answer: Any = submit(cloud.caller, request | share | {"jobName": f"job-{number:05}"})
        ids.append(answer["jobId"])
    cloud.step(30)
    return cloud, ids


class Calls:
    """The calls that are compared, in a queue of so many jobs."""

    def __init__(self, jobs: int, *, fair: bool = False) -> None:
        self.cloud, self.ids = filled(jobs, fair=fair)
        self.queue = "fair" if fair else "main"
        self.half, self.next = self.ids[jobs // 2], self.ids[jobs // 2 + 1]

    def ask(self, operation: str, **request: Any) -> int:
        handler = self.cloud.services["batch"].handlers[operation]
        return lines(lambda: handler(self.cloud.caller, request))

    def listed(self, **request: Any) -> int:
        """A page of ten after the first hundred."""
        pages = {"jobQueue": self.queue} | request
        token = self.cloud("ListJobs", **pages, maxResults=100).get("nextToken")
        more = {"nextToken": token} if token else {}
        return self.ask("ListJobs", **pages, maxResults=10, **more)

    def filtered(self, name: str, value: str) -> int:
        return self.listed(filters=[{"name": name, "values": [value]}])

    def costs(self) -> dict[str, int]:
        created = self.cloud.job(self.half)["createdAt"]
        shares = {"shareIdentifier": "s1"} if self.queue == "fair" else {}
        request = {"jobName": "one", "jobDefinition": "simulate", "jobQueue": self.queue} | shares
        found = {
            "by status": self.listed(jobStatus="RUNNABLE"),
            "by name": self.filtered("JOB_NAME", "job-00077"),
            "by beginning": self.filtered("JOB_NAME", "job-0007*"),
            "after": self.filtered("AFTER_CREATED_AT", str(created - 1)),
            "before": self.filtered("BEFORE_CREATED_AT", str(created + 1)),
            "snapshot": self.ask("GetJobQueueSnapshot", jobQueue=self.queue),
            "describe": self.ask("DescribeJobs", jobs=self.ids[20:120]),
            "submit": self.ask("SubmitJob", **request),
            "cancel": self.ask("CancelJob", jobId=self.half, reason="no"),
            "terminate": self.ask("TerminateJob", jobId=self.next, reason="no"),
        }
        found["ends and looks"] = lines(lambda: self.cloud.step(16))
        return found


@pytest.mark.parametrize("fair", [False, True])
def test_a_call_takes_as_many_steps_with_ten_times_the_jobs(fair):
    few, many = Calls(FEW, fair=fair).costs(), Calls(MANY, fair=fair).costs()
    # A search in a sorted list takes some comparisons more; looking at all would take ten times.
    grown = {name: (few[name], many[name]) for name in few if many[name] > 1.3 * few[name] + 40}
    assert not grown


def test_no_more_details_are_kept_than_are_asked_for_again_and_again(monkeypatch):
    monkeypatch.setattr(details, "KEPT", 50)
    cloud, ids = filled(FEW)
    described = [cloud("DescribeJobs", jobs=ids[at : at + 50])["jobs"] for at in (0, 50, 100)]
    kept = [job for job in cloud.region.batch.jobs.values() if job.fragment is not None]
    assert len(kept) == 50
    again = [cloud("DescribeJobs", jobs=ids[at : at + 50])["jobs"] for at in (0, 50, 100)]
    assert again == described
