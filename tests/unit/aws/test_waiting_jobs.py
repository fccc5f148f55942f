"""The jobs that wait in a queue: listed often, described once, arrays by their children."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws import waiting_jobs

SCOPE = Scope("111122223333", "eu-central-1")
OWNER = ObjectKey("ComputeEnvironment", "ns", "e")
QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"
NEEDED = {"resourceRequirements": [{"type": "VCPU", "value": "4"}]}
TAGS = {
    "awsbatch.dev/cluster": "c1",
    "awsbatch.dev/kind": "BatchJob",
    "awsbatch.dev/namespace": "ns",
    "awsbatch.dev/name": "j",
    "team": "not kept",
}


def job(number: int, *, status: str = "RUNNABLE", **more: Any) -> dict:
    return {
        "jobId": f"j-{number}",
        "jobName": f"n-{number}",
        "status": status,
        "createdAt": 1_790_000_000_000 + number,
        "container": {**NEEDED, "command": ["not kept"], "environment": []},
        "tags": TAGS,
        **more,
    }


def array(number: int, runnable: int | None, **more: Any) -> dict:
    counts = {} if runnable is None else {"statusSummary": {"RUNNABLE": runnable, "RUNNING": 2}}
    return job(number, status="PENDING", arrayProperties={"size": 100, **counts}, **more)


class Batch:
    """What a queue has, which a test changes, and the operator's AWS side over it."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.clock, self.port = bench, bench.clock, bench.aws.batch
        self.jobs: list[dict] = []
        self.details: list[dict] | None = None
        bench.stub.answers["ListJobs"] = self._list
        bench.stub.answers["DescribeJobs"] = self._describe

    def _list(self, asked: dict) -> dict:
        found = [each for each in self.jobs if each["status"] == asked["jobStatus"]]
        at, size = int(asked.get("nextToken", 0)), asked["maxResults"]
        page = [
            {name: value for name, value in each.items() if name not in ("container", "tags")}
            for each in found[at : at + size]
        ]
        more = {"nextToken": str(at + size)} if at + size < len(found) else {}
        return {"jobSummaryList": page, **more}

    def _describe(self, asked: dict) -> dict:
        assert len(asked["jobs"]) <= 100
        details = self.jobs if self.details is None else self.details
        return {"jobs": [each for each in details if each["jobId"] in asked["jobs"]]}

    async def asks(self, **more: Any) -> list[dict]:
        return list(await self.port.waiting_jobs(SCOPE, QUEUE, wake=OWNER, **more))

    async def calls_in(self, seconds: float) -> Counter[str]:
        self.bench.stub.sent.clear()
        await self.clock.advance(seconds)
        return Counter(self.bench.stub.operations())


@pytest.fixture
async def batch(bench: Any):
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield Batch(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_jobs_that_wait_are_told_oldest_first_with_what_they_need_and_whose_they_are(batch):
    batch.jobs = [job(2), job(1), job(3, status="RUNNING"), job(4, status="PENDING")]
    first, second = await batch.asks()
    assert (first["jobId"], second["jobId"]) == ("j-1", "j-2")
    assert first == {
        "jobId": "j-1",
        "jobName": "n-1",
        "jobQueue": QUEUE,
        "status": "RUNNABLE",
        "createdAt": 1_790_000_000_001,
        "container": NEEDED,
        "tags": {name: value for name, value in TAGS.items() if name != "team"},
    }


async def test_what_waits_on_is_described_once_and_listed_every_fifteen_seconds(batch):
    batch.jobs = [job(number) for number in range(250)]
    await batch.asks()
    await batch.clock.advance(15)
    assert await batch.calls_in(60) == {"ListJobs": 8}
    batch.jobs.append(job(1000))
    assert await batch.calls_in(15) == {"ListJobs": 2, "DescribeJobs": 1}
    assert len(await batch.asks()) == 251


async def test_looks_are_answered_from_what_was_listed(batch):
    batch.jobs = [job(1)]
    await batch.asks()
    await batch.clock.advance(15)
    batch.bench.stub.sent.clear()
    assert len(await batch.asks()) == 1
    assert batch.bench.stub.sent == []
    await batch.asks(fresh=True)
    assert batch.bench.stub.operations() == ["ListJobs", "ListJobs"]


async def test_the_asker_hears_when_the_jobs_that_wait_differ_and_their_owners_do_not(batch):
    batch.jobs = [job(1)]
    await batch.asks()
    await batch.clock.advance(30)
    batch.bench.woken.clear()
    batch.jobs = [job(1, statusReason="MISCONFIGURATION:…"), array(2, 0)]
    await batch.clock.advance(15)
    assert batch.bench.woken == []
    batch.jobs = [job(1), array(2, 5)]
    await batch.clock.advance(15)
    batch.jobs = []
    await batch.clock.advance(15)
    assert batch.bench.woken == [OWNER, OWNER]


async def test_an_array_comes_once_with_the_number_of_its_children_that_wait(batch):
    batch.jobs = [array(1, 60), array(2, 0), array(3, 7)]
    children = [job(90, arrayProperties={"index": 0}), job(91, arrayProperties={"index": 1})]
    batch.jobs += children
    told = {each["jobId"]: each["arrayProperties"] for each in await batch.asks()}
    assert told == {
        "j-1": {"size": 100, "statusSummary": {"RUNNABLE": 60}},
        "j-3": {"size": 100, "statusSummary": {"RUNNABLE": 7}},
    }
    await batch.clock.advance(15)
    assert await batch.calls_in(15) == {"ListJobs": 2}


async def test_an_array_whose_summary_does_not_count_is_described_each_time(batch):
    batch.jobs, batch.details = [array(1, None)], [array(1, 60)]
    await batch.asks()
    await batch.clock.advance(15)
    batch.details = [array(1, 3)]
    assert await batch.calls_in(15) == {"ListJobs": 2, "DescribeJobs": 1}
    [told] = await batch.asks()
    assert told["arrayProperties"]["statusSummary"] == {"RUNNABLE": 3}
    batch.details = [array(1, 0)]
    await batch.clock.advance(15)
    assert await batch.asks() == []


async def test_what_several_containers_or_nodes_need_is_told(batch):
    tasks = {"taskProperties": [{"containers": [{"name": "a", "image": "x", **NEEDED}]}]}
    nodes = {
        "numNodes": 4,
        "mainNode": 0,
        "nodeRangeProperties": [{"targetNodes": "0:", "container": {"image": "x", **NEEDED}}],
    }
    batch.jobs = [job(1, ecsProperties=tasks, container={}), job(2, nodeProperties=nodes)]
    first, second = await batch.asks()
    assert first["ecsProperties"] == {"taskProperties": [{"containers": [{"name": "a", **NEEDED}]}]}
    assert "container" not in first
    assert second["nodeProperties"] == {
        "numNodes": 4,
        "nodeRangeProperties": [{"targetNodes": "0:", "container": NEEDED}],
    }


async def test_what_is_on_its_way_out_and_what_runs_on_eks_is_told_as_such(batch):
    batch.jobs = [
        job(1, isCancelled=True, isTerminated=False),
        job(2, eksProperties={"podProperties": {"containers": [{"image": "x"}]}}),
    ]
    first, second = await batch.asks()
    assert first["isCancelled"]
    assert "isTerminated" not in first
    assert second["eksProperties"] == {"podProperties": {}}


async def test_a_queue_of_any_length_is_not_read_to_its_end(batch, monkeypatch):
    monkeypatch.setattr(waiting_jobs, "LISTED_AT_ONCE", 10)
    monkeypatch.setattr(waiting_jobs, "WAITING_MOST", 30)
    batch.jobs = [job(number) for number in range(100)]
    batch.jobs += [job(number, status="PENDING") for number in range(100, 200)]
    assert len(await batch.asks()) == 30
    await batch.clock.advance(15)
    assert await batch.calls_in(15) == {"ListJobs": 6}


async def test_long_lists_are_read_less_often(batch, monkeypatch):
    monkeypatch.setattr(waiting_jobs, "LISTED_AT_ONCE", 1)
    batch.jobs = [job(number) for number in range(99)]
    with pytest.raises(NoTokenError):
        await batch.asks()  # no turn waits for a hundred pages; the feed does
    await batch.clock.advance(20)
    assert len(await batch.asks()) == 99
    assert (await batch.calls_in(40))["ListJobs"] <= 2 * 100


async def test_a_job_that_aws_lists_and_does_not_describe_is_left_out(batch):
    batch.jobs, batch.details = [job(1)], []
    assert await batch.asks() == []


async def test_in_a_queue_that_does_not_exist_nothing_waits(batch):
    def refused(_):
        raise Refused("ClientException", "Job queue q does not exist.")

    batch.bench.stub.answers["ListJobs"] = refused
    assert await batch.asks() == []


@pytest.mark.parametrize("lacks", ["jobId", "status"])
async def test_a_job_of_which_aws_says_too_little_holds_up_no_others(batch, lacks):
    batch.jobs = [job(1), job(2)]
    answered = batch.bench.stub.answers["ListJobs"]

    def odd(asked: dict) -> dict:
        page: dict = answered(asked)
        for each in page["jobSummaryList"]:
            if each["jobId"] == "j-1":
                del each[lacks]
        return page

    batch.bench.stub.answers["ListJobs"] = odd
    assert [each["jobId"] for each in await batch.asks()] == ["j-2"]
