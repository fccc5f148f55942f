"""The event queue makes jobs be looked at sooner, and whatever comes through it decides nothing."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.aws.test_job_feed import OTHER, Feed, feed

from awsbatch_operator.aws.job_events import JobEvent, JobEventBook, JobNews, job_event_of
from awsbatch_operator.aws.sqs import Mail

__all__ = ["feed"]  # a fixture

ID = "4c7599ae-0a82-49aa-ba5a-4727fcce14a8"
CHANGE, BLOCKED = "Batch Job State Change", "Batch Job Queue Blocked"


def event(status: str = "RUNNING", job_id: str = ID, **changes: Any) -> str:
    """An event of Batch's; `changes` replace members of it."""
    plain = {
        "version": "0",
        "detail-type": CHANGE,
        "source": "aws.batch",
        "account": "111122223333",
        "region": "eu-central-1",
        "detail": {"jobId": job_id, "status": status},
    }
    return json.dumps(plain | changes)


BAD: Sequence[object] = (
    None,
    b"{}",
    "",
    "no JSON",
    "[]",
    "[" * 100_000,
    "\ud800",
    '"x"',
    " " * 2_000_000,
    event(source="aws.ec2"),
    event(**{"detail-type": "EC2 Instance State-change Notification"}),
    event().replace(json.dumps(CHANGE), json.dumps([CHANGE])),
    event(detail=[]),
    event(detail=None),
    event(detail={"jobId": ID}),
    event(detail={"jobId": [ID], "status": "RUNNING"}),
    event(job_id="x"),
    event(job_id=f"{ID}\n"),
    event(job_id=f"{ID}:x"),
    event(status="running"),
    event(account="1"),
    event(region="eu-central-1/../x"),
    event(region=None),
)


class Box:
    """A mailbox: what was deleted from it."""

    failing = False

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete(self, receipt: str) -> None:
        self.deleted.append(receipt)


class Ears:
    """The book over a feed, and what it has told."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.box = feed, Box()
        self.told: list[str] = []
        self.ages: list[float] = []
        self.book = JobEventBook(
            self.box,  # type: ignore[arg-type]  # has what the book asks of a Mailbox
            feed.poller,
            feed.clock,
            self._observe,
        )

    def _observe(self, kind: str, seconds: float) -> None:
        self.told.append(kind)
        self.ages.append(seconds)

    def hear(self, *bodies: object, sent: float | None = None) -> Sequence[str]:
        """Receive these messages; what came of them."""
        self.told.clear()
        self.book._take([Mail("m", f"r{n}", body, sent) for n, body in enumerate(bodies)])
        return tuple(self.told)


@pytest.fixture
async def ears(feed: Feed) -> Ears:
    """With a job that has been RUNNING for ten minutes, and is asked about rarely."""
    feed.model.submit(ID, status="RUNNING")
    feed.follow(ID)
    await feed.clock.advance(600)
    feed.woken.clear()
    return Ears(feed)


def test_events_of_both_kinds_are_read():
    where = ("111122223333", "eu-central-1")
    assert job_event_of(event()) == JobEvent(
        JobNews.STATE_CHANGE, *where, ID, child=False, status="RUNNING"
    )
    blocked = job_event_of(event("RUNNABLE", **{"detail-type": BLOCKED}))
    assert blocked == JobEvent(JobNews.QUEUE_BLOCKED, *where, ID, child=False, status="RUNNABLE")
    for child in (f"{ID}:9999", f"{ID}#0"):
        found = job_event_of(event(job_id=child))
        assert found is not None
        assert (found.job_id, found.child) == (ID, True)


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
async def test_what_is_no_event_of_a_job_is_deleted_and_counted(ears, body):
    assert ears.hear(body) == ("Unreadable",)
    assert ears.box.deleted == ["r0"]


async def test_a_change_is_seen_within_two_seconds_of_its_event(ears):
    ears.feed.model.move(ID, "SUCCEEDED")
    assert ears.hear(event("SUCCEEDED"), sent=ears.feed.clock.now().epoch - 3) == ("StateChange",)
    assert ears.ages == [pytest.approx(3)]
    assert ears.box.deleted == ["r0"]
    assert await ears.feed.clock.run_until(lambda: bool(ears.feed.woken)) <= 2
    assert ears.feed.poller.seen(ID)["status"] == "SUCCEEDED"


async def test_nothing_is_believed_of_what_an_event_says(ears):
    assert ears.hear(event("FAILED")) == ("StateChange",)
    await ears.feed.clock.advance(10)
    assert ears.feed.woken == []
    assert ears.feed.poller.seen(ID)["status"] == "RUNNING"
    assert ears.feed.poller.followed == 1


async def test_what_is_known_already_costs_no_call(ears):
    await ears.feed.calls_in(0)
    assert ears.hear(*[event("RUNNING")] * 100) == ("Known",) * 100
    assert await ears.feed.calls_in(2.1) <= 1  # it may be due anyway
    assert len(ears.box.deleted) == 100


async def test_a_blocked_queue_has_the_job_looked_at_although_its_status_is_the_same(feed):
    feed.model.submit(ID, status="RUNNABLE")
    feed.follow(ID)
    await feed.clock.advance(600)
    ears = Ears(feed)
    feed.model.jobs[ID]["statusReason"] = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    feed.woken.clear()
    assert ears.hear(event("RUNNABLE", **{"detail-type": BLOCKED})) == ("QueueBlocked",)
    assert await feed.clock.run_until(lambda: bool(feed.woken)) <= 2


async def test_jobs_of_others_other_places_and_children_are_left_alone(ears):
    ears.feed.model.submit("elsewhere", status="RUNNING")
    bodies = (
        event("FAILED", job_id=ID.replace("4", "5")),
        event("FAILED", account=OTHER.account_id),
        event("FAILED", region="us-east-1"),
        event("FAILED", job_id=f"{ID}:3"),
    )
    before = await ears.feed.calls_in(64)
    assert ears.hear(*bodies) == ("Foreign", "Foreign", "Foreign", "Child")
    assert await ears.feed.calls_in(64) <= before
    assert len(ears.box.deleted) == len(bodies)


async def test_a_thousand_false_events_cost_one_call_in_two_seconds_and_hide_no_answer(ears):
    """Events that never stop must not keep us from reading what AWS answers."""
    ears.feed.model.calls.clear()
    for second in range(60):
        ears.hear(*[event("FAILED")] * 20)
        if second == 40:
            ears.feed.model.move(ID, "SUCCEEDED")
        await ears.feed.clock.advance(1)
    assert ears.feed.model.calls.total() <= 31
    assert ears.feed.woken == [ID]
    assert ears.feed.poller.followed == 0


async def test_an_answer_that_was_asked_for_before_the_event_does_not_end_the_hurry(ears):
    heard: list[None] = []

    def answered_from_before(_: str) -> None:
        if not heard:
            heard.append(None)
            ears.hear(event("SUCCEEDED"))

    ears.feed.model.before_call = answered_from_before
    await ears.feed.clock.run_until(lambda: bool(heard))  # RUNNING, as it was when asked
    ears.feed.model.move(ID, "SUCCEEDED")
    assert await ears.feed.clock.run_until(lambda: bool(ears.feed.woken)) <= 2.5


async def test_without_a_queue_nothing_is_listened_to(feed):
    book = JobEventBook(None, feed.poller, feed.clock)
    assert not book.failing
    with contextlib.suppress(TimeoutError):
        coroutine = book.run()
        coroutine.send(None)
        coroutine.close()
