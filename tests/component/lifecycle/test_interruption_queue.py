"""The setting makes the whole operator read its queue, and what comes is counted."""

import contextlib

import pytest
from tests.support.one_process import Process, World, aws_models

from awsbatch_simulator.inprocess import session

ARN = "arn:aws:sqs:eu-central-1:111122223333:aws-batch-operator-test"
MESSAGES = "awsbatch_operator_notices_total"
FAILING = "awsbatch_operator_notice_queue_failing"


@pytest.fixture
def world():
    world = World()
    with world.credentials():
        yield world


@contextlib.asynccontextmanager
async def running(world, **settings):
    process = Process(world, on_client=world.wire().connect, **settings)
    process.start()
    yield process.metrics.registry.get_sample_value
    process.check()
    await process.kill()


async def test_a_queue_is_read_by_the_operator_and_its_messages_are_counted(world):
    sqs = session(world.simulator, loader=aws_models()).client("sqs")
    url = sqs.create_queue(QueueName=ARN.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="no announcement")
    async with running(world, interruption_queue=ARN) as metric:
        await world.clock.advance(3)
        assert metric(MESSAGES, {"kind": "Unreadable"}) == 1
        assert metric(FAILING) == 0
        sqs.delete_queue(QueueUrl=url)
        await world.clock.advance(30)
        assert metric(FAILING) == 1


async def test_without_the_setting_sqs_is_never_called(world):
    async with running(world) as metric:
        await world.clock.advance(60)
        assert metric(FAILING) == 0
    assert not world.simulator.dispatcher.calls.count("sqs", "ReceiveMessage")
