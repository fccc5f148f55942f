"""What is said of a drift that is only reported: the condition Drifted (pure)."""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api import catalogue, ownership_reasons
from awsbatch_operator.api.conditions import (
    DRIFTED,
    ExtraCondition,
    Situation,
    Verdict,
    condition,
)
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.contract import KindStatus
from awsbatch_operator.kinds.terms import terms_of

FIELDS_NAMED = 20  # of those that differ

_READY_ALL_THE_SAME = "AWS has it, and differs from the spec: the condition Drifted says in what."


def with_drift(resource: Resource, shown: KindStatus, plan: Plan[Any] | None) -> KindStatus:
    """What the kind shows, and beside it the drift. Ready stays as it is.

    A turn that did not come to compare (a gate ended it, or AWS is at work) knows nothing newer.
    """
    if resource.deleting or not terms_of(resource).reports:
        return shown
    fields = None if plan is None else plan.drift
    told = _told_before(resource) if fields is None else _told(fields)
    if told is None:
        return shown
    verdict = shown.verdict
    if verdict.situation is Situation.READY:
        verdict = Verdict(Situation.READY, catalogue.READY.name, _READY_ALL_THE_SAME)
    return replace(shown, verdict=verdict, extra=(*shown.extra, told))


def _told(fields: tuple[str, ...]) -> ExtraCondition | None:
    if not fields:
        return None
    rest = len(fields) - FIELDS_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    words = f"AWS differs from the spec in {', '.join(fields[:FIELDS_NAMED])}{more}."
    finding = Finding(ownership_reasons.DRIFTED, words)
    return ExtraCondition(DRIFTED, holds=True, reason=finding.reason.name, message=finding.text())


def _told_before(resource: Resource) -> ExtraCondition | None:
    before = condition(resource.status, DRIFTED)
    if before is None or before["status"] != "True":
        return None
    reason, message = str(before["reason"]), str(before["message"])
    return ExtraCondition(DRIFTED, holds=True, reason=reason, message=message)
