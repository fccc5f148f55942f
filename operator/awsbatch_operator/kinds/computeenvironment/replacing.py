"""A new environment in the place of one that AWS cannot change (pure).

                 begin: the name of the successor is recorded, then it is created
      SERVES ───────────────────────────────────────────────────► old SERVES, successor CREATING
        ▲                                                                    │
        │ edited back, or refused: the successor goes                        ├─ INVALID: told; the
        │◄───────────────────────────────────────────────────────────────────┤  old one goes on
        │                                                                    │  serving
        │                                          VALID and as the spec says│
        │                      promoted: in the record the new one serves    ▼
        │  let go: the record  ◄──────────────────────────────────  new SERVES, old a predecessor:
        └─ has one name again      gone, once no job runs in it      in each queue the new one takes
                                                                     its place, then it is retired

The record (annotation `awsbatch.dev/resolved`) says which environment serves, which one is made to
follow it, and which ones are not gone yet; it is written before the step that it is about, and
nothing else decides. A process that dies before the write has done nothing; after it, its
successor finds the environment under the recorded name, or makes it; after a lost answer as well.

The old environment is in service until the new one is VALID and stands in the record, and in each
queue until the queue has the new one in its place. There is at most one successor. What is edited
while it is made is changed in it in place, or it is removed and another one made; what is edited
while a predecessor drains begins anew beside that.
"""

from enum import Enum
from typing import Any

from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.computeenvironment import invalid
from awsbatch_operator.kinds.computeenvironment.changes import Change, Differences, compare
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.observed import Around, Observed
from awsbatch_operator.kinds.computeenvironment.replacing_bounds import (
    Make,
    Replacement,
    impossible,
    what_for,
)
from awsbatch_operator.kinds.computeenvironment.replacing_names import names_first
from awsbatch_operator.kinds.computeenvironment.replacing_record import Replacing
from awsbatch_operator.kinds.computeenvironment.replacing_successor import of_successor
from awsbatch_operator.kinds.computeenvironment.retiring import Part, retire, together
from awsbatch_operator.kinds.computeenvironment.updating import in_vain

LOOK_AROUND_SECONDS = 1.0


def is_begun(desired: Desired) -> bool:
    """Whether a successor is being made, or removed."""
    return desired.recorded is not None and bool(desired.recorded.successor)


def is_needed(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether the environment that serves gives way to a new one.

    An INVALID one that no queue uses is made anew under its own name instead, and where AWS can
    exchange its instances, that is tried first. Once a successor is
    being made for what the spec says now, it goes on as long as anything differs that cannot be
    changed in place: AWS may call the old one VALID in between.
    """
    more = bool(found.beyond) or invalid.lost_for_good(observed)
    if is_begun(desired) and desired.replacing.generation == desired.generation:
        return more
    if observed.status == "INVALID":
        exchanged = found.change is Change.INFRASTRUCTURE and not in_vain(desired, observed, found)
        more = more and (not exchanged or invalid.lost_for_good(observed))
        return bool(observed.queues) and more and impossible(desired, observed, found) is None
    return found.change is Change.REPLACEMENT


def plan_replacement(
    own: Plan[Any], desired: Desired, observed: Observed, now: Instant, *, make: Make, wanted: bool
) -> Plan[Any]:
    """The plan of the environment that serves (`own`), and beside it what a replacement takes."""
    recorded, around = desired.recorded, observed.around
    found = compare(desired, observed) if observed.present else None
    if recorded is None or (not wanted and around is None):
        return own
    if around is None:
        return together(own, Plan(findings=(_unlooked(desired, observed, found),)))
    it = Replacement(
        desired=desired,
        observed=observed,
        found=found,
        recorded=recorded,
        around=around,
        now=now,
        make=make,
        wanted=wanted,
    )
    return names_first(it) or _beside(own, it)


def _unlooked(desired: Desired, observed: Observed, found: Differences | None) -> Finding:
    """Queues and other environments were not looked at yet.

    The next turn does that, because of the plan that the status shows then.
    """
    words = f"A new environment is to replace {desired.name}. {what_for(observed, found)}"
    begins = Finding(reasons.REPLACING, words, look_again_seconds=LOOK_AROUND_SECONDS)
    return impossible(desired, observed, found) or begins


def _beside(own: Plan[Any], it: Replacement) -> Plan[Any]:
    """The steps of the successor and of each predecessor, in lanes of their own."""
    before = it.desired.replacing
    coming, replacing = of_successor(it, before)
    going, replacing = _of_predecessors(it, replacing)
    shown = _shown(it, coming.recorded or it.recorded)
    record = {} if replacing == before else replacing.record()
    announce = {} if shown is None else {"replacement": shown}
    return together(own, coming, going, Plan(record=record, announce=announce))


def _of_predecessors(it: Replacement, replacing: Replacing) -> Part:
    plans = []
    for name in it.recorded.predecessors:
        plan, replacing = retire(it.retirement(name), replacing, it.now)
        plans.append(plan)
    return together(*plans), replacing


class Stage(Enum):
    """`status.replacement.step`."""

    CREATING = "Creating"  # the new one is made; the old one serves
    WITHDRAWING = "Withdrawing"  # the new one is not wanted any more, and removed
    SWAPPING = "Swapping"  # the new one serves; queues have the old one still
    DRAINING = "Draining"  # no queue has the old one, and jobs may run in it
    DELETING = "Deleting"  # AWS removes the old one


def _shown(it: Replacement, recorded: ScopeRecord) -> dict[str, Any] | None:
    """`status.replacement`: of the successor, else of the oldest predecessor."""
    if recorded.successor:
        old = it.observed if it.observed.present else None
        stage = Stage.CREATING if it.makes else Stage.WITHDRAWING
        return _body(stage, recorded.serving, recorded.successor, old, it.around)
    if not recorded.predecessors:
        return None
    name = recorded.predecessors[0]
    old = it.around.others[name]
    stage = Stage.DRAINING
    if it.around.using(old.arn):
        stage = Stage.SWAPPING
    elif old.status == "DELETING":
        stage = Stage.DELETING
    return _body(stage, name, recorded.serving, old, it.around)


def _body(
    stage: Stage, old: str, new: str, environment: Observed | None, around: Around
) -> dict[str, Any]:
    shown: dict[str, Any] = {"step": stage.value, "from": old, "to": new}
    if environment is None:
        return shown
    queues = sorted(str(queue["jobQueueName"]) for queue in around.using(environment.arn))
    if queues:
        shown["queues"] = queues
    if environment.tasks is not None:
        shown["runningJobs"] = environment.tasks
    return shown
