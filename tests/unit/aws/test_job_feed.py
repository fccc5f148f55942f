import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.clock import SteppedClock
from tests.support.model_jobs import ModelJobs

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.job_feed import JobPoller

SCOPE = Scope("111122223333", "eu-central-1")
OTHER = Scope("444455556666", "eu-central-1")


def key(job_id: str) -> ObjectKey:
    return ObjectKey("BatchJob", "ns", job_id)


class Feed:
    """A poller at work on a model, and whom it woke."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.model = ModelJobs()
        self.woken: list[str] = []
        self.poller = JobPoller(
            self.model,  # type: ignore[arg-type]  # has what the poller asks of a Sender
            self.clock,
            Cadence(),
            lambda owner: self.woken.append(owner.name),
        )

    def follow(self, job_id: str, *, queue: str = "q", scope: Scope = SCOPE, known: bool = False):
        detail = self.model.jobs[job_id] if known else None
        self.poller.follow(scope, job_id, queue, key(job_id), detail=detail)

    async def calls_in(self, seconds: float) -> int:
        self.model.calls.clear()
        await self.clock.advance(seconds)
        return self.model.calls.total()

    @contextlib.contextmanager
    def failing(self, kind: ErrorKind) -> Iterator[None]:
        def fail(_: str) -> None:
            raise AwsError(kind, operation="DescribeJobs", message="no")

        self.model.before_call = fail
        yield
        self.model.before_call = lambda _: None


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    made = Feed()
    task = asyncio.create_task(made.poller.run())
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_nothing_is_asked_while_no_job_is_followed(feed):
    assert await feed.calls_in(3600) == 0
    assert feed.clock.next_due() is None


async def test_a_job_that_changes_wakes_its_owner_within_seconds(feed):
    feed.model.submit("a")
    feed.follow("a")
    await feed.clock.advance(10)
    feed.woken.clear()
    feed.model.move("a", "STARTING")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= 4
    assert feed.poller.seen("a")["status"] == "STARTING"


async def test_a_job_that_stays_the_same_wakes_nobody(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    await feed.clock.advance(600)
    assert feed.woken == []


async def test_what_the_owner_did_not_know_is_news(feed):
    feed.model.submit("a", status="RUNNABLE")
    feed.follow("a", known=True)
    feed.model.move("a", "RUNNABLE", statusReason="MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    await feed.clock.advance(10)
    assert feed.woken == ["a"]


async def test_a_quick_job_is_seen_to_finish(feed):
    feed.model.submit("a")
    feed.follow("a")
    await feed.clock.advance(1)
    feed.model.move("a", "SUCCEEDED")
    assert await feed.clock.run_until(lambda: "a" in feed.woken) <= 3
    assert feed.poller.seen("a")["status"] == "SUCCEEDED"


async def test_a_finished_job_is_never_polled_again(feed):
    feed.model.submit("a", status="FAILED")
    feed.follow("a")
    await feed.clock.run_until(lambda: bool(feed.woken))
    assert await feed.calls_in(3600) == 0


async def test_a_forgotten_job_is_never_polled_again(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a")
    await feed.clock.advance(10)
    assert feed.poller.followed == 1
    feed.poller.forget("a")
    assert feed.poller.followed == 0
    await feed.clock.advance(60)  # a poll may have been about to begin
    assert await feed.calls_in(3600) == 0
    assert feed.poller.seen("a") is None


async def test_a_job_that_stays_in_its_state_is_asked_about_more_and_more_rarely(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a")
    early = await feed.calls_in(64)
    await feed.clock.advance(600)
    late = await feed.calls_in(64)
    assert early > 2 * late
    assert late == 4  # every 16 s


async def test_a_job_that_aws_does_not_know_yet_is_not_taken_for_gone(feed):
    feed.follow("a")
    await feed.clock.advance(50)
    assert feed.woken == []
    assert feed.poller.followed == 1
    feed.model.submit("a", status="RUNNABLE")
    await feed.clock.advance(10)
    assert feed.woken == ["a"]


async def test_a_job_that_aws_never_comes_to_know_is_gone_in_the_end(feed):
    feed.follow("a")
    assert await feed.clock.run_until(lambda: not feed.poller.followed, within=120) >= 60
    assert feed.woken == ["a"]
    assert await feed.calls_in(3600) == 0


async def test_a_job_that_aws_no_longer_knows_wakes_its_owner_once(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    await feed.clock.advance(100)
    feed.model.remove("a")
    await feed.clock.advance(200)
    assert feed.woken == ["a"]
    assert feed.poller.seen("a") is None


async def test_a_job_that_was_given_up_is_polled_again_when_it_is_followed_again(feed):
    feed.follow("a")
    await feed.clock.run_until(lambda: not feed.poller.followed, within=120)
    feed.woken.clear()
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    feed.model.move("a", "SUCCEEDED")
    await feed.clock.run_until(lambda: bool(feed.woken), within=30)
    assert feed.woken == ["a"]
    assert feed.poller.seen("a")["status"] == "SUCCEEDED"


async def test_one_answer_without_the_job_does_not_make_it_gone(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    await feed.clock.advance(20)
    feed.model.remove("a")
    await feed.clock.run_until(lambda: feed.poller._book.followed("a").misses == 1)
    feed.model.submit("a", status="RUNNING")
    await feed.clock.advance(200)
    assert feed.woken == []


async def test_after_a_termination_the_old_detail_is_not_shown_any_more(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a")
    await feed.clock.advance(600)
    assert feed.poller.seen("a")
    feed.poller.hurry("a")
    assert feed.poller.seen("a") is None
    feed.model.move("a", "FAILED")
    feed.woken.clear()
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= 2


async def test_following_again_only_changes_who_is_woken(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    feed.poller.follow(SCOPE, "a", "q", key("successor"))
    feed.model.move("a", "SUCCEEDED")
    await feed.clock.advance(60)
    assert feed.woken == ["successor"]


async def test_details_that_nobody_fetches_are_dropped_some_time_after_the_end(feed):
    feed.model.submit("a", status="SUCCEEDED")
    feed.follow("a")
    await feed.clock.advance(10)
    assert feed.poller.seen("a")
    feed.model.submit("b", status="RUNNING")
    feed.follow("b")
    await feed.clock.advance(700)
    assert feed.poller.seen("a") is None


async def test_an_account_that_does_not_answer_does_not_hold_up_another(feed):
    feed.model.submit("a", status="RUNNING")
    feed.model.submit("b", status="RUNNING")
    feed.follow("a", known=True)
    feed.follow("b", scope=OTHER, known=True)
    described = feed.model._describe

    def only_other(job_ids):
        if "a" in job_ids:
            raise AwsError(ErrorKind.TRANSIENT, operation="DescribeJobs", message="lost")
        return described(job_ids)

    feed.model._describe = only_other
    feed.model.move("b", "SUCCEEDED")
    await feed.clock.advance(60)
    assert feed.woken == ["b"]


async def test_an_account_that_hangs_does_not_hold_up_another(feed):
    feed.model.submit("a", status="RUNNING")
    feed.model.submit("b", status="RUNNING")
    feed.follow("a", known=True)
    feed.follow("b", scope=OTHER, known=True)
    never = asyncio.Event()
    described = feed.model.call

    async def call(scope, name, request, *, polling=False):
        if scope == SCOPE:
            await never.wait()
        return await described(scope, name, request, polling=polling)

    feed.model.call = call
    await feed.clock.advance(600)
    assert feed.model.calls.total() >= 600 / 16  # as often as if it were alone


async def test_an_error_that_is_none_of_awss_ends_the_polling():
    class ProcessDied(BaseException):
        pass

    feed = Feed()
    running = asyncio.create_task(feed.poller.run())
    await feed.clock.advance(0)

    def die(_: str) -> None:
        raise ProcessDied

    feed.model.before_call = die
    feed.follow("a")
    await feed.clock.advance(10)
    with pytest.raises(ProcessDied):
        await running


async def test_polling_that_fails_is_tried_less_and_less_often_and_goes_on_when_it_works(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    with feed.failing(ErrorKind.TRANSIENT):
        assert await feed.calls_in(300) <= 10
    feed.model.move("a", "SUCCEEDED")
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= 60
    assert feed.woken == ["a"]


async def test_owners_are_woken_once_when_polling_is_denied_so_that_they_can_say_why(feed):
    for job_id in "ab":
        feed.model.submit(job_id, status="RUNNING")
        feed.follow(job_id, known=True)
    with feed.failing(ErrorKind.DENIED):
        await feed.clock.advance(300)
    assert sorted(feed.woken) == ["a", "b"]


async def test_a_job_that_is_forgotten_during_the_call_about_it_wakes_nobody(feed):
    feed.model.submit("a", status="RUNNING")
    feed.follow("a", known=True)
    feed.model.move("a", "SUCCEEDED")
    feed.model.before_call = lambda _: feed.poller.forget("a")
    await feed.clock.advance(60)
    assert feed.woken == []
