"""The quotas of an account: nothing is asked of AWS beyond them, and the last places are told."""

from typing import Any

import pytest
from tests.unit.kinds.values import ACCOUNT, NOW, REGION
from tests.unit.kinds.values import owner as owner_of
from tests.unit.kinds.values import resource as resource_of

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.account_limits import ENVIRONMENTS, QUEUES, Room
from awsbatch_operator.kinds.computeenvironment.desired import Desired as DesiredEnvironment
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.jobqueue.desired import Desired as DesiredQueue
from awsbatch_operator.kinds.jobqueue.plan import plan_queue
from awsbatch_operator.kinds.tagging import WantedTags
from awsbatch_operator.settings import Settings
from awsbatch_simulator.batch import limits


def room(kind: str, others: int | None, most: int = 50) -> Room:
    return Room(kind, ACCOUNT, REGION, most, others)


def plan_with(room_there: Room):
    """What is planned for an object of which AWS has nothing."""
    of = resource_of(room_there.kind)
    more: dict[str, Any] = {
        "owner": owner_of(of),
        "name": "x",
        "tags": WantedTags({}, {}),
        "reached": False,
    }
    if room_there.kind == QUEUES:
        return plan_queue(DesiredQueue(content={}, waiting={}, room=room_there, **more), None, NOW)
    content = {"type": "MANAGED"}
    desired = DesiredEnvironment(content=content, room=room_there, **more)
    return plan_environment(desired, None, NOW)


@pytest.mark.parametrize("kind", [ENVIRONMENTS, QUEUES])
@pytest.mark.parametrize(("others", "made"), [(None, True), (0, True), (49, True), (50, False)])
def test_one_is_asked_for_as_long_as_there_is_room(kind, others, made):
    plan = plan_with(room(kind, others))
    assert bool(plan.steps) is made
    if not made:
        (finding,) = plan.findings
        assert finding.reason is catalogue.ACCOUNT_LIMIT_REACHED
        assert f"{ACCOUNT} has 50 " in finding.message
        assert REGION in finding.message
        assert not plan.record


@pytest.mark.parametrize("kind", [ENVIRONMENTS, QUEUES])
@pytest.mark.parametrize(("others", "told"), [(None, False), (43, False), (44, True), (49, True)])
def test_whoever_takes_one_of_the_last_places_is_told_how_many_are_left(kind, others, told):
    (step,) = plan_with(room(kind, others)).steps
    assert step.note is not None
    assert ("AWS allows 50" in step.note.message) is told


def test_an_object_that_keeps_what_it_has_beside_the_new_one_needs_a_place_more():
    assert room(ENVIRONMENTS, 48).refusal(own=1) is None
    assert room(ENVIRONMENTS, 49).refusal() is None
    assert room(ENVIRONMENTS, 49).refusal(own=1) is not None


def test_the_quotas_are_awss_unless_somebody_says_otherwise():
    settings = Settings(cluster_id="lab")
    assert settings.max_environments == limits.ENVIRONMENTS
    assert settings.max_queues == limits.QUEUES
    assert Room().most == limits.QUEUES
