"""What is done about a build while a gate holds back what is new (pure).

A builder ends itself at its limit, and a stopped one waits, so that a gate which opens again soon
has cost nothing. One that stays shut must not: after some hours instances are ended, and the
attempt begins anew when the gate opens.
"""

from dataclasses import dataclass

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.contract import Following
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.expectations import Ended
from awsbatch_operator.kinds.extendedami.observed import Observed
from awsbatch_operator.kinds.extendedami.requests import terminate

HELD_SECONDS = 6 * 3600.0
HELD_LOOK_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class HeldBuild(Following):
    """A build is recorded, and instances of it may be there."""


def plan_held(held: HeldBuild, observed: Observed | None, now: Instant) -> ImagePlan:
    """Nothing, until what is there has cost for long enough."""
    record = None if observed is None else observed.record
    launch = None if record is None else record.launch
    plan: ImagePlan = Plan(findings=held.findings, look_again_seconds=HELD_LOOK_SECONDS)
    if observed is None or launch is None or not held.may_change:
        return plan
    ids = tuple(sorted(each.id for each in observed.machines if each.costs))
    if not ids or now.since(launch.time) < HELD_SECONDS:
        return plan
    step = Step(terminate(ids), lane="clean", expects=Ended(ids))
    return Plan(steps=(step,), findings=held.findings, look_again_seconds=HELD_LOOK_SECONDS)
