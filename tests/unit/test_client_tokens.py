"""No client token goes with two requests, and none brings back what is gone.

AWS answers a token that it knows as it did the first time, and refuses it with other parameters
(EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests").
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from tests.support.clock import SteppedClock
from tests.unit.capacity.blocks import block_pool, step, view
from tests.unit.capacity.planning_model import CLUSTER, OWNER, machine
from tests.unit.capacity.test_launches import draft
from tests.unit.capacity.values import NOW, pool
from tests.unit.kinds.images import desired
from tests.unit.kinds.test_image_pauses import RECORD

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Effect
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_record import Block
from awsbatch_operator.capacity.conduct import Conductor
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.memory import Memories
from awsbatch_operator.capacity.model import Rung
from awsbatch_operator.kinds.extendedami import act
from awsbatch_operator.kinds.extendedami.copying import copying
from awsbatch_operator.kinds.extendedami.observed import Base, Image, Observed
from awsbatch_operator.kinds.extendedami.record import Stage
from awsbatch_operator.kinds.extendedami.record_parts import Copying
from awsbatch_operator.kinds.extendedami.requests import Offer, builder
from awsbatch_operator.kinds.extendedami.templates import plan_template

HERE = Scope("111122223333", "eu-central-1")
LATER = 3600.0
TAGS: tuple[dict[str, Any], ...] = ({}, {"tags": {"team": "climate"}})
BASE = Base(id="ami-1", root_device="/dev/xvda")


class Wire:
    """A port that keeps what is sent."""

    def __init__(self):
        self.sent = []

    async def change(self, _, __, request):
        self.sent.append(request)
        return {}

    async def send(self, _, __, request):
        await self.change(_, __, request)
        return {}


async def sent_by_capacity(call, clock) -> Shape:
    wire: Any = Wire()
    kept = Memories(LeadershipStart())
    await Conductor(ec2=wire, ecs=wire, memories=kept, clock=clock).send(call, HERE, OWNER)
    return dict(wire.sent[0])


async def sent_by_images(call, clock) -> Shape:
    wire: Any = Wire()
    memories = act.Memories(LeadershipStart())
    actor = act.Actor(ec2=wire, ecs=wire, images=wire, memories=memories, clock=clock)
    await actor.act(call, HERE, act.Remembered("uid-1"))
    return dict(wire.sent[0])


async def templates_of_pools(clock, _) -> list[Shape]:
    one = pool()
    made = [
        template(OWNER, one, replace(machine(one), key_name=key), end=end)
        for key in ("", "key")
        for end in (None, NOW)
    ]
    calls = [requests.make_template("main", each) for each in made if isinstance(each, Template)]
    assert len(calls) == len(made)
    return [await sent_by_capacity(call, clock) for call in calls]


def seen_image() -> Observed:
    return Observed(key=desired().owner.key, uid="uid-1", record=RECORD, mark="x", base=BASE)


async def templates_of_images(clock, _) -> list[Shape]:
    wanted = [desired(rootVolume={"sizeGiB": size}, **tags) for size in (50, 60) for tags in TAGS]
    plans = [plan_template(each, seen_image()) for each in wanted]
    calls = [step.action for plan in plans for step in plan.steps]
    assert len(calls) == len(wanted)
    return [await sent_by_images(call, clock) for call in calls]


async def copies(clock, again: int) -> list[Shape]:
    """Of the first attempt, or of the next one, when EC2 has nothing of those before."""
    image = Image(id="ami-2", name="atmos-1", state="available", build="x")
    before = Copying(attempt=again, request="x", time=NOW.plus(-LATER))
    earlier = {each: before for each in ("eu-west-1", "eu-north-1") if again}
    record = replace(RECORD, image="ami-2", stage=Stage.DONE, launch=None, copies=earlier)
    calls = [
        step.action
        for tags in TAGS
        for regions in (["eu-west-1"], ["eu-north-1"])
        for wanted in (desired(regions=regions, **tags),)
        for step in copying(wanted, seen_image(), image, record, NOW).steps
    ]
    assert len(calls) == 2 * len(TAGS)
    return [await sent_by_images(call, clock) for call in calls]


def intents(again: int) -> Iterator[Any]:
    record = Launches(uid="uid")
    for _ in range(again):
        record = record.opened(record.next_intent(draft()))
        record = record.put("main", replace(record.of("main"), intent=None))
    for fields in ({}, {"count": 5}, {"minimum": 2}, {"template": "lt-2"}, {"end": NOW}):
        yield record.next_intent(draft(**fields))
    yield record.next_intent(replace(draft(), offers=draft().offers[:1]))


async def fleets(clock, again: int) -> list[Shape]:
    calls = [requests.launch(OWNER, each, "content", CLUSTER) for each in intents(again)]
    return [await sent_by_capacity(call, clock) for call in calls]


async def launches_into_reservations(clock, again: int) -> list[Shape]:
    into = [replace(each, reservation="cr-1") for each in intents(again)]
    calls = [requests.launch(OWNER, each, "content", CLUSTER) for each in into]
    return [await sent_by_capacity(call, clock) for call in calls]


async def builders(clock, again: int) -> list[Shape]:
    build = replace(RECORD, attempt=1 + again)
    return [
        builder(desired(**more), build, BASE, Offer(kind, "")).request
        for kind in ("m7i.large", "m7i.xlarge")
        for more in (*TAGS, {"rootVolume": {"sizeGiB": 60}})
    ]


async def reservations(clock, again: int) -> list[Shape]:
    """Also when the spec, or what is there, has changed since the first was asked for."""
    mine = block_pool(Rung.NEW_RESERVATION)
    larger = replace(mine, spot_block=replace(mine.spot_block, instance_count=3))
    first = step(Block(request=1, renewal=again), mine, view())
    steps = [first, *(step(first.block, each, view()) for each in (mine, larger))]
    steps.append(step(first.block, mine, view(living=1)))
    return [requests.reserve(OWNER, "block", each.action).request for each in steps]


Sent = Callable[[SteppedClock, int], Any]
SENT: dict[str, tuple[Sent, ...]] = {
    "ec2:CopyImage": (copies,),
    "ec2:CreateCapacityReservation": (reservations,),
    "ec2:CreateFleet": (fleets,),
    "ec2:CreateLaunchTemplate": (templates_of_pools, templates_of_images),
    "ec2:RunInstances": (launches_into_reservations, builders),
}
EACH = [each for some in SENT.values() for each in some]


def test_each_call_of_ours_that_may_carry_a_token_is_here():
    session = botocore.session.get_session()
    found = set()
    for call in CALLS:
        if call.effect is Effect.READS:
            continue
        service, operation = call.name.split(":")
        shape = session.get_service_model(service).operation_model(operation).input_shape
        if any(name.lower() == "clienttoken" for name in (shape.members if shape else ())):
            found.add(call.name)
    assert found == set(SENT)


@pytest.mark.parametrize("sent", EACH)
async def test_a_token_goes_with_one_request_only(sent):
    by_token: dict[str, Shape] = {}
    for request in await sent(SteppedClock(), 0):
        assert by_token.setdefault(request["ClientToken"], request) == request
    assert len(by_token) > 1 or sent is reservations


@pytest.mark.parametrize("sent", EACH)
async def test_what_is_gone_is_made_anew_by_another_token(sent):
    clock = SteppedClock()
    before = {each["ClientToken"] for each in await sent(clock, 0)}
    await clock.advance(LATER)
    assert before.isdisjoint({each["ClientToken"] for each in await sent(clock, 1)})


@pytest.mark.parametrize("sent", EACH)
async def test_ec2_takes_each_token(sent):
    for each in await sent(SteppedClock(), 0):
        assert each["ClientToken"].isascii()
        assert 0 < len(each["ClientToken"]) <= 64
