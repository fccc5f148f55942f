"""How fast messages of the interruption queue are taken in and deleted, each call of 10 ms."""

import asyncio
import contextlib
import json
import os
import random
import time
from collections import deque
from typing import Any
from unittest import mock

from tests.bench.figures import Figure
from tests.support.simulated_aws import FreeFence
from tests.support.stub_aws import StubAws

from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.connect import connect
from awsbatch_operator.aws.interruption_queue import queue_of
from awsbatch_operator.aws.models import service_models
from awsbatch_operator.aws.runner import ThreadRunner
from awsbatch_operator.aws.sender import AwsContext
from awsbatch_operator.engine.clock import SystemClock

MESSAGES = 15_000
CALL_SECONDS = 0.01
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:aws-batch-operator-bench"
KINDS = (
    "EC2 Instance State-change Notification",
    "EC2 Spot Instance Interruption Warning",
    "EC2 Instance Rebalance Recommendation",
)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00", "AWS_SECRET_ACCESS_KEY": "secret"}


class _Sqs:
    """A queue with that many messages, none of which is about an instance of ours."""

    def __init__(self) -> None:
        sent = str(int((time.time() - 700) * 1000))  # so they are deleted, whatever they say
        self.left, self.deleted = deque(range(MESSAGES)), 0
        self._attributes = {"SentTimestamp": sent}

    def receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        time.sleep(CALL_SECONDS if self.left else 1.0)
        found: list[dict[str, Any]] = []
        while len(found) < asked["MaxNumberOfMessages"]:
            try:
                found.append(self._message(self.left.popleft()))
            except IndexError:
                break
        return {"Messages": found}

    def delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        time.sleep(CALL_SECONDS)
        self.deleted += len(asked["Entries"])
        return {"Successful": [{"Id": each["Id"]} for each in asked["Entries"]], "Failed": []}

    def _message(self, number: int) -> dict[str, Any]:
        event = {
            "source": "aws.ec2",
            "detail-type": KINDS[number % len(KINDS)],
            "account": "111122223333",
            "region": "eu-central-1",
            "detail": {"instance-id": f"i-{number:017x}"},
        }
        names = {"MessageId": str(number), "ReceiptHandle": f"r{number}"}
        return {**names, "Body": json.dumps(event), "Attributes": self._attributes}


async def _seconds() -> float:
    sqs, stub, runner = _Sqs(), StubAws(), ThreadRunner(32)
    stub.answers |= {"ReceiveMessage": sqs.receive, "DeleteMessageBatch": sqs.delete}
    context = AwsContext(
        clock=SystemClock(),
        fence=FreeFence(),
        runner=runner,
        jitter=random.Random(1),
        observe=lambda *_: None,
        on_client=stub.attach,
        loader=service_models(),
    )
    settings = AwsSettings(cluster_id="bench", interruption_queue=queue_of(QUEUE))
    aws = connect(settings, context, lambda _: None)
    began = time.perf_counter()
    running = asyncio.ensure_future(aws.run())
    while sqs.deleted < MESSAGES and not running.done():  # noqa: ASYNC110 - other threads count it
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    runner.close()
    return seconds


def measure() -> list[Figure]:
    """The row of the interruption queue."""
    with mock.patch.dict(os.environ, KEYS):
        seconds = asyncio.run(_seconds())
    what = "messages of the interruption queue a second"
    return [Figure(what, MESSAGES / seconds, 500, "messages", f"{MESSAGES:,} at once", least=True)]
