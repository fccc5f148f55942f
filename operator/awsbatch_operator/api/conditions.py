"""From a verdict on an object to its conditions: one table for all kinds.

`metav1.Condition` with observedGeneration on each; Stalled and Reconciling exclude each other;
lastTransitionTime changes only when the status of the condition flips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.instant import Instant

MESSAGE_LIMIT = 2048  # characters; metav1.Condition allows 32768, a person reads less


class Situation(Enum):
    """The rows of the table."""

    WORKING = "Working"
    READY = "Ready"
    STALLED = "Stalled"
    SUSPENDED = "Suspended"  # a BatchJob that is held
    COMPLETE = "Complete"  # a BatchJob that succeeded
    FAILED = "Failed"  # a BatchJob that failed
    DELETING = "Deleting"
    DELETION_BLOCKED = "DeletionBlocked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an object stands: the row of the table, with its reason and its message."""

    situation: Situation
    reason: str
    message: str


_STATES: Mapping[Situation, Mapping[str, str]] = {
    Situation.WORKING: {"Reconciling": "True", "Stalled": "False"},
    Situation.READY: {"Reconciling": "False", "Stalled": "False"},
    Situation.STALLED: {"Reconciling": "False", "Stalled": "True"},
    Situation.SUSPENDED: {"Suspended": "True", "Reconciling": "False", "Stalled": "False"},
    Situation.COMPLETE: {"Complete": "True", "Reconciling": "False", "Stalled": "False"},
    Situation.FAILED: {"Failed": "True", "Reconciling": "False", "Stalled": "True"},
    Situation.DELETING: {"Reconciling": "True", "Stalled": "False"},
    Situation.DELETION_BLOCKED: {
        "DeletionBlocked": "True",
        "Reconciling": "True",
        "Stalled": "False",
    },
}
# Shown as False once they have been True; never written before.
_SHOWN_AFTERWARDS = ("Suspended", "DeletionBlocked", "Paused")


def conditions(
    previous: Sequence[Mapping[str, object]],
    verdict: Verdict,
    *,
    generation: int,
    now: Instant,
    bounded: bool = False,
    paused: bool = False,
) -> list[dict[str, object]]:
    """All conditions of an object.

    `bounded` kinds (BatchJob) have no Ready condition. A `paused` object keeps its Ready value,
    whatever the verdict says, and carries Paused.
    """
    before = {str(condition["type"]): condition for condition in previous}
    wanted = dict(_STATES[verdict.situation])
    if not bounded:
        wanted["Ready"] = "True" if verdict.situation is Situation.READY else "False"
    if paused:
        wanted["Paused"] = "True"
    for name in _SHOWN_AFTERWARDS:
        if name in before:
            wanted.setdefault(name, "False")
    made = []
    for name in sorted(wanted):
        keeps = paused and name != "Paused" and name in before
        reason, message = verdict.reason, verdict.message
        if name == "Paused":
            reason, message = _paused_words(wanted[name])
        elif keeps:
            wanted[name] = str(before[name]["status"])
            reason, message = str(before[name]["reason"]), str(before[name]["message"])
        made.append(
            {
                "type": name,
                "status": wanted[name],
                "observedGeneration": generation,
                "lastTransitionTime": _transition(before.get(name), wanted[name], now),
                "reason": reason,
                "message": message[:MESSAGE_LIMIT],
            }
        )
    return made


def _paused_words(status: str) -> tuple[str, str]:
    if status == "True":
        return (
            "PausedByAnnotation",
            (
                "Nothing is changed in AWS while the annotation awsbatch.dev/paused is 'true'. "
                "Remove it to go on."
            ),
        )
    return "Resumed", "The annotation awsbatch.dev/paused is gone."


def _transition(previous: Mapping[str, object] | None, status: str, now: Instant) -> str:
    if previous is not None and previous.get("status") == status:
        return str(previous["lastTransitionTime"])
    return now.rfc3339()
