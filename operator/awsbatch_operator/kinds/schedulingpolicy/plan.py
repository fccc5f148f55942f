"""What to do next about a scheduling policy, which AWS changes at once (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.queues import named
from awsbatch_operator.kinds.release import when_absent
from awsbatch_operator.kinds.schedulingpolicy.desired import Desired
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed
from awsbatch_operator.kinds.tagging import Tag, Untag, tag_actions, tag_intent
from awsbatch_operator.schema.canonical import differences


@dataclass(frozen=True, slots=True)
class Create:
    """CreateSchedulingPolicy: the name is ours, so a second call makes no second one."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """UpdateSchedulingPolicy: the whole policy is replaced."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """DeleteSchedulingPolicy, of one that no queue uses."""

    arn: str


Action = Create | Update | Delete | Tag | Untag


def plan_policy(desired: Desired, observed: Observed | None) -> Plan[Action]:
    """The next step towards a policy as specified."""
    if observed is None:
        return _create(desired)
    tags = tag_actions(observed.arn, desired.tags, observed.tags)
    stale = any(isinstance(action, Untag) for action in tags)
    actions: tuple[Action, ...] = tags
    findings: tuple[Finding, ...] = ()
    found = differences(desired.content, observed.content)
    if found:
        actions = (*tags, Update({"arn": observed.arn, **desired.content}))
        reason = catalogue.DRIFT_REPAIRED if desired.settled else catalogue.UPDATED
        findings = (Finding(reason, f"Changed in place: {', '.join(found)}."),)
    return Plan(
        actions=actions,
        findings=findings,
        intent=tag_intent(desired.tags, stale=stale),
    )


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """Deleted once no queue uses it."""
    if observed is None:
        return when_absent(removal, now)
    if observed.queues:
        finding = Finding(
            catalogue.STILL_IN_USE,
            f"Job queues still use this scheduling policy: {named(observed.queues)}.",
            "Delete the queues, or give them another schedulingPolicyRef.",
        )
        return Plan(findings=(finding,))
    return Plan(actions=(Delete(observed.arn),))


def _create(desired: Desired) -> Plan[Action]:
    request = {**desired.content, "name": desired.name, "tags": desired.tags.all}
    note = Finding(
        catalogue.DRIFT_REPAIRED if desired.settled else catalogue.CREATED,
        f"Created the scheduling policy {desired.name}.",
    )
    return Plan(
        actions=(Create(request),),
        findings=(note,),
        intent=tag_intent(desired.tags, stale=False),
    )
