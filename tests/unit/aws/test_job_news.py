"""Of many jobs, a state that has passed within seconds is told to nobody; the rest is told."""

import pytest
from tests.unit.aws.test_job_feed import SCOPE, feed

from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import DESCRIBED_AT_ONCE
from awsbatch_operator.aws.errors import ErrorKind

__all__ = ["feed"]

CADENCE = Cadence()
SOON = 2 * CADENCE.unit  # one that moves is asked about that often


async def crowd(feed, jobs: int = DESCRIBED_AT_ONCE + 1, **about: object) -> None:
    """That many jobs have begun to wait, and their owners know it."""
    for number in range(jobs):
        feed.model.submit(f"job-{number}", status="RUNNABLE")
        feed.model.jobs[f"job-{number}"] |= about
        feed.follow(f"job-{number}", known=True)
    await feed.clock.advance(1)
    assert feed.woken == []


async def enters(feed, state: str) -> None:
    """One of them is in that state, and that has been read."""
    feed.model.move("job-7", state)
    await feed.clock.run_until(lambda: (feed.poller.seen("job-7") or {}).get("status") == state)


async def test_of_many_jobs_one_that_runs_for_a_moment_wakes_its_owner_only_at_its_end(feed):
    await crowd(feed)
    feed.model.move("job-7", "STARTING")
    await feed.clock.advance(SOON)
    assert feed.poller.seen("job-7")["status"] == "STARTING"
    await enters(feed, "RUNNING")
    await enters(feed, "SUCCEEDED")
    await feed.clock.advance(60)
    assert feed.woken == ["job-7"]


async def test_a_state_that_lasts_is_told_within_seconds_and_once(feed):
    await crowd(feed)
    await enters(feed, "RUNNING")
    assert feed.woken == []
    took = await feed.clock.run_until(lambda: bool(feed.woken))
    assert took <= CADENCE.passing + CADENCE.unit
    await feed.clock.advance(600)
    assert feed.woken == ["job-7"]


async def test_a_job_that_is_looked_at_rarely_is_still_told_of_in_time(feed):
    """The next question about jobs that have waited long comes after the state has lasted."""
    await crowd(feed)
    await feed.clock.advance(1200)
    await enters(feed, "RUNNING")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= CADENCE.passing + CADENCE.unit


async def test_what_aws_says_in_words_is_told_at_once_and_not_again_with_the_next_state(feed):
    await crowd(feed)
    words = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none is to be had"
    feed.model.move("job-7", "RUNNABLE", statusReason=words)
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= SOON
    feed.woken.clear()
    feed.model.move("job-7", "STARTING")
    await feed.clock.advance(SOON)
    assert feed.poller.seen("job-7")["status"] == "STARTING"
    assert feed.woken == []


async def test_words_that_the_owner_knows_are_no_news(feed):
    words = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none is to be had"
    await crowd(feed, statusReason=words)
    feed.model.move("job-7", "STARTING")
    await feed.clock.advance(SOON)
    assert feed.poller.seen("job-7")["status"] == "STARTING"
    assert feed.woken == []


@pytest.mark.parametrize("end", ["FAILED", "SUCCEEDED"])
async def test_an_end_is_told_at_once_however_many_jobs_there_are(feed, end):
    await crowd(feed)
    feed.model.move("job-7", end)
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= SOON


async def test_what_comes_of_our_own_call_is_told_at_once(feed):
    await crowd(feed)
    feed.poller.hurry("job-7")
    feed.model.move("job-7", "STARTING")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= SOON


async def test_what_an_array_has_come_to_is_told_at_once(feed):
    await crowd(feed, arrayProperties={"size": 10, "statusSummary": {"RUNNABLE": 10}})
    array = {"size": 10, "statusSummary": {"RUNNABLE": 9, "FAILED": 1}}
    feed.model.move("job-7", "PENDING", arrayProperties=array)
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= SOON


async def test_of_few_jobs_every_state_is_told_at_once(feed):
    await crowd(feed, DESCRIBED_AT_ONCE)
    feed.model.move("job-7", "STARTING")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= SOON


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
async def test_a_state_is_told_in_time_whatever_else_of_the_job_changes(feed, state):
    await crowd(feed)
    for second in range(60):
        feed.model.move("job-7", state, container={"logStreamName": f"{second}"})
        await feed.clock.advance(1)
        if feed.woken:
            break
    assert feed.woken == ["job-7"]
    assert second <= SOON + CADENCE.passing + CADENCE.starting


async def test_words_that_are_told_leave_nothing_to_be_told(feed):
    await crowd(feed)
    feed.model.move("job-7", "STARTING")
    await feed.clock.advance(SOON)
    feed.model.move("job-7", "STARTING", statusReason="It is being looked for.")
    await feed.clock.advance(60)
    assert feed.woken == ["job-7"]


async def test_a_state_begins_anew_with_the_next_one(feed):
    await crowd(feed)
    await enters(feed, "STARTING")
    await feed.clock.advance(CADENCE.unit)
    await enters(feed, "RUNNING")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) >= CADENCE.passing - CADENCE.unit


async def test_of_a_job_that_is_not_followed_any_more_nothing_is_told(feed):
    await crowd(feed)
    feed.model.move("job-7", "RUNNING")
    feed.model.move("job-8", "RUNNING")
    await feed.clock.run_until(lambda: feed.poller.seen("job-7") is not None)
    feed.poller.forget("job-7")
    await feed.clock.advance(600)
    assert feed.woken == ["job-8"]


async def test_of_a_job_that_we_have_ended_meanwhile_nothing_old_is_told(feed):
    await crowd(feed)
    await enters(feed, "RUNNING")
    with feed.failing(ErrorKind.THROTTLED):  # nothing new of it can be read
        feed.poller.hurry("job-7")
        await feed.clock.advance(60)
        assert feed.woken == []


async def test_what_is_to_be_told_makes_no_rounds_of_its_own(feed):
    """Rounds between those that many jobs share would read the same lists twice."""
    await crowd(feed)
    feed.model.move("job-7", "RUNNING")
    for _ in range(10):
        await feed.clock.advance(1)
        assert feed.poller.due(SCOPE) % CADENCE.unit == 0
