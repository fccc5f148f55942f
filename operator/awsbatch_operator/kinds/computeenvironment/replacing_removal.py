"""The deletion of an object while its environment is replaced: all of its names go (pure).

The environment that serves goes as any other does. Its successor and its predecessors go beside it,
each in a lane of its own and as in a replacement: jobs that run in them are waited for. With
`deletionPolicy: Retain` AWS stays as it is, all of them included.
"""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.computeenvironment.instances import EnvironmentCall
from awsbatch_operator.kinds.computeenvironment.observed import Around, Observed
from awsbatch_operator.kinds.computeenvironment.removal import (
    EnvironmentRemoval,
    in_queues,
    left_now,
    plan_removal,
)
from awsbatch_operator.kinds.computeenvironment.replacing_record import Replacing
from awsbatch_operator.kinds.computeenvironment.retiring import (
    Part,
    Retirement,
    retire,
    together,
)
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS, at_work
from awsbatch_operator.kinds.queues import uses


def plan_whole_removal(
    removal: EnvironmentRemoval, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """The plan for the environment that serves, and for each other one of the object."""
    before, removal = (
        removal.replacing,
        replace(removal, replacing=left_now(removal, observed, now)),
    )
    own = plan_removal(removal, observed, now)
    if removal.replacing != before:
        own = replace(own, record={**own.record, **removal.replacing.record()})
    around = None if observed is None else observed.around
    if around is None or removal.retained:
        return own
    recorded = removal.recorded
    for name in around.strays:  # found by their tags: they are to go as well
        recorded = None if recorded is None else recorded.finding(name)
    if around.strays:
        return Plan(recorded=recorded)
    if observed is not None and observed.queues and not own.steps and not own.released:
        return own  # what is used by queues stays enabled for their jobs, whichever it is
    plans: list[Plan[Any]] = [own]
    replacing = removal.replacing
    for name in around.others:
        plan, replacing = _goes(removal, name, around, replacing, now)
        plans.append(plan)
    finding = _settling(removal, around, now)
    plans.append(Plan(findings=finding))
    record = {} if replacing == removal.replacing else replacing.record()
    whole = together(*plans, Plan(record=record))
    return replace(whole, released=own.released and not around.others and not finding)


def _goes(
    removal: EnvironmentRemoval, name: str, around: Around, replacing: Replacing, now: Instant
) -> Part:
    """The next step of one that does not serve: it goes because its object does, and nothing else.

    So what holds it up is said in the words of a deletion. Of a replacement, and of what would let
    it go on, whoever has deleted the object does not want to hear.
    """
    environment = around.others[name]
    queues = uses(around.using(environment.arn), environment.arn)
    if environment.at_work:
        return Plan(findings=at_work(environment)), replacing
    if queues:
        return Plan(findings=(in_queues(removal, queues, now, name=name),)), replacing
    it = Retirement(
        name=name,
        environment=environment,
        queues=(),
        role=removal.service_role,
        drain_seconds=removal.drain_seconds,
    )
    return retire(it, replacing, now)


def _settling(removal: EnvironmentRemoval, around: Around, now: Instant) -> tuple[Finding, ...]:
    """A successor that AWS does not show may still come to light, if it was to be made just now."""
    successor = removal.recorded.successor if removal.recorded is not None else ""
    age = now.since(removal.called)
    if not successor or successor in around.others or age >= APPEARING_SECONDS:
        return ()
    words = f"{successor} may have been created just before the deletion; it is looked for again."
    seconds = APPEARING_SECONDS - age
    return (Finding(catalogue.SETTLING, words, look_again_seconds=seconds),)
