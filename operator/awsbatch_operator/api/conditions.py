"""From a verdict on an object to its conditions: one table for all kinds.

`metav1.Condition` with observedGeneration on each; Stalled and Reconciling exclude each other;
lastTransitionTime changes only when the status of the condition flips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api import catalogue
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
    """How an object stands: the row of the table, with its reason and its message.

    `ran` is the generation that a job's result is of, None if that is the newest. `result` is that
    of a job which has ended although the object is STALLED for another reason, or is to run again.
    """

    situation: Situation
    reason: str
    message: str
    ran: int | None = None
    result: "Verdict | None" = None


@dataclass(frozen=True, slots=True)
class ExtraCondition:
    """A condition of a kind's own, such as DurationNotGuaranteed or Drifted.

    It stands beside Ready, Reconciling and Stalled and never replaces them.
    """

    type: str
    holds: bool
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
DRIFTED = "Drifted"  # of the lasting kinds: driftPolicy Report
TTL_IGNORED = "TTLIgnored"  # of a BatchJob that Argo CD or Flux track
MEANINGS: Mapping[str, str] = {
    "Ready": "AWS is as the spec says. BatchJobs have none: they have Complete and Failed",
    "Reconciling": "the operator or AWS is at work, or waits for what passes by itself",
    "Stalled": "a person must act; it goes on by itself when that was done",
    "DeletionBlocked": "the object is deleted, and something stands in the way: it says what",
    "Paused": "the annotation awsbatch.dev/paused holds back every change in AWS",
    "Complete": "the job has succeeded",
    "Failed": "the job has failed; the reason says why",
    "Suspended": "the job is held by spec.suspend",
    TTL_IGNORED: "ttlSecondsAfterFinished is not applied, because Argo CD or Flux would create "
    "the job again",
    DRIFTED: "AWS differs from the spec, and driftPolicy Report lets it be: it lists how",
    "DurationNotGuaranteed": "a block runs on Spot Instances, which EC2 may take back early",
}
TYPES = frozenset(MEANINGS)
"""All conditions that an object can have; a kind's own (ExtraCondition) are among them."""

# What is False says no more than that, because what is True says all: whoever reads the whole
# object would read the same words three times, and the longest are AWS's.
_FALSE: Mapping[str, str] = {
    "Ready": "It is not ready: the condition {true} says why.",
    "Reconciling": "Nothing is under way.",
    "Stalled": "It is not stalled.",
    "Suspended": "The job is not held.",
    "DeletionBlocked": "Nothing stands in the way of the deletion.",
}
_WAITS_FOR_A_PERSON = "The deletion waits: the condition {true} says why."
# The first of them that is True.
_SAYS_WHY = ("DeletionBlocked", "Suspended", "Complete", "Failed", "Stalled", "Reconciling")
# A job's result stays, whatever stands in the way of the object afterwards.
_RESULTS = ("Complete", "Failed")
_LATER = frozenset({Situation.STALLED, Situation.DELETING, Situation.DELETION_BLOCKED})
# Shown as False once they have been True; never written before.
_SHOWN_AFTERWARDS = ("Suspended", "DeletionBlocked")


def conditions(
    previous: Sequence[Mapping[str, object]],
    verdict: Verdict,
    *,
    generation: int,
    now: Instant,
    bounded: bool = False,
    paused: bool = False,
    paused_by: str = "true",
    extra: Sequence[ExtraCondition] = (),
    anew: bool = False,
) -> list[dict[str, object]]:
    """All conditions of an object.

    `bounded` kinds (BatchJob) have no Ready condition. `extra` are the kind's own; one that is left
    out is taken away. A `paused` object keeps what it had, made
    for whatever generation that was, and carries Paused; `paused_by` is the annotation's text. With
    `anew` it says what the verdict says, all the same.
    """
    before = {str(condition["type"]): condition for condition in previous}
    said = _said(verdict, extra, before, bounded=bounded, paused=paused_by if paused else None)
    made = {
        name: {
            "type": name,
            "status": status,
            "observedGeneration": generation,
            "lastTransitionTime": _transition(before.get(name), status, now),
            "reason": reason,
            "message": message[:MESSAGE_LIMIT],
        }
        for name, (status, reason, message) in said.items()
    }
    ran = generation if verdict.ran is None else verdict.ran
    for name in _RESULTS:
        if name in made:
            made[name]["observedGeneration"] = ran
        elif name in before and verdict.situation in _LATER:
            made[name] = {**before[name], "observedGeneration": ran}
    if paused and not anew:
        kept = {name: dict(value) for name, value in before.items() if name != "Paused"}
        made = (kept or made) | {"Paused": made["Paused"]}
    return [made[name] for name in sorted(made)]


def _said(
    verdict: Verdict,
    extra: Sequence[ExtraCondition],
    before: Mapping[str, object],
    *,
    bounded: bool,
    paused: str | None,
) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message of each condition that the verdict and the kind ask for."""
    wanted = dict(_STATES[verdict.situation])
    if not bounded:
        wanted["Ready"] = "True" if verdict.situation is Situation.READY else "False"
    for name in _SHOWN_AFTERWARDS:
        if name in before:
            wanted.setdefault(name, "False")
    why = next((name for name in _SAYS_WHY if wanted.get(name) == "True"), "")
    messages = {name: _FALSE[name] for name, status in wanted.items() if status == "False"}
    if why == "DeletionBlocked":
        messages["Reconciling"] = _WAITS_FOR_A_PERSON
    said = {
        name: (
            status,
            verdict.reason,
            messages[name].format(true=why) if name in messages else verdict.message,
        )
        for name, status in wanted.items()
    }
    if verdict.result is not None:
        ended = verdict.result
        said[ended.situation.value] = ("True", ended.reason, ended.message)
    for own in extra:
        said[own.type] = ("True" if own.holds else "False", own.reason, own.message)
    if paused is not None:
        said["Paused"] = ("True", catalogue.PAUSED.name, _paused_words(paused))
    elif "Paused" in before:
        said["Paused"] = ("False", catalogue.RESUMED.name, _RESUMED)
    return said


def _paused_words(text: str) -> str:
    if text.strip().lower() == "true":
        return (
            "Nothing is changed in AWS while the annotation awsbatch.dev/paused is 'true'. "
            "Remove it to go on."
        )
    return (
        f"The annotation awsbatch.dev/paused is {text[:64]!r}, which is neither 'true' nor "
        "'false'. To be on the safe side, nothing is changed in AWS. Set it to 'true', or remove "
        "it to go on."
    )


_RESUMED = "The annotation awsbatch.dev/paused does not hold this object back."


def condition(status: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    """The condition of that type in a status, to be read only; None if there is none."""
    listed = status.get("conditions")
    for entry in listed if isinstance(listed, list) else ():
        if entry["type"] == name:
            found: Mapping[str, object] = entry
            return found
    return None


def is_true(status: Mapping[str, object], name: str, generation: int | None = None) -> bool:
    """Whether the condition is True, and found for that generation if one is given."""
    found = condition(status, name)
    if found is None or found["status"] != "True":
        return False
    return generation is None or found.get("observedGeneration") == generation


def _transition(previous: Mapping[str, object] | None, status: str, now: Instant) -> str:
    if previous is not None and previous.get("status") == status:
        return str(previous["lastTransitionTime"])
    return now.rfc3339()
