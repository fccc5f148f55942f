"""Which names an object has in AWS while an environment is replaced (pure).

Each change of the record is all that its turn does; the next look is by the new names.
"""

from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.computeenvironment.changes import compare
from awsbatch_operator.kinds.computeenvironment.instances import OwnPlan
from awsbatch_operator.kinds.computeenvironment.replacing_bounds import (
    Replacement,
    blocked,
    may_serve,
)
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS

AT_ONCE_SECONDS = 0.01

Named = tuple[ScopeRecord, tuple[Finding, ...]]


def names_first(it: Replacement) -> OwnPlan | None:
    """The plan that changes the record; None if it is right."""
    recorded, notes = _let_go(it, _found(it))
    if recorded == it.recorded and _may_promote(it):
        words = (
            f"{recorded.successor} is VALID and serves from now on. In each job queue it takes the "
            f"place of {recorded.serving}, which is removed once no job runs in it."
        )
        recorded, notes = recorded.promoted(), (Finding(reasons.PROMOTED, words),)
    if recorded == it.recorded:
        return None
    gone = {*it.recorded.names} - {*recorded.predecessors, recorded.successor}
    replacing = it.desired.replacing.without(*gone)
    return Plan(
        findings=notes,
        recorded=recorded,
        record={} if replacing == it.desired.replacing else replacing.record(),
        look_again_seconds=AT_ONCE_SECONDS,
    )


def _found(it: Replacement) -> ScopeRecord:
    """With what AWS has of the object and the record, lost or put back, does not say.

    Of an earlier object of the same name (a cluster that was built anew from Git has no records)
    the environment that served is taken over. Its others are left alone: by their tags alone
    nothing is removed.
    """
    recorded, around = it.recorded, it.around
    known = (*around.strays, *around.remade)
    if known and not it.observed.present and not (recorded.successor or recorded.predecessors):
        recorded = recorded.serving_as(known[0])
    for name in around.strays:
        if name not in recorded.names:
            recorded = recorded.finding(name)
    return recorded


def _let_go(it: Replacement, recorded: ScopeRecord) -> Named:
    """Without what AWS has no more, or what is not the object's any more."""
    notes: tuple[Finding, ...] = ()
    for name in it.recorded.predecessors:
        if name in it.around.others:
            continue
        recorded = recorded.without(name)
        there = name in it.around.foreign
        what = "stays in AWS and is nobody's here any more" if there else "is gone from AWS"
        words = f"{name} {what}; {recorded.serving} has taken its place."
        notes = (*notes, Finding(reasons.REPLACED, words))
    name = it.recorded.successor
    if name and (name in it.around.foreign or _is_over(it)):
        recorded = recorded.without(name)
        words = f"{name} does not take the place of {recorded.serving}, which goes on serving."
        notes = (*notes, Finding(reasons.WITHDRAWN, words))
    return recorded, notes


def _is_over(it: Replacement) -> bool:
    """Whether the successor is not wanted, and no call that makes it can still come to light."""
    if it.makes or it.successor is not None:
        return False
    since = it.desired.replacing.unwanted
    return since is not None and it.now.since(since) >= APPEARING_SECONDS


def _may_promote(it: Replacement) -> bool:
    """Whether the new one is as the spec says, and every queue will have it."""
    new = it.successor
    if new is None or not it.makes or new.status != "VALID":
        return False
    if not may_serve(it, new, compare(it.renamed, new)):
        return False
    return blocked(it.desired, it.observed, it.around) is None
