"""What a ComputeEnvironment shows of AWS (pure)."""

from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare, left_words
from awsbatch_operator.kinds.computeenvironment.desired import Desired, settled
from awsbatch_operator.kinds.computeenvironment.following import acted_upon
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    has_capacity,
    not_guaranteed,
    shown_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import is_made_anew
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.replacing import is_needed
from awsbatch_operator.kinds.computeenvironment.spec import ComputeEnvironmentStatus
from awsbatch_operator.kinds.computeenvironment.updating import why
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import absent, starting
from awsbatch_operator.schema.fit import fitted

_OF_AWS = ("arn", "state", "awsStatus", "statusReason", "ecsClusterArn", "vCPUs")
_FIELDS_SHOWN = 100  # the CRD's limit
_ANEW = "The environment is INVALID and no queue uses it: it is deleted and created anew."
_ONLY_TOLD = "These fields were changed elsewhere, and driftPolicy is Report: nothing is changed."
_WHY: dict[Change, str] = {
    Change.NONE: "AWS is as the spec says.",
    Change.SCALING: "AWS changes these fields in place.",
    Change.REPLACEMENT: (
        "AWS cannot change these fields of this environment: its role, its strategy or the fields "
        "themselves rule it out."
    ),
}
_BESIDE = "AWS cannot change this environment so: a new one takes its place, if nothing forbids it."
_LEFT = "The new environment serves; the old one is removed when no job runs in it any more."


def environment_status(
    resource: Resource, seen: Seen[Desired, Observed, EnvironmentCall]
) -> KindStatus:
    """The kind's fields and its verdict."""
    before, observed = starting(resource), seen.observed
    gone = observed is None or not observed.present
    if gone and seen.plan is not None and not resource.deleting:
        without = absent(resource, *_OF_AWS, "replacement")
        return KindStatus({**without.fields, **_replacement(resource, seen)}, without.verdict)
    if observed is None:
        return before
    fields = _observed_fields(observed) if observed.present else dict(before.fields)
    fields |= _instances(resource, seen) | _replacement(resource, seen)
    if isinstance(seen.desired, Removal) or seen.desired is None:
        words = "The compute environment is being removed from AWS."
        verdict = Verdict(Situation.DELETING, catalogue.DELETING.name, words)
        return KindStatus(fields, verdict if resource.deleting else before.verdict)
    if not observed.present:
        return before
    desired = settled(seen.desired, observed)
    fields |= {"plan": _plan_under_way(resource, observed) or shown_plan(desired, observed)}
    return KindStatus(fields, _verdict(desired, observed), extra=not_guaranteed(seen.plan))


def _plan_under_way(resource: Resource, observed: Observed) -> dict[str, Any] | None:
    """The announced infrastructure update, while AWS is at work on it.

    AWS shows by then what it was sent, so that nothing differs any more.
    """
    plan = resource.status.get("plan") or {}
    announced = plan.get("action") == Change.INFRASTRUCTURE.value
    return dict(plan) if announced and observed.status == "UPDATING" else None


def _replacement(
    resource: Resource, seen: Seen[Desired, Observed, EnvironmentCall]
) -> dict[str, Any]:
    """`replacement`; as it was if this turn had no plan."""
    if seen.plan is None:
        shown = resource.status.get("replacement")
    else:
        shown = seen.plan.announce.get("replacement")
    return {} if shown is None else fitted(ComputeEnvironmentStatus, {"replacement": shown})


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
    acted = acted_upon(desired, observed, found)
    infrastructure = acted.change is Change.INFRASTRUCTURE
    reason = why(desired, acted) if infrastructure else _WHY[acted.change]
    shown: dict[str, Any] = {"action": acted.change.value, "reason": reason}
    only_told = desired.terms.reports  # then it is neither made anew nor replaced for a drift
    if only_told and found.fields and not acted.fields:
        shown = {"action": Change.NONE.value, "reason": _ONLY_TOLD}
    elif not only_told and is_made_anew(desired, observed, found):
        shown = {"action": Change.REPLACEMENT.value, "reason": _ANEW}
    elif not only_told and is_needed(desired, observed, found):
        shown = {"action": Change.REPLACEMENT.value, "reason": _BESIDE}
    elif desired.recorded is not None and desired.recorded.predecessors and not found.fields:
        shown = {"action": Change.REPLACEMENT.value, "reason": _LEFT}
    if fields := acted.fields or found.fields:
        shown["fields"] = list(fields[:_FIELDS_SHOWN])
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
    if news := images.news(observed, tracked=desired.tracks_images):
        words = f"{words} {news}"
    return Verdict(Situation.READY, reason.name, words)
