"""Which events are worth telling: what was done, and each change of how the object stands, once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Protocol

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import (
    DRIFTED,
    TTL_IGNORED,
    ExtraCondition,
    Situation,
    Verdict,
    condition,
)
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.metadata import Resource

REMEMBERED = 2048  # notes told without an action, so that they are not told at every look

_CONDITION_OF: Mapping[Situation, str] = {
    Situation.READY: "Ready",
    Situation.STALLED: "Stalled",
    Situation.COMPLETE: "Complete",
    Situation.FAILED: "Failed",
    Situation.SUSPENDED: "Suspended",
    Situation.DELETION_BLOCKED: "DeletionBlocked",
}
_WARNINGS = frozenset({Situation.STALLED, Situation.FAILED, Situation.DELETION_BLOCKED})
# Passing trouble that a person who looks on would want to know of; progress is not told.
_TROUBLE = frozenset(
    reason.name
    for reason in (catalogue.THROTTLED, catalogue.AWS_UNAVAILABLE, catalogue.OUTCOME_UNKNOWN)
)


class EventSink(Protocol):
    """Writes events: never raises, never waits, repeats become a series."""

    def event(
        self, resource: Resource, *, reason: str, message: str, warning: bool, action: str
    ) -> None: ...


class Narrator:
    """Turns findings and verdicts into events."""

    def __init__(self, recorder: EventSink) -> None:
        self._recorder = recorder
        self._told: OrderedDict[tuple[str, int, str, str], None] = OrderedDict()

    def done(self, resource: Resource, findings: Iterable[Finding]) -> None:
        """The actions that these notes are about have succeeded."""
        for finding in findings:
            if finding.severity is Severity.NOTE:
                self._note(resource, finding)

    def noted(self, resource: Resource, findings: Iterable[Finding]) -> None:
        """Notes that go with no action: told once for each generation of the object."""
        for finding in findings:
            if finding.severity is not Severity.NOTE:
                continue
            text = finding.text()
            told = (resource.uid, resource.generation, finding.reason.name, text)
            if told in self._told:
                continue
            self._told[told] = None
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            self._note(resource, finding)

    def judged(self, before: Resource, verdict: Verdict) -> None:
        """The verdict stands in the status now; told if it differs from what stood there."""
        name = _CONDITION_OF.get(verdict.situation)
        if name is None:
            if verdict.reason not in _TROUBLE:
                return
            name = "Reconciling"
        shown = condition(before.status, name)
        same = shown and shown["status"] == "True" and shown["reason"] == verdict.reason
        if shown and same and not _refused_anew(before, shown, verdict):
            return
        warning = verdict.situation in _WARNINGS or verdict.reason in _TROUBLE
        self._tell(before, verdict.reason, verdict.message, warning=warning)

    def drifted(self, before: Resource, extra: Iterable[ExtraCondition]) -> None:
        """A drift that is only reported, or a ttl that is not applied, stands in the status now.

        It is told once for what it says.
        """
        for own in extra:
            if own.type not in {DRIFTED, TTL_IGNORED}:
                continue
            shown = condition(before.status, own.type) or {}
            if shown.get("status") != "True" or shown["message"] != own.message:
                self._tell(before, own.reason, own.message, warning=True)

    def _note(self, resource: Resource, finding: Finding) -> None:
        reason = finding.reason
        self._tell(resource, reason.name, finding.text(), warning=reason.warning)

    def _tell(self, resource: Resource, reason: str, message: str, *, warning: bool) -> None:
        action = "Delete" if resource.deleting else "Reconcile"
        self._recorder.event(
            resource, reason=reason, message=message, warning=warning, action=action
        )


def _refused_anew(before: Resource, shown: Mapping[str, object], verdict: Verdict) -> bool:
    """Whether an edit was met with other words: who has mended one thing must hear of the next.

    Other words alone are no news: some change with every look.
    """
    return (
        verdict.situation is Situation.STALLED
        and shown.get("observedGeneration") != before.generation
        and shown["message"] != verdict.message
    )
