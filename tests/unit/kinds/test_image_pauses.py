"""How long an ExtendedAMI waits, and what it remembers meanwhile.

Pauses are scaled as looks are, where AWS is simulated in fast motion.
"""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.images import desired, image
from tests.unit.kinds.values import ACCOUNT, NOW, REGION

from awsbatch_operator.api import image_reasons
from awsbatch_operator.api.metadata import BUILD, ObjectKey
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.extendedami.attempts import Case, ImagePlan, failed
from awsbatch_operator.kinds.extendedami.imaging import plan_imaging
from awsbatch_operator.kinds.extendedami.kind import ExtendedAmiKind
from awsbatch_operator.kinds.extendedami.launching import launch
from awsbatch_operator.kinds.extendedami.observed import Machine, Observed, Refusal, Refused
from awsbatch_operator.kinds.extendedami.record import Build, Stage, parsed
from awsbatch_operator.kinds.extendedami.record_parts import Launch

RECORD = Build(
    uid="x",
    build="x",
    content="x",
    base="x",
    source="x",
    mark="x",
    attempt=1,
    first=1,
    stage=Stage.BUILD,
    started=NOW,
    since=NOW,
    launch=Launch(token="t", offer=99, time=NOW),
)


NOTHING: Any = None  # in the place of what is not asked
KIND: Any = ExtendedAmiKind


def written(plan: ImagePlan) -> Any:
    """The record that the plan writes."""
    return parsed(plan.record[BUILD])


def case(pace, **more):
    key = ObjectKey("ExtendedAMI", "science", "atmos")
    short = {"t": Refusal(Refused.CAPACITY, "no capacity")}
    observed = Observed(
        key=key, uid="uid", record=RECORD, mark="x", base=None, pace=pace, refused=short
    )
    return Case(desired=desired(), observed=observed, record=replace(RECORD, **more), now=NOW)


@pytest.mark.parametrize("pace", [1.0, 0.25])
def test_the_pause_before_another_attempt_is_scaled(pace):
    failure = written(failed(case(pace), "build", "it has failed")).failure
    assert failure.again.since(NOW) == pace * 60


@pytest.mark.parametrize("pace", [1.0, 0.25])
def test_the_pause_after_all_offers_is_scaled(pace):
    plan = launch(case(pace), NOTHING, reason=image_reasons.IMAGE_BUILDING, step="build", note=None)
    assert written(plan).pause.since(NOW) == pace * 300


@pytest.mark.parametrize(("hours", "over"), [(5, False), (7, True)])
def test_a_builder_of_which_no_image_can_be_made_is_not_kept_for_ever(hours, over):
    since = NOW.plus(-hours * 3600)
    waits = case(1.0, stage=Stage.IMAGE, since=since)
    stopped = Machine(id="i-1", role="builder", token="t", state="stopped")
    waits = replace(waits, observed=replace(waits.observed, machines=(stopped,)))
    plan = plan_imaging(waits)
    assert [each.action.operation for each in plan.steps] == ([] if over else ["CreateImage"])
    if over:
        assert written(plan).stage is Stage.FAILED


class Recorder:
    """An observer that notes for what it looks."""

    def __init__(self):
        self.seen = []

    async def observe(self, resource, owner, scope, wanted, *, fresh):
        del resource, owner, scope, fresh
        self.seen.append(wanted)


async def test_what_a_turn_wants_is_for_the_look_of_that_turn_and_is_kept_no_longer():
    recorder, it = Recorder(), image()
    kind = KIND(observer=recorder, actor=NOTHING, cluster_id="test", find={it.key: it}.get)
    owner = Owner("test", it.key, it.uid)
    wanted = kind.desired(it, Targets("n", ACCOUNT, REGION, {}), owner)
    for _ in range(2):
        await kind.observe(it, None, None, fresh=False)
    assert recorder.seen == [wanted, None]
