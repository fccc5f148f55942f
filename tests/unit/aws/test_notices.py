"""What EC2 announces is heard once, kept until it is handled, and heard again after a death."""

import time

import pytest
import structlog
from tests.unit.aws.notice_queue import (
    HEALTH,
    REBALANCE,
    RESERVATION,
    SCOPE,
    SPOT,
    STATE,
    event,
    i,
    running,
    used,
    world,
)
from tests.unit.aws.test_instances import OWNER

from awsbatch_operator.aws.notice_events import AnnouncedKind

__all__ = ["used", "world"]  # fixtures
KIND = AnnouncedKind


async def test_an_interruption_wakes_the_owner_and_is_deleted_when_it_is_handled(used):
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    assert used.woken == [OWNER]
    assert used.book.announced([i(1), i(2)]) == {i(1): KIND.INTERRUPTION}
    assert used.messages
    used.book.handled([i(1)])
    await used.clock.advance(0)
    assert not used.messages
    assert used.book.announced([i(1)]) == {i(1): KIND.INTERRUPTION}  # until it is over
    used.clock.skip(601)
    assert used.book.announced([i(1)]) == {}


async def test_it_waits_for_messages_as_long_as_sqs_allows(used):
    assert used.asked[-1] == {
        "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/aws-batch-operator-c1",
        "MaxNumberOfMessages": 10,
        "WaitTimeSeconds": 20,
        "VisibilityTimeout": 30,
        "MessageSystemAttributeNames": ["SentTimestamp"],
    }
    client = used.bench.aws.sender._sessions._sessions.popitem()[1].clients
    (waiting,) = [each for (service, _, waits), each in client.items() if service == "sqs"]
    assert waiting.meta.config.read_timeout == 30


async def test_without_a_queue_nothing_is_asked(make_bench):
    bench = make_bench()
    assert bench.aws.notices.announced([i(1)]) == {}
    bench.aws.notices.handled([i(1)])
    assert not bench.aws.notices.failing
    async with running(make_bench, interruption_queue=None) as world:
        await world.clock.advance(60)
        assert not world.asked


async def test_a_message_that_nobody_has_handled_comes_again_with_another_receipt(used):
    used.send(event(SPOT, i(1)))
    await used.clock.advance(45)
    assert used.woken == [OWNER, OWNER]
    used.book.handled([i(1)])  # the first receipt would delete nothing any more
    await used.clock.advance(0)
    assert not used.messages
    assert [kind for kind, _ in used.told] == ["Interruption"]


async def test_whoever_dies_before_it_is_handled_is_told_again(make_bench, used):
    name = used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    left = used.messages
    async with running(make_bench) as heir:
        heir.own(1, 2)
        heir.messages = {name: {**left[name], "until": heir.clock.monotonic() + 28}}
        await heir.use()
        await heir.clock.advance(20)
        assert heir.book.announced([i(1)]) == {}
        await heir.clock.advance(10)
        assert heir.woken == [OWNER]
        assert heir.book.announced([i(1)]) == {i(1): KIND.INTERRUPTION}


async def test_the_gravest_thing_counts_whatever_comes_first(used):
    for kinds in ((REBALANCE, SPOT, HEALTH), (SPOT, HEALTH, REBALANCE), (HEALTH, REBALANCE, SPOT)):
        for kind in kinds:
            used.send(event(kind, i(1)))
    used.send(event(STATE, i(2)))
    used.send(event(REBALANCE, i(2)))
    await used.clock.advance(5)
    assert used.book.announced([i(1), i(2)]) == {i(1): KIND.INTERRUPTION, i(2): KIND.REBALANCE}
    used.send(event(HEALTH, i(2)))
    await used.clock.advance(5)
    assert used.book.announced([i(2)]) == {i(2): KIND.MAINTENANCE}
    used.send(event(RESERVATION, i(2)))
    await used.clock.advance(5)
    assert used.book.announced([i(2)]) == {i(2): KIND.RESERVATION}


async def test_a_graver_thing_after_one_was_handled_wakes_anew(used):
    used.send(event(REBALANCE, i(1)))
    await used.clock.advance(2)
    used.book.handled([i(1)])
    used.woken.clear()
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    assert used.woken == [OWNER]
    assert len(used.messages) == 1


async def test_a_message_about_several_goes_when_all_are_handled(used):
    used.send(event(HEALTH, i(1), i(2), i(99)))
    await used.clock.advance(2)
    used.book.handled([i(1)])
    await used.clock.advance(100)  # by then 99 is known to be nobody's
    assert used.messages
    used.book.handled([i(2)])
    await used.clock.advance(0)
    assert not used.messages


async def test_what_is_over_and_handled_is_announced_anew_when_it_comes_anew(used):
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    used.book.handled([i(1)])
    await used.clock.advance(0)
    used.clock.skip(700)
    used.woken.clear()
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    assert used.woken == [OWNER]
    assert used.book.announced([i(1)]) == {i(1): KIND.INTERRUPTION}


async def test_an_instance_that_turns_out_to_be_nobodys_is_forgotten(used):
    used.send(event(HEALTH, i(1), i(99)))
    await used.clock.advance(40)
    await used.bench.aws.ec2.all_instances(SCOPE, fresh=True)
    await used.clock.advance(40)
    used.book.handled([i(1)])
    used.book.handled([i(99)])
    await used.clock.advance(0)
    assert not used.messages
    assert not used.book._about


async def test_a_change_of_state_has_the_instances_read_at_once_and_is_deleted(used):
    await used.clock.advance(40)
    used.bench.stub.sent.clear()
    used.ec2.instances[0]["State"] = {"Name": "stopped"}
    used.send(event(STATE, i(1), state="stopped"))
    await used.clock.advance(7)
    assert not used.messages
    assert "DescribeInstances" in used.bench.stub.operations()
    assert used.woken == [OWNER]


async def test_what_is_about_nobodys_instance_goes_after_the_instances_were_read(used):
    await used.clock.advance(1)
    used.send(event(SPOT, i(99)))
    await used.clock.advance(20)
    await used.bench.aws.ec2.all_instances(SCOPE, fresh=True)
    await used.clock.advance(20)
    assert used.messages  # which came again meanwhile: EC2 may list the instance yet
    await used.bench.aws.ec2.all_instances(SCOPE, fresh=True)
    await used.clock.advance(30)
    assert not used.messages
    assert used.told[-1][0] == "Foreign"
    assert not used.woken


async def test_an_instance_that_is_listed_late_is_heard_of_all_the_same(used):
    used.send(event(SPOT, i(3)))
    await used.clock.advance(2)
    assert used.book.announced([i(3)]) == {i(3): KIND.INTERRUPTION}
    used.own(3)
    await used.clock.advance(65)
    assert OWNER in used.woken
    assert used.messages
    used.book.handled([i(3)])
    await used.clock.advance(0)
    assert not used.messages


async def test_where_nobody_has_instances_messages_wait_for_the_start_only(world):
    world.send(event(SPOT, i(1)))
    await world.clock.advance(110)
    assert world.messages
    await world.clock.advance(60)
    assert not world.messages


async def test_a_message_is_deleted_when_it_is_ten_minutes_old(used):
    used.send(event(SPOT, i(1)), age=550)
    await used.clock.advance(40)
    assert used.messages
    await used.clock.advance(45)
    assert not used.messages
    used.woken.clear()
    used.send(event(SPOT, i(2)), age=700)
    await used.clock.advance(2)
    assert not used.messages
    assert not used.woken
    assert used.book.announced([i(2)]) == {}


@pytest.mark.parametrize("body", ["no JSON", '{"detail-type": "x"}', "[" * 100_000, "é\\ud83d" * 9])
async def test_what_cannot_be_read_is_deleted_counted_and_never_logged(used, body):
    with structlog.testing.capture_logs() as logs:
        used.send(body)
        await used.clock.advance(2)
    assert not used.messages
    assert [kind for kind, _ in used.told] == ["Unreadable"]
    assert not logs


async def test_how_late_a_message_is_is_measured(used):
    used.send(event(SPOT, i(1)), age=12)
    used.send(event(SPOT, i(2)), age=-3600)  # by a clock that is ahead
    await used.clock.advance(2)
    assert [kind for kind, _ in used.told] == ["Interruption", "Interruption"]
    assert [seconds for _, seconds in used.told] == pytest.approx([12, 0], abs=2)


async def test_what_is_remembered_is_bounded(used, monkeypatch):
    monkeypatch.setattr("awsbatch_operator.aws.notices.REMEMBERED", 50)
    for number in range(100, 300):
        used.send(event(SPOT, i(number)))
    await used.clock.advance(5)
    assert len(used.book._told) == 50
    assert len(used.book._held) == 50
    await used.clock.advance(200)
    assert not used.messages
    assert not used.book._held
    assert not used.book._about


async def test_messages_that_queue_up_are_taken_several_calls_at_a_time(used):
    for number in range(500):
        used.send(event(STATE, i(number)))
    began = time.process_time()
    await used.clock.advance(1)
    seconds = time.process_time() - began
    assert not used.messages
    assert 500 / seconds >= 500, f"{500 / seconds:.0f} messages a second"
    assert used.bench.stub.operations().count("DeleteMessageBatch") <= 55
    assert {each["WaitTimeSeconds"] for each in used.asked[-20:]} == {0, 20}
