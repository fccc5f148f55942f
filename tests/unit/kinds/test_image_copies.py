"""Copies of an image in other regions: one attempt is asked for by one client token."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.images import desired
from tests.unit.kinds.test_image_pauses import RECORD
from tests.unit.kinds.values import NOW

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import BUILD
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.kinds.extendedami import act
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan, begun
from awsbatch_operator.kinds.extendedami.choosing import Due
from awsbatch_operator.kinds.extendedami.copying import copying
from awsbatch_operator.kinds.extendedami.observed import SETTLING_SECONDS, Image, Observed
from awsbatch_operator.kinds.extendedami.record import Build, Stage, parsed

THERE = "eu-west-1"
WANTED = desired(regions=[THERE])
IMAGE = Image(id="ami-2", name="atmos-1", state="available", build="x")
MADE = replace(RECORD, image=IMAGE.id, stage=Stage.DONE, launch=None)
COPY = replace(IMAGE, id="ami-3")


class Wire:
    """A port that keeps what is sent."""

    def __init__(self):
        self.sent = []

    async def send(self, _, __, request):
        self.sent.append(request)
        return {}


def seen(record: Build, *copies: Image, since: Instant | None = None) -> Observed:
    """What EC2 shows of the image and of its copies."""
    found = {THERE: copies} if copies else {}
    owner = WANTED.owner
    return Observed(
        key=owner.key,
        uid=owner.uid,
        record=record,
        mark="x",
        base=None,
        images=(IMAGE,),
        copies=found,
        since=since,
    )


def planned(record: Build, seconds: float, wanted: Any = WANTED, **seen_as: Any) -> ImagePlan:
    """The plan so many seconds after the first one, while EC2 shows no copy."""
    return copying(wanted, seen(record, **seen_as), IMAGE, record, NOW.plus(seconds))


def written(plan: ImagePlan) -> Build:
    """The record that stands before the call."""
    [step] = plan.steps
    return parsed(step.record[BUILD])


async def sent(plan: ImagePlan, at: float) -> dict[str, Any]:
    """The request as it goes to EC2 at a moment of the operator's clock."""
    wire, clock, nothing = Wire(), SteppedClock(), act.Memories(LeadershipStart())
    await clock.advance(at)
    port: Any = wire
    actor = act.Actor(ec2=port, ecs=port, images=port, memories=nothing, clock=clock)
    [step] = plan.steps
    await actor.act(step.action, Scope("111122223333", "eu-central-1"), act.Remembered("uid-1"))
    [request] = wire.sent
    return dict(request)


@pytest.mark.parametrize("seconds", [1, 60, SETTLING_SECONDS - 1])
async def test_a_copy_of_which_no_answer_came_is_asked_for_again_by_the_same_token(seconds):
    first = planned(MADE, 0)
    again = planned(written(first), seconds)
    for begin in range(0, 300, 60):  # whatever the clock says
        assert await sent(first, begin) == await sent(again, begin + seconds)
    assert written(again) == written(first)


async def test_a_process_that_begins_goes_on_with_the_attempt_of_the_one_before():
    first = planned(MADE, 0)
    later = 3600.0
    again = planned(written(first), later, since=NOW.plus(later - 1))
    assert await sent(again, later) == await sent(first, 0)


async def test_a_copy_of_which_ec2_has_nothing_any_more_is_asked_for_by_another_token():
    first = planned(MADE, 0)
    again = planned(written(first), SETTLING_SECONDS)
    assert written(again).copies[THERE].attempt == 2
    one, other = await sent(first, 0), await sent(again, SETTLING_SECONDS)
    assert one.pop("ClientToken") != other.pop("ClientToken")
    assert one == other
    assert first.steps[0].action == again.steps[0].action  # so it is asked for more rarely


def test_another_request_waits_until_nothing_can_come_of_the_one_before():
    changed = desired(regions=[THERE], tags={"team": "climate"})
    record = written(planned(MADE, 0))
    held = planned(record, SETTLING_SECONDS - 1, changed)
    assert held.steps == ()
    [told] = held.findings
    assert f"may still make an earlier copy of ami-2 in {THERE}" in told.message
    assert held.look_again_seconds is not None
    assert written(planned(record, SETTLING_SECONDS, changed)).copies[THERE].attempt == 2


def test_the_attempt_is_kept_while_the_copy_is_there_and_by_the_next_build():
    record = written(planned(MADE, 0))
    plan = copying(WANTED, seen(record, COPY), IMAGE, record, NOW.plus(1))
    assert plan.steps == ()
    due = Due(build="y", content="y", base="ami-1", source="x", because="")
    assert begun(due, seen(record, COPY), "uid-1", NOW, record).copies == record.copies
