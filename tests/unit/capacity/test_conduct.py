"""What is remembered of calls: what an answer says, and what it does not."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.capacity.planning_model import OWNER
from tests.unit.capacity.values import NOW
from tests.unit.kinds.values import resource

from awsbatch_operator.api.metadata import RECONCILE_AT
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_record import Reserve
from awsbatch_operator.capacity.conduct import Conductor
from awsbatch_operator.capacity.launches import Intent, Launches
from awsbatch_operator.capacity.memory import Memories
from awsbatch_operator.capacity.model import Limits, Market, Wish
from awsbatch_operator.capacity.subject import Subject

HERE = Scope("111122223333", "eu-central-1")
SHORT = AwsError(
    ErrorKind.CAPACITY,
    operation="CreateCapacityReservation",
    message="No room.",
    code="InsufficientInstanceCapacity",
)
NOT_SENT = AwsError(ErrorKind.TRANSIENT, operation="any", message="Not sent.", code="NotSent")
LOST = AwsError(ErrorKind.TRANSIENT, operation="any", message="Lost.", outcome_unknown=True)


class Ec2:
    """Answers each call with what comes next: an error, a body, or an empty one."""

    def __init__(self, *answers):
        self._answers = list(answers)

    async def change(self, *_):
        answer = self._answers.pop(0)
        if isinstance(answer, AwsError):
            raise answer
        return answer or {}


async def reserved(*answers):
    """What is known of a reservation that is asked for so often."""
    memories = Memories(LeadershipStart())
    ec2: Any = Ec2(*answers)
    conductor = Conductor(ec2=ec2, ecs=ec2, memories=memories, clock=SteppedClock())
    call = requests.reserve(OWNER, "block", Reserve("token", "r7i.large", "a", 2, NOW.plus(60)))
    for _ in answers:
        with contextlib.suppress(AwsError):
            await conductor.send(call, HERE, OWNER)
    return memories.of(OWNER.key, OWNER.uid, {}, NOW).answers["token"]


async def test_a_refused_reservation_is_a_fault_that_moves_the_block_on():
    assert (await reserved(SHORT)).faults
    assert (await reserved(LOST, SHORT)).faults  # the same token: so EC2 did not make it


@pytest.mark.parametrize("state", ["cancelled", "failed", "expired"])
async def test_a_reservation_that_is_gone_when_it_is_asked_for_again_moves_the_block_on(state):
    gone = {"CapacityReservation": {"CapacityReservationId": "cr-1", "State": state}}
    [(_, fault)] = (await reserved(None, gone)).faults
    assert state in fault.message
    pending = {"CapacityReservation": {"CapacityReservationId": "cr-1", "State": "pending"}}
    assert not (await reserved(pending)).faults


@pytest.mark.parametrize(
    "answers", [[NOT_SENT], [LOST], [None], [None, NOT_SENT], [None, SHORT], [LOST, NOT_SENT]]
)
async def test_what_says_nothing_about_the_reservation_does_not_move_the_block_on(answers):
    assert not (await reserved(*answers)).faults


def test_a_deletion_is_no_other_spec_by_which_a_stopped_pool_would_go_on():
    there = resource("ComputeEnvironment", generation=3)

    def mark(seen):
        return Subject(
            resource=seen,
            owner=OWNER,
            scope=HERE,
            wish=Wish(limits=Limits()),
            bodies={},
            record=Launches(uid="uid-1"),
            environment="",
            cluster="",
            serves=True,
        ).mark

    assert mark(replace(there, generation=4, deleting=True)) == mark(there)
    asked = replace(there, annotations={RECONCILE_AT: "now"})
    assert len({mark(there), mark(replace(there, generation=4)), mark(asked)}) == 3


def test_a_launch_that_was_written_down_and_not_sent_is_known_to_have_been_refused():
    """Only to whoever wrote it down: another process has planned the same with the same token."""
    kept = Memories(LeadershipStart()).of(OWNER.key, OWNER.uid, {}, NOW)
    mine = launch(NOW)
    kept.draft(mine, NOW)
    others = replace(mine, time=NOW.plus(-60))
    known = [kept.known(Launches(uid="uid-1").opened(each), NOW) for each in (mine, others)]
    assert [list(each) for each in known] == [[mine.token], []]


def launch(time):
    return Intent(
        pool="main",
        token="awsbatch-1",
        round=1,
        template="template",
        version=1,
        count=2,
        minimum=1,
        market=Market.ON_DEMAND,
        offers=(),
        time=time,
    )
