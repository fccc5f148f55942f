"""What the interruption queue may do to us ends nothing, loses nothing, and is told once."""

import pytest
import structlog
from botocore.exceptions import ConnectionClosedError
from tests.support.stub_aws import Refused
from tests.unit.aws.notice_queue import SPOT, event, i, used, world
from tests.unit.aws.test_instances import OWNER

from awsbatch_operator.api.scope import LeaseLostError

__all__ = ["used", "world"]  # fixtures


@pytest.mark.parametrize(
    ("operation", "doing", "code"),
    [
        ("ReceiveMessage", "receive messages", "AWS.SimpleQueueService.NonExistentQueue"),
        ("ReceiveMessage", "receive messages", "RequestThrottled"),
        ("DeleteMessageBatch", "delete messages", "AccessDenied"),
        ("DeleteMessageBatch", "delete messages", ""),
    ],
)
async def test_a_queue_that_fails_is_told_once_asked_rarely_and_ends_nothing(
    used, operation, doing, code
):
    def fails(asked):
        if not code:
            raise ConnectionClosedError(endpoint_url="sqs")
        raise Refused(code, "no")

    answer = used.bench.stub.answers[operation]
    used.bench.stub.answers[operation] = fails
    used.bench.stub.sent.clear()
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):  # something to delete, all the time
            used.send("no JSON")
            await used.clock.advance(30)
    told = [each for each in logs if each.get("doing") == doing]
    assert [each["log_level"] for each in told] == ["warning"]
    assert used.book.failing
    # After 0, 5, 15, 35 and 75 seconds, and three times each where it may pass by itself.
    assert 4 <= used.bench.stub.operations().count(operation) <= 15
    used.bench.stub.answers[operation] = answer
    used.send(event(SPOT, i(1)))
    await used.clock.advance(90)
    assert not used.book.failing
    assert used.book.announced([i(1)])
    assert len(used.messages) == 1


@pytest.mark.parametrize("sent", ["9" * 400, "9" * 5000, "-1", "\u00b2", "\u0663", "nan", ""])
async def test_a_message_that_was_sent_at_no_time_is_heard_all_the_same(used, sent):
    used.messages[used.send(event(SPOT, i(1)))]["sent"] = sent
    await used.clock.advance(30)
    assert used.book.announced([i(1)])


async def test_an_answer_that_is_lost_loses_no_message(used):
    receive = used.bench.stub.answers["ReceiveMessage"]
    lost: list[dict] = []

    def drop(asked):
        answer = receive(asked)
        if answer and not lost:
            lost.append(answer)
            raise ConnectionClosedError(endpoint_url="sqs")
        return answer

    used.bench.stub.answers["ReceiveMessage"] = drop
    used.send(event(SPOT, i(1)))
    await used.clock.advance(10)
    assert lost
    assert not used.woken
    await used.clock.advance(30)
    assert used.woken == [OWNER]


async def test_a_deletion_of_unknown_outcome_does_no_harm(used):
    delete = used.bench.stub.answers["DeleteMessageBatch"]
    lost: list[dict] = []

    def drop(asked):
        answer = delete(asked)
        if len(lost) < 5:
            lost.append(answer)
            raise ConnectionClosedError(endpoint_url="sqs")
        return answer

    used.bench.stub.answers["DeleteMessageBatch"] = drop
    used.send("no JSON")
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    used.book.handled([i(1)])
    await used.clock.advance(120)
    assert len(lost) == 5
    assert not used.messages


async def test_without_the_lease_nothing_is_deleted_and_nothing_ends(used):
    used.bench.lease.rest = 1.0
    used.send("no JSON")
    await used.clock.advance(10)
    assert used.messages
    with pytest.raises(LeaseLostError):
        used.bench.lease.check(13)
    used.bench.lease.rest = 30.0
    await used.clock.advance(60)
    assert not used.messages


async def test_a_queue_that_answers_at_once_is_not_asked_without_end(used):
    used.bench.stub.sent.clear()
    await used.clock.advance(60)
    assert used.bench.stub.operations().count("ReceiveMessage") <= 61


async def test_a_notice_that_was_handled_and_not_deleted_goes_when_it_comes_again(used):
    delete = used.bench.stub.answers["DeleteMessageBatch"]
    refused: list[dict] = []

    def refuse(asked):
        if not refused:
            refused.append(asked)
            raise Refused("AccessDenied")
        return delete(asked)

    used.bench.stub.answers["DeleteMessageBatch"] = refuse
    used.send(event(SPOT, i(1)))
    await used.clock.advance(2)
    used.book.handled([i(1)])
    await used.clock.advance(10)
    assert used.messages
    await used.clock.advance(30)
    assert not used.messages
    assert used.woken == [OWNER]


async def test_a_message_that_sqs_did_not_delete_is_deleted_when_it_comes_again(used):
    delete = used.bench.stub.answers["DeleteMessageBatch"]
    first: list[dict] = []

    def fail(asked):
        if not first:
            first.append(asked)
            failed = [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]
            return {"Successful": [], "Failed": failed}
        return delete(asked)

    used.bench.stub.answers["DeleteMessageBatch"] = fail
    used.send("no JSON")
    await used.clock.advance(10)
    assert used.messages
    await used.clock.advance(30)
    assert not used.messages
