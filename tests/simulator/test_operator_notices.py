"""What EC2 announces comes to the operator through SQS, and through polls without it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import botocore.session
import pytest
from tests.simulator.test_operator_capacity import launch
from tests.support.simulated_account import ENVIRONMENT, Account
from tests.support.simulated_aws import any_image

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.aws.interruption_queue import queue_of
from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.capacity.announcements import IMPAIRED_SECONDS, notices
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_simulator.ec2.incidents import Incident, Order, carry_out
from awsbatch_simulator.faults import Effect
from awsbatch_simulator.hosting import Notices
from awsbatch_simulator.inprocess import session

NAME = "aws-batch-operator-c1"
SPOT = {
    "InstanceMarketOptions": {"MarketType": "spot"},
    "TagSpecifications": [
        {**each, "ResourceType": kind}
        for each in launch()["TagSpecifications"]
        for kind in ("instance", "spot-instances-request")
    ],
}


@pytest.fixture(scope="module")
def loader() -> Any:
    return botocore.session.Session().get_component("data_loader")


class Rig:
    """An account whose notices go to a queue that the operator reads."""

    def __init__(self, loader: Any) -> None:
        queue = queue_of(f"arn:aws:sqs:eu-central-1:111122223333:{NAME}")
        self.account = Account(loader, queue)
        self.sqs = session(self.account.simulator, loader=loader).client("sqs")
        self.url = self.sqs.create_queue(QueueName=NAME)["QueueUrl"]
        settings = self.account.world.settings.model_copy(update={"notices": Notices(queue=NAME)})
        self.account.world.change(settings)
        self.book = self.account.aws.notices
        self.clock, self.scope = self.account.clock, self.account.scope

    async def launched(self, **more: Any) -> str:
        """An instance of ours that runs, with all that was told of it till then gone."""
        ec2 = self.account.aws.ec2
        await ec2.change(self.scope, "RunInstances", launch(**more))
        await self.clock.advance(60)
        (found,) = await ec2.instances(self.scope, "uid")
        self.account.woken.clear()
        return str(found["InstanceId"])

    def befall(self, incident: Incident, instance: str, **more: Any) -> None:
        region = self.account.world.region(self.account.simulator.place)
        order = Order(incident=incident, instance_ids=(instance,), **more)
        assert carry_out([region], order) == [instance]

    def messages(self) -> list[Any]:
        """Those that are in the queue, whether they are visible now or not."""
        return list(self._moto()._messages)

    def show_all(self) -> None:
        """The visibility timeout of all messages is over."""
        for each in self._moto()._messages:
            each.visible_at = 0

    def _moto(self) -> Any:
        from moto.sqs.models import sqs_backends  # noqa: PLC0415 - takes a while

        place = self.account.simulator.place
        return sqs_backends[place.account][place.region].queues[NAME]


@pytest.fixture
async def rig(loader: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    made = Rig(loader)
    key = made.account.simulator.key
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setattr(type(made.account.world.lookup), "public_image", any_image)
    pollers = asyncio.create_task(made.account.aws.run())
    yield made
    pollers.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pollers


async def test_an_interruption_is_announced_within_one_poll_and_gone_when_it_is_handled(rig):
    instance = await rig.launched(**SPOT)
    assert not rig.messages()  # changes of state leave none
    rig.befall(Incident.INTERRUPT, instance)
    await rig.clock.advance(1)
    assert rig.account.woken == [ENVIRONMENT]
    assert rig.book.announced([instance]) == {instance: AnnouncedKind.INTERRUPTION}
    assert len(rig.messages()) == 1
    rig.book.handled([instance])
    await rig.clock.advance(0)
    assert not rig.messages()


async def test_what_the_queue_says_polls_say_as_well(rig):
    instance = await rig.launched(**SPOT)
    ec2, scope = rig.account.aws.ec2, rig.scope
    assert not notices({}, await ec2.spot_requests(scope), [], [instance])
    rig.befall(Incident.INTERRUPT, instance)
    await rig.clock.advance(61)
    found = await ec2.spot_requests(scope)
    assert notices({}, found, [], [instance]) == {instance: Notice.INTERRUPTION}
    rig.befall(Incident.IMPAIR, instance)
    troubled = await ec2.troubled_instances(scope)
    now = rig.clock.now()
    assert not notices({}, [], troubled, [instance], now=now)
    later = Instant(now.epoch + IMPAIRED_SECONDS)
    assert notices({}, [], troubled, [instance], now=later) == {instance: Notice.MAINTENANCE}


async def test_a_retirement_is_announced_by_both(rig):
    instance = await rig.launched()
    rig.befall(Incident.SCHEDULE, instance)
    await rig.clock.advance(1)
    assert rig.book.announced([instance]) == {instance: AnnouncedKind.MAINTENANCE}
    troubled = await rig.account.aws.ec2.troubled_instances(rig.scope)
    assert notices({}, [], troubled, [instance]) == {instance: Notice.MAINTENANCE}


async def test_an_answer_of_sqs_that_is_lost_loses_no_notice(rig):
    instance = await rig.launched(**SPOT)
    rig.account.fault(Effect.DROP_AFTER, "ReceiveMessage", times=1)
    rig.befall(Incident.REBALANCE, instance)
    await rig.clock.advance(5)
    assert not rig.account.woken
    rig.show_all()
    await rig.clock.advance(5)
    assert rig.account.woken == [ENVIRONMENT]
    assert rig.book.announced([instance]) == {instance: AnnouncedKind.REBALANCE}


async def test_notices_of_instances_of_others_are_deleted(rig):
    await rig.launched()
    theirs = {**launch(), **SPOT, "ClientToken": "t", "TagSpecifications": []}
    answer = await rig.account.aws.ec2.change(rig.scope, "RunInstances", theirs)
    instance = answer["Instances"][0]["InstanceId"]
    await rig.clock.advance(30)
    rig.befall(Incident.INTERRUPT, instance)
    await rig.clock.advance(100)
    rig.show_all()
    await rig.clock.advance(2)
    assert not rig.messages()
    assert not rig.account.woken


async def test_a_queue_that_is_not_there_ends_nothing_and_is_read_when_it_comes(rig):
    instance = await rig.launched(**SPOT)
    rig.sqs.delete_queue(QueueUrl=rig.url)
    await rig.clock.advance(120)
    assert rig.book.failing
    rig.sqs.create_queue(QueueName=NAME)
    rig.befall(Incident.INTERRUPT, instance)
    await rig.clock.advance(61)
    assert not rig.book.failing
    assert rig.book.announced([instance]) == {instance: AnnouncedKind.INTERRUPTION}
