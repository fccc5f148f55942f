"""An interruption queue over a stub of AWS, on the stepped clock; and instances of ours."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.unit.aws.test_instances import Ec2, instance

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.interruption_queue import queue_of

ACCOUNT, REGION = "111122223333", "eu-central-1"
SCOPE = Scope(ACCOUNT, REGION)
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/aws-batch-operator-c1"
SPOT = "EC2 Spot Instance Interruption Warning"
REBALANCE = "EC2 Instance Rebalance Recommendation"
STATE = "EC2 Instance State-change Notification"
HEALTH = "AWS Health Event"
RESERVATION = "EC2 Capacity Reservation Instance Interruption Warning"


def i(number: int) -> str:
    return f"i-{number:017x}"


def event(kind: str, *instances: str, **more: Any) -> dict[str, Any]:
    """An event of EventBridge's; `more` are further members of its detail."""
    detail: dict[str, Any] = {"instance-id": instances[0] if instances else ""}
    if kind == HEALTH:
        detail = {"service": "EC2", "eventTypeCategory": "scheduledChange"}
        detail["affectedEntities"] = [{"entityValue": each} for each in instances]
    return {
        "version": "0",
        "detail-type": kind,
        "source": "aws.health" if kind == HEALTH else "aws.ec2",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2027-01-15T08:00:00Z",
        "resources": list(instances),
        "detail": detail | more,
    }


class NoticeWorld:
    """SQS with one queue, EC2 with instances, and the operator's AWS side over both."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.clock, self.woken = bench, bench.clock, bench.woken
        self.book = bench.aws.notices
        self.ec2 = Ec2(bench)
        self.messages: dict[str, dict[str, Any]] = {}  # by id; "until": invisible so long
        self.received = 0
        self.told: list[tuple[str, float]] = []
        self.asked: list[dict[str, Any]] = []
        bench.stub.answers |= {
            "ReceiveMessage": self._receive,
            "DeleteMessageBatch": self._delete,
        }

    def own(self, *numbers: int) -> None:
        self.ec2.instances += [{**instance(each), "InstanceId": i(each)} for each in numbers]

    async def use(self) -> None:
        """An environment looks at its instances, as it does at its every turn."""
        await self.bench.aws.ec2.instances(SCOPE, "u")
        await self.clock.advance(0)
        self.woken.clear()

    def send(self, body: Any, *, age: float = 0.0) -> str:
        name = f"m{len(self.messages)}-{self.received}"
        text = body if isinstance(body, str) else json.dumps(body)
        sent = int((self.clock.now().epoch - age) * 1000)
        self.messages[name] = {"Body": text, "sent": str(sent), "until": 0.0}
        return name

    def _receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        now = self.clock.monotonic()
        found: list[dict[str, Any]] = []
        for name, each in self.messages.items():
            if each["until"] > now or len(found) >= asked["MaxNumberOfMessages"]:
                continue
            self.received += 1
            each["until"], each["receipt"] = now + asked["VisibilityTimeout"], f"r{self.received}"
            body = {"MessageId": name, "ReceiptHandle": each["receipt"], "Body": each["Body"]}
            found.append({**body, "Attributes": {"SentTimestamp": each["sent"]}})
        return {"Messages": found} if found else {}

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert 1 <= len(asked["Entries"]) <= 10
        receipts = {entry["ReceiptHandle"] for entry in asked["Entries"]}
        self.messages = {
            name: each
            for name, each in self.messages.items()
            if each.get("receipt") not in receipts
        }
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}


@contextlib.asynccontextmanager
async def running(make_bench: Callable[..., Any], **changes: Any) -> AsyncIterator[NoticeWorld]:
    bench = make_bench(**{"interruption_queue": queue_of(URL), **changes})
    made = NoticeWorld(bench)
    made.book._observe = lambda kind, seconds: made.told.append((kind, seconds))
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def world(make_bench: Callable[..., Any]) -> AsyncIterator[NoticeWorld]:
    async with running(make_bench) as made:
        yield made


@pytest.fixture
async def used(world: NoticeWorld) -> NoticeWorld:
    """With two instances of an environment, which have been read."""
    world.own(1, 2)
    await world.use()
    return world
