"""How many calls polling takes, and that lists never hide what happens to a job."""

import asyncio
import random
from collections import Counter

import pytest
from tests.unit.aws.test_job_feed import Feed, feed

from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.job_agenda import Agenda

__all__ = ["feed"]

UNIT = 2.0  # seconds; jobs are asked about at multiples of it


async def calls_per_round(feed: Feed, seconds: float) -> list[int]:
    """Calls in each round of that stretch of time; a round begins at a multiple of the unit."""
    rounds: dict[float, int] = {}

    def count(_: str) -> None:
        began = feed.clock.monotonic()
        rounds[began] = rounds.get(began, 0) + 1

    feed.model.before_call = count
    await feed.clock.advance(seconds)
    return list(rounds.values())


def fill(feed: Feed, count: int, *, queues: int = 1, status: str = "RUNNING") -> None:
    for number in range(count):
        queue = f"q{number % queues}"
        feed.model.submit(f"j{number}", queue=queue, status=status)
        feed.follow(f"j{number}", queue=queue, known=True)


async def test_a_thousand_jobs_take_at_most_ten_calls_a_round_and_no_list(feed):
    fill(feed, 1000)
    rounds = await calls_per_round(feed, 300)
    assert max(rounds) == 10
    assert feed.model.calls["batch:ListJobs"] == 0
    assert len(feed.model.described[0]) == 100


async def test_a_thousand_jobs_that_came_one_by_one_take_at_most_ten_calls_a_round(feed):
    for number in range(1000):
        feed.model.submit(f"j{number}", status="RUNNING")
        feed.follow(f"j{number}", known=True)
        await feed.clock.advance(0.02)
    assert max(await calls_per_round(feed, 300)) <= 10


@pytest.mark.parametrize(("count", "queues"), [(20_000, 1), (6_000, 3)])
async def test_many_jobs_take_a_call_for_a_thousand_of_them_and_a_few_more(feed, count, queues):
    fill(feed, count, queues=queues)
    rounds = await calls_per_round(feed, 40)
    assert len(rounds) >= 2
    assert max(rounds) <= count // 1000 + 50
    assert feed.woken == []


async def test_many_jobs_take_fewer_than_five_calls_a_second_on_average(feed):
    fill(feed, 4_000)
    assert await feed.calls_in(200) <= 5 * 200


async def test_of_many_jobs_only_those_that_moved_are_described(feed):
    fill(feed, 5_000)
    await feed.clock.advance(60)
    feed.model.described.clear()
    movers = [f"j{number}" for number in range(0, 5_000, 25)]
    for job_id in movers:
        feed.model.move(job_id, "SUCCEEDED")
    await feed.clock.run_until(lambda: len(feed.woken) == len(movers))
    assert sorted(feed.woken) == sorted(movers)
    assert sorted(job_id for ids in feed.model.described for job_id in ids) == sorted(movers)


async def test_a_reason_that_appears_in_the_list_is_read_in_full(feed):
    fill(feed, 2_000, status="RUNNABLE")
    await feed.clock.advance(60)
    feed.model.move("j7", "RUNNABLE", statusReason="MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX")
    await feed.clock.run_until(lambda: bool(feed.woken))
    assert feed.woken == ["j7"]


async def test_what_no_list_shows_is_found_by_reading_all_in_full_now_and_then(feed):
    fill(feed, 1_500)
    await feed.clock.advance(60)
    feed.model.jobs["j7"]["attempts"] = [{"statusReason": "Host EC2 terminated"}]
    await feed.clock.run_until(lambda: bool(feed.woken), within=1800)
    assert feed.woken == ["j7"]


@pytest.mark.parametrize("kind", [ErrorKind.NOT_FOUND, ErrorKind.INVALID])
async def test_a_queue_that_was_deleted_keeps_nobody_from_hearing_of_a_job(feed, kind):
    fill(feed, 2_500, queues=2)
    await feed.clock.advance(60)

    def refuse(request):
        if request["jobQueue"] == "q1":
            raise AwsError(kind, operation="ListJobs", message="q1 does not exist")

    feed.model.on_list = refuse
    for number in (2, 3):  # one in each queue
        feed.model.move(f"j{number}", "FAILED")
    await feed.clock.run_until(lambda: {"j2", "j3"} <= set(feed.woken), within=120)


async def test_a_queue_full_of_other_peoples_jobs_is_not_listed(feed):
    """Listing 30 pages would take more calls than describing our own 2,000 jobs."""
    for number in range(30_000):
        feed.model.submit(f"other{number}", queue="q0", status="RUNNING")
    fill(feed, 2_000)
    await feed.clock.advance(60)
    feed.model.calls.clear()
    await feed.clock.advance(60)
    assert feed.model.calls["batch:ListJobs"] == 0
    assert feed.model.calls["batch:DescribeJobs"] > 0


@pytest.mark.parametrize("seed", range(3))
async def test_every_end_is_noticed_whatever_moves_while_lists_are_read(feed, seed):
    """Jobs come and move between any two calls; in the end every owner knows its job's state."""
    dice = random.Random(seed)
    path = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    fill(feed, 2_500, status="SUBMITTED")

    def shuffle(_: str) -> None:
        for job_id in dice.sample(list(feed.model.jobs), 200):
            at = path.index(feed.model.jobs[job_id]["status"])
            back = path[at] == "RUNNING" and dice.random() < 0.1
            feed.model.move(job_id, "RUNNABLE" if back else path[min(at + 1, 5)])

    feed.model.before_call = shuffle
    await feed.clock.run_until(
        lambda: all(job["status"] == "SUCCEEDED" for job in feed.model.jobs.values())
    )
    await feed.clock.advance(120)
    assert set(feed.woken) == set(feed.model.jobs)
    assert await feed.calls_in(600) == 0


async def test_a_step_of_polling_many_jobs_looks_at_a_thousand_of_them_at_most(feed):
    """Or the event loop would stand still: a bench measures for how long with 100,000."""
    fill(feed, 10_000)
    await feed.clock.advance(20)
    looked: Counter[int] = Counter()
    steps = 0
    loop = asyncio.get_running_loop()
    called = loop.call_soon
    schedule = Agenda.schedule

    def call_soon(*arguments, **more):
        nonlocal steps
        steps += 1
        return called(*arguments, **more)

    def counted(self, *arguments, **more):
        looked[steps] += 1
        schedule(self, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Agenda, "schedule", counted)
        patch.setattr(loop, "call_soon", call_soon)
        feed.model.move("j7", "SUCCEEDED")
        await feed.clock.run_until(lambda: bool(feed.woken))
    assert looked.total() >= 10_000
    assert max(looked.values()) <= 2_000


async def test_every_job_of_a_deleted_queue_is_read_in_full(feed):
    fill(feed, 6_000)
    await feed.clock.advance(20)

    def refuse(_):
        raise AwsError(ErrorKind.NOT_FOUND, operation="ListJobs", message="it does not exist")

    feed.model.on_list = refuse
    for job_id in list(feed.model.jobs):
        feed.model.move(job_id, "FAILED")
    await feed.clock.run_until(lambda: len(feed.woken) == 6_000, within=120)
