"""What to do next about a scheduling policy, which AWS changes at once (pure)."""

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.lasting import (
    NOTHING_SHOWN,
    ApiCall,
    LastingRemoval,
    NoLongerDiffers,
    Vanishes,
    change_note,
    creation,
    when_absent,
)
from awsbatch_operator.kinds.queues import in_use
from awsbatch_operator.kinds.schedulingpolicy.desired import Desired
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed
from awsbatch_operator.kinds.tagging import tag_record, tag_steps
from awsbatch_operator.kinds.terms import only_told
from awsbatch_operator.schema.canonical import differences


def plan_policy(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards a policy as specified."""
    del now
    if observed is None:
        return _create(desired)
    found = differences_of(desired, observed)
    if desired.terms.reports:
        return only_told(found, desired.tags, observed.tags)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    if found:
        # The whole policy is replaced; shares that have left the spec only by an empty one.
        content = desired.content or {"fairsharePolicy": {}}
        update = ApiCall("UpdateSchedulingPolicy", {"arn": observed.arn, **content})
        note = change_note(found, reached=desired.reached)
        expects = NoLongerDiffers(desired, found, differences_of)
        steps = (*steps, Step(update, note=note, expects=expects))
    return Plan(steps=steps, record=tag_record(desired.tags, observed.tags))


def plan_removal(removal: LastingRemoval, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """Deleted once no queue uses it."""
    if observed is None:
        return when_absent(removal, now)
    if observed.queues:
        finding = in_use(
            removal,
            now,
            observed.queues,
            words="Job queues still use this scheduling policy: {}.",
            remedy="Delete the queues, or give them another schedulingPolicyRef; in AWS, where no "
            "JobQueue has them any more. Or set spec.deletionPolicy to Retain, and AWS keeps the "
            "policy.",
        )
        return Plan(findings=(finding,))
    delete = ApiCall("DeleteSchedulingPolicy", {"arn": observed.arn})
    because = "No queue uses it any more, but AWS does not delete it yet:"
    return Plan(steps=(Step(delete, expects=Vanishes(), because=because),))


def differences_of(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """Paths of what differs between the spec and AWS."""
    return tuple(differences(desired.content, observed.content))


def _create(desired: Desired) -> Plan[ApiCall]:
    kept_back = desired.terms.nothing_made(f"scheduling policy {desired.name}")
    if kept_back is not None:
        return kept_back
    request = {**desired.content, "name": desired.name, "tags": desired.tags.all}
    words = f"Created the scheduling policy {desired.name}."
    step = creation("CreateSchedulingPolicy", request, words=words, reached=desired.reached)
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=NOTHING_SHOWN)
