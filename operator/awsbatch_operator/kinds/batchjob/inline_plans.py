"""What the definition in a job adds to its plans: it is registered first, and ended last.

A run's record names the definition before that is registered, so a process that dies in between
leaves nothing behind that nobody knows of. Where a record is about to name another one, the one
before goes into the annotation `awsbatch.dev/definitions` with the same write, until it was looked
after: deregistered, or found to be needed by other jobs.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.batchjob.actions import Action, Deregister, Register, Submit
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.inline import Inline, Place, letting_go, places_in
from awsbatch_operator.kinds.batchjob.inline_looks import JobRemoval
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.contract import Removal

SOON_SECONDS = 1.0
LATE_SECONDS = 5.0  # between looks for what AWS may list late


def with_definitions(
    plan: Plan[Action], desired: Desired, observed: Observed | None, known: InlineDefinitions
) -> Plan[Action]:
    """The plan of a job, with what the definitions ask for that it has been recorded with."""
    named = _named_after(plan, observed)
    before = frozenset() if observed is None else _named_in(observed.submission.definition)
    owed = (desired.let_go | before) - named
    return _looked_after(plan, desired, owed, known) if owed or desired.let_go else plan


def with_last_definitions(
    plan: Plan[Action], removal: Removal, known: InlineDefinitions
) -> Plan[Action]:
    """The plan of a deletion: not released before the definitions that nobody else needs are gone.

    AWS runs nothing of the job by then, so none of its attempts needs them.
    """
    if not isinstance(removal, JobRemoval) or not removal.definitions:
        return plan
    key = removal.owner.key
    known.users.leaves(key, leaving=plan.released)
    if not plan.released:
        return plan
    steps, waits = _ended(removal.definitions, key, known)
    if not steps and not waits:
        return plan
    return replace(
        plan,
        steps=(*plan.steps, *steps),
        findings=(*plan.findings, *waits),
        released=False,
        look_again_seconds=SOON_SECONDS,
    )


def registered_first(
    plan: Plan[Action], desired: Desired, known: InlineDefinitions
) -> Plan[Action]:
    """The plan, whose submission waits until AWS has the definition in the job."""
    inline = desired.inline
    if inline is None or not any(isinstance(step.action, Submit) for step in plan.steps):
        return plan
    standing = known.standing(Place(desired.account_id, desired.region, inline.name))
    if standing.waits is not None:
        others = tuple(step for step in plan.steps if not isinstance(step.action, Submit))
        return replace(plan, steps=others, findings=(*plan.findings, standing.waits))
    steps: list[Step[Action]] = []
    for step in plan.steps:
        if not isinstance(step.action, Submit):
            steps.append(step)
            continue
        if not standing.arn:
            steps.append(_register(step, step.action, inline))
        steps.append(replace(step, action=_by_name(step.action, desired)))
    return replace(plan, steps=tuple(steps))


def _by_name(action: Submit, desired: Desired) -> Submit:
    """With no revision: which one AWS has is known when it is sent."""
    return replace(action, request={**action.request, "jobDefinition": desired.definition})


def _register(step: Step[Action], submit: Submit, inline: Inline) -> Step[Action]:
    """Before the submission, in its lane, and with its record."""
    words = f"Registered the definition in the spec as {inline.name}."
    return Step(
        Register(submit.key, submit.submission, inline.request()),
        record=step.record,
        lane=step.lane,
        note=Finding(catalogue.REGISTERED, words),
    )


def _named_after(plan: Plan[Action], observed: Observed | None) -> frozenset[Place]:
    """What the record of the newest run names once the plan's records are written."""
    records = (plan.record, *(step.record for step in plan.steps))
    texts = [record[SUBMISSION] for record in records if SUBMISSION in record]
    if not texts and observed is not None:
        texts = [observed.submission.definition]
    return frozenset(place for text in texts for place in places_in(text))


def _named_in(definition: str) -> frozenset[Place]:
    return frozenset(places_in(definition))


def _looked_after(
    plan: Plan[Action], desired: Desired, owed: frozenset[Place], known: InlineDefinitions
) -> Plan[Action]:
    """Deregister what nobody needs; of the rest nothing is kept in mind any more.

    Not what is to be recorded only now, nor what the next run is about to be submitted with.
    """
    key = desired.owner.key
    kept = (owed - desired.let_go) | (owed & _named_in(desired.definition))
    steps, waits = _ended(owed - kept, key, known)
    left = kept | {place for place in owed - kept if _is_left(place, key, known)}
    plan = replace(plan, steps=(*plan.steps, *steps))
    if waits:
        looks = (plan.look_again_seconds, *(each.again for each in waits))
        soonest = min(look for look in looks if look is not None)
        plan = replace(plan, look_again_seconds=soonest)
    if left == desired.let_go:
        return plan
    return _with_record(plan, letting_go(left, desired.definition or desired.queue))


def _with_record(plan: Plan[Action], record: Mapping[str, str]) -> Plan[Action]:
    """Written together with the record of the run, wherever that stands."""
    steps = tuple(
        replace(step, record={**step.record, **record}) if SUBMISSION in step.record else step
        for step in plan.steps
    )
    return replace(plan, steps=steps, record={**plan.record, **record})


def _is_left(place: Place, key: ObjectKey, known: InlineDefinitions) -> bool:
    return not known.is_gone(place) and not known.users.need(place, key)


def _ended(
    places: Collection[Place], key: ObjectKey, known: InlineDefinitions
) -> tuple[tuple[Step[Action], ...], tuple[Finding, ...]]:
    """The deregistrations of those that no other job needs; what still has to be waited for."""
    steps: list[Step[Action]] = []
    waits: list[Finding] = []
    for place in sorted(places, key=lambda each: each.key):
        if not _is_left(place, key, known):
            continue
        revisions = known.revisions(place)
        if revisions:
            steps += [_deregister(key, place, each.arn, each.number) for each in revisions]
        elif revisions is None or known.is_in_doubt(place):
            waits.append(_late(place))
    return tuple(steps), tuple(waits)


def _late(place: Place) -> Finding:
    return Finding(
        catalogue.SETTLING,
        f"Whether AWS has the definition {place.name} is not known yet; it is looked for again.",
        look_again_seconds=LATE_SECONDS,
    )


def _deregister(key: ObjectKey, place: Place, arn: str, number: int) -> Step[Action]:
    """Jobs that run keep running."""
    words = f"Deregistered revision {number} of {place.name}: no job needs it any more."
    return Step(Deregister(key, arn), lane=arn, note=Finding(catalogue.DEREGISTERED, words))
