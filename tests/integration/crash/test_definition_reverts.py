"""Contents that come back, and revisions of others: each change is registered once, whatever fails.

AWS's descriptions lag, and the operator dies or loses an answer at each call that changes anything.
Who has lost an answer lives on, or hands over to another one in good order, which leads at once.
"""

from functools import partial

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, writes
from tests.integration.crash.scenario import (
    DEFINITION,
    Step,
    apply,
    delete,
    gone,
    has_condition,
    key,
    with_spec,
)
from tests.support.crashing import Mode, Points
from tests.support.hard_world import Weather
from tests.support.lives import Lives
from tests.support.one_process import World, aws_models

from awsbatch_operator.api.metadata import RECONCILE_AT
from awsbatch_simulator.inprocess import session

SEED = 700
LAGGING = Weather(others_lag=8.0)
OTHER = with_spec(DEFINITION, timeout={"attemptDurationSeconds": 240})
WANTED = DEFINITION["spec"]["timeout"]
REGISTERED = 4  # by us: the content, another one, the first again, and once more over theirs
THEIRS = {"team": "x"}
GOES = {"batch:DeregisterJobDefinition"}


def register_theirs(world: World) -> None:
    """Somebody registers a newer revision under the name, and the operator is told to look."""
    name = world.kube.see(key(DEFINITION))["status"]["awsName"]
    batch = session(world.simulator, world.wire(), loader=aws_models()).client("batch")
    content = {name: each for name, each in OTHER["spec"].items() if name != "keepRevisions"}
    batch.register_job_definition(jobDefinitionName=name, tags=THEIRS, **content)
    world.kube.annotate(key(DEFINITION), **{RECONCILE_AT: "now"})


def newest_is_wanted(world: World) -> bool:
    """Whether who submits by name gets the spec's content."""
    (revisions,) = world.batch.definitions.values()
    newest = max((each for each in revisions.values() if each.active), key=lambda one: one.revision)
    return bool(newest.content["timeout"] == WANTED)


def ready(world: World) -> bool:
    return has_condition(DEFINITION, "Ready")(world)


STEPS = (
    Step("register", apply(DEFINITION), ready),
    Step("change", apply(OTHER), ready),
    Step("revert", apply(DEFINITION), ready),
    Step("register a newer one", register_theirs, newest_is_wanted),
    Step("delete", delete(DEFINITION), gone(DEFINITION)),
)


class Reverts(Day):
    """A day with nothing but one definition; it may bring a handover after each strike."""

    def __init__(self, seed: int, points: Points, weather: Weather, *, handover: bool) -> None:
        super().__init__(seed, points, weather)
        self._struck = 0 if handover else None

    async def live(self) -> None:
        lives = Lives(self.world, self.points, self.server)
        try:
            for step in STEPS:
                step.do(self.world)
                while not step.until(self.world):
                    await lives.until(lambda: self._hands_over() or step.until(self.world))  # noqa: B023 - called at once
                    if self._hands_over():
                        self._struck = len(self.points.struck)
                        await lives.stop()
        finally:
            await lives.end()

    def _hands_over(self) -> bool:
        return self._struck is not None and len(self.points.struck) > self._struck

    def check_the_end(self) -> None:
        assert self.world.made("RegisterJobDefinition") == REGISTERED + 1
        (revisions,) = self.world.batch.definitions.values()
        left = [each for each in revisions.values() if each.active]
        assert [each.tags for each in left] == [THEIRS], "only theirs stays"
        invariants.check_no_twins(self.world)


def worth_a_handover(name: str) -> bool:
    """What the next one sees late are new revisions, not those that are gone."""
    return writes(name) and name not in GOES


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("mode", "handover"),
    [
        *((mode, False) for mode in (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)),
        (Mode.LOST, True),
    ],
)
async def test_each_change_is_registered_once_whatever_is_struck(
    mode, handover, branches, record_property
):
    points = Points()
    number = await branches.live(
        Reverts(SEED, points, LAGGING, handover=handover).live_well(),
        points,
        at=worth_a_handover if handover else writes,
        strike=partial(points.strike_now, mode),
        tell=lambda: 1,
    )
    and_then = " and a handover" if handover else ""
    record_property(f"{POINTS} (reverts, {mode.value}{and_then})", number)
