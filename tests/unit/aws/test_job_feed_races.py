"""What happens to a job while it is asked about, and that its answer holds nobody else up."""

import asyncio

from tests.unit.aws.test_job_feed import feed

from awsbatch_operator.api.metadata import ObjectKey

__all__ = ["feed"]


async def test_what_was_asked_before_a_job_was_ended_is_not_taken_for_what_came_after(feed):
    """DescribeJobs is under way while TerminateJob comes back: its answer is from before."""
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    await feed.clock.advance(600)
    asks = feed.model.call

    async def ended_meanwhile(*asked, **more):
        answer = await asks(*asked, **more)
        feed.model.call = asks
        feed.poller.hurry("a")
        feed.model.move("a", "FAILED")
        return answer

    feed.model.call = ended_meanwhile
    await feed.clock.run_until(lambda: feed.model.call == asks)
    assert (feed.poller.seen("a") or {}).get("status") != "RUNNING"
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= 4
    assert feed.poller.seen("a")["status"] == "FAILED"


async def test_the_details_of_a_call_are_compared_a_few_at_a_time(feed):
    """A hundred details of thirty kilobytes each would hold the event loop for 90 ms."""
    for number in range(100):
        feed.model.submit(str(number))
        feed.follow(str(number))
    turns, woken_in = 0, set()
    tasks: list[asyncio.Task[None]] = []

    async def others() -> None:
        nonlocal turns
        for _ in range(200):
            turns += 1
            await asyncio.sleep(0)

    def wake(_: ObjectKey) -> None:
        woken_in.add(turns)

    feed.poller._pollers._wake = wake
    feed.model.before_call = lambda _: tasks.append(asyncio.create_task(others()))
    await feed.clock.advance(3)
    await asyncio.gather(*tasks)
    assert len(feed.model.described) == 1
    assert len(woken_in) >= 10
