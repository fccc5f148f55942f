"""What a ComputeEnvironment shows of AWS (pure)."""

from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare, left_words
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    has_capacity,
    not_guaranteed,
    shown_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import is_made_anew
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.spec import ComputeEnvironmentStatus
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import absent, starting
from awsbatch_operator.schema.fit import fitted

_OF_AWS = ("arn", "state", "awsStatus", "statusReason", "ecsClusterArn", "vCPUs")
_FIELDS_SHOWN = 100  # the CRD's limit
_ANEW = "The environment is INVALID and no queue uses it: it is deleted and created anew."
_WHY: dict[Change, str] = {
    Change.NONE: "AWS is as the spec says.",
    Change.SCALING: "AWS changes these fields in place.",
    Change.INFRASTRUCTURE: "AWS would exchange the instances: role and strategy allow it.",
    Change.REPLACEMENT: (
        "AWS cannot change these fields of this environment: its role, its strategy or the fields "
        "themselves rule it out."
    ),
}


def environment_status(
    resource: Resource, seen: Seen[Desired, Observed, EnvironmentCall]
) -> KindStatus:
    """The kind's fields and its verdict."""
    before, observed = starting(resource), seen.observed
    if observed is None and seen.plan is not None and not resource.deleting:
        return absent(resource, *_OF_AWS)
    if observed is None:
        return before
    fields = _observed_fields(observed) if observed.present else dict(before.fields)
    fields |= _instances(resource, seen)
    if isinstance(seen.desired, Removal) or seen.desired is None:
        words = "The compute environment is being removed from AWS."
        verdict = Verdict(Situation.DELETING, catalogue.DELETING.name, words)
        return KindStatus(fields, verdict if resource.deleting else before.verdict)
    fields |= {"plan": shown_plan(seen.desired, observed)}
    return KindStatus(fields, _verdict(seen.desired, observed), extra=not_guaranteed(seen.plan))


def _instances(
    resource: Resource, seen: Seen[Desired, Observed, EnvironmentCall]
) -> dict[str, Any]:
    """`capacity`; as it was if this turn had no plan for it."""
    shown = shown_capacity(seen.plan)
    if shown is None:
        kept = seen.plan is None or has_capacity(resource)
        shown = resource.status.get("capacity") if kept else None
    return {} if shown is None else fitted(ComputeEnvironmentStatus, {"capacity": shown})


def _observed_fields(observed: Observed) -> dict[str, Any]:
    resources = observed.content.get("computeResources") or {}
    counts = {
        shown: resources[name]
        for shown, name in (("min", "minvCpus"), ("desired", "desiredvCpus"), ("max", "maxvCpus"))
        if resources.get(name) is not None
    }
    fields = {
        "arn": observed.arn,
        "state": observed.state,
        "awsStatus": observed.status,
        "statusReason": observed.reason or None,
        "ecsClusterArn": observed.detail.get("ecsClusterArn"),
        "vCPUs": counts or None,
    }
    return fitted(ComputeEnvironmentStatus, fields)


def shown_plan(desired: Desired, observed: Observed) -> dict[str, Any]:
    """What changes in AWS, or waits for a person."""
    found = compare(desired, observed)
    shown: dict[str, Any] = {"action": found.change.value, "reason": _WHY[found.change]}
    if is_made_anew(desired, observed, found):
        shown = {"action": Change.REPLACEMENT.value, "reason": _ANEW}
    if found.fields:
        shown["fields"] = list(found.fields[:_FIELDS_SHOWN])
    return shown


def _verdict(desired: Desired, observed: Observed) -> Verdict:
    """When nothing stands in the way: VALID."""
    reason, words = catalogue.READY, "The compute environment is VALID and ENABLED."
    if observed.state == "DISABLED":
        reason = catalogue.DISABLED
        words = (
            "The compute environment is disabled, as the spec says: no job starts in it. "
            "Set spec.state to ENABLED to use it."
        )
    left = left_words(observed, compare(desired, observed))
    if left:
        words = " ".join((words, *left, catalogue.LEFT_AS_IT_IS.remedy))
    return Verdict(Situation.READY, reason.name, words)
