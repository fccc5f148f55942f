"""What AWS never says, of one account: it ends nothing, and holds up no other account."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count, cycle, repeat
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.aws.feed_world import SCOPE, World, key, world

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws import sender
from awsbatch_operator.aws.errors import AwsError

__all__ = ["world"]

OTHER = Scope("444455556666", "eu-central-1")
JOB = f"job-{OTHER.account_id}"
ODD = {
    "an environment without a name": ("DescribeComputeEnvironments", "computeEnvironments", {}),
    "a queue without a name": ("DescribeJobQueues", "jobQueues", {}),
    "a policy without an ARN": ("ListSchedulingPolicies", "schedulingPolicies", {}),
    "a definition without a revision": (
        "DescribeJobDefinitions",
        "jobDefinitions",
        {"jobDefinitionName": "d", "jobDefinitionArn": "d:1"},
    ),
}
ODD_JOBS = {
    "a job without an id": {},
    "a job without a status": {"jobId": JOB},
    "an array of no number of jobs": {
        "jobId": JOB,
        "status": "PENDING",
        "arrayProperties": {"statusSummary": {"FAILED": "x"}},
    },
}


class Account:
    """AWS's answers to one account, told apart from those to all others; `calls` are its own."""

    def __init__(self, world: World, scope: Scope) -> None:
        self.odd: dict[str, dict] = {}
        self.calls: Counter[str] = Counter()
        self._scope, self._call = scope, world.bench.aws.sender.call
        world.bench.aws.sender.call = self

    async def __call__(self, scope: Scope, name: str, request: Any, **more: Any) -> Any:
        operation = name.partition(":")[2]
        if scope == self._scope:
            self.calls[operation] += 1
            if operation in self.odd:
                return self.odd[operation]
        return await self._call(scope, name, request, **more)


async def used(world: World, scope: Scope) -> None:
    """Everything that is polled is in use there."""
    await world.batch.compute_environment(scope, "e", wake=key("e"))
    await world.batch.job_queue(scope, "q", wake=key("q", "JobQueue"))
    await world.batch.scheduling_policy(scope, "p", wake=key("p", "SchedulingPolicy"))
    await world.batch.job_definitions(scope, "d", wake=key("d", "JobDefinition"))
    job = f"job-{scope.account_id}"
    world.bench.aws.jobs.follow(scope, job, "queue", key(job, "BatchJob"))


@pytest.mark.parametrize(("operation", "member", "odd"), ODD.values(), ids=ODD)
async def test_an_answer_that_nobody_can_read_ends_nothing_and_is_asked_for_again_rarely(
    world, operation, member, odd
):
    account = Account(world, OTHER)
    world.bench.stub.answers["DescribeJobs"] = lambda asked: {
        "jobs": [{"jobId": each, "status": "RUNNING"} for each in asked["jobs"]]
    }
    world.bench.stub.answers["ListJobs"] = lambda _: {"jobSummaryList": []}
    for scope in (SCOPE, OTHER):
        await used(world, scope)
    await world.clock.advance(1)
    account.odd[operation] = {member: [odd]}
    before = account.calls[operation]
    with capture_logs() as lines:
        sound = await world.calls_in(600)
    told = [line for line in lines if line["event"] == "polling failed"]
    assert told
    assert {line["account"] for line in told} == {OTHER.account_id}
    assert {line["log_level"] for line in told} == {"error"}
    assert 2 <= account.calls[operation] - before <= 20
    assert sound[operation] >= 2, "the other account is polled as ever"
    account.odd.clear()
    with capture_logs() as lines:
        await world.calls_in(300)
    assert "polling works again" in [line["event"] for line in lines]


@pytest.mark.parametrize("odd", ODD_JOBS.values(), ids=ODD_JOBS)
async def test_a_job_of_which_nobody_can_read_anything_holds_up_no_other_job(world, odd):
    account = Account(world, OTHER)
    await used(world, OTHER)
    world.bench.aws.jobs.follow(OTHER, "another", "queue", key("another", "BatchJob"))
    another = {"jobId": "another", "status": "SUCCEEDED"}
    account.odd["DescribeJobs"] = {"jobs": [odd, another]}
    with capture_logs() as lines:
        await world.calls_in(600)
    assert world.bench.aws.jobs.seen("another") == another
    assert world.bench.aws.jobs.seen(JOB) is None
    assert world.bench.woken.count(key("another", "BatchJob")) == 1
    assert key(JOB, "BatchJob") not in world.bench.woken, "it is neither changed nor gone"
    odds = [each for each in lines if each["log_level"] in {"warning", "error"}]
    assert [each.get("job") for each in odds] == [JOB], "it is told once"
    assert account.calls["DescribeJobs"] > 1
    account.odd["DescribeJobs"] = {"jobs": [{"jobId": JOB, "status": "FAILED"}]}
    await world.calls_in(60)
    assert key(JOB, "BatchJob") in world.bench.woken


@pytest.mark.parametrize("odd", [{}, {"jobId": JOB}], ids=["no id", "no status"])
async def test_a_look_at_a_job_of_which_nobody_can_read_anything_says_so(world, odd):
    world.bench.stub.answers["DescribeJobs"] = lambda _: {"jobs": [odd]}
    with pytest.raises(AwsError, match="so it is not AWS's"):
        await world.batch.job(SCOPE, JOB)


@pytest.mark.parametrize("tokens", [repeat("2"), cycle("23"), map(str, count())], ids=range(3))
async def test_pages_that_have_no_end_are_no_answer(bench, monkeypatch, tokens):
    monkeypatch.setattr(sender, "PAGES_MOST", 50)
    bench.stub.answers["DescribeJobQueues"] = lambda _: {"jobQueues": [], "nextToken": next(tokens)}
    pages = bench.aws.sender.pages(SCOPE, "batch:DescribeJobQueues", {}, "jobQueues", polling=True)
    reading = asyncio.ensure_future(_all(pages))
    await bench.clock.advance(60)
    with pytest.raises(AwsError, match="have no end"):
        reading.result()
    assert len(bench.stub.sent) <= 50


async def _all(pages: AsyncIterator[Any]) -> list[Any]:
    return [each async for page in pages for each in page]
