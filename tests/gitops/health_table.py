"""The table of how Flux and Argo CD judge our objects, as data: states, kinds, and both answers.

A state is told by what stands in the object, the first column of the table in docs/gitops.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from awsbatch_operator.api.conditions import condition


class State(StrEnum):
    """What an object can stand in, as its metadata and conditions show it."""

    NEW = "just created: nobody has looked at it"
    EDITED = "edited: nobody has looked at the newest generation"
    WORKING = "Reconciling"
    READY = "Ready"
    DISABLED = "Ready, disabled on purpose"
    STALLED = "Stalled: a person must act"
    HELD = "Suspended: held by spec.suspend"
    SUCCEEDED = "Complete"
    FAILED = "Failed, Stalled"
    AGAIN = "Reconciling: another run begins; Complete or Failed are the last one's"
    DELETING = "deleting"
    BLOCKED = "deleting, DeletionBlocked"


# kstatus, Argo CD.
JUDGED: Mapping[State, tuple[str, str]] = {
    State.NEW: ("InProgress", "Progressing"),
    State.EDITED: ("InProgress", "Progressing"),
    State.WORKING: ("InProgress", "Progressing"),
    State.READY: ("Current", "Healthy"),
    State.DISABLED: ("Current", "Healthy"),
    State.STALLED: ("Failed", "Degraded"),
    State.HELD: ("Current", "Suspended"),
    State.SUCCEEDED: ("Current", "Healthy"),
    State.FAILED: ("Failed", "Degraded"),
    State.AGAIN: ("InProgress", "Progressing"),
    State.DELETING: ("Terminating", "Progressing"),
    State.BLOCKED: ("Terminating", "Progressing"),
}

_ALL = frozenset(
    {State.NEW, State.EDITED, State.WORKING, State.STALLED, State.DELETING, State.BLOCKED}
)
_LASTING = _ALL | {State.READY}
_SWITCHED = _LASTING | {State.DISABLED}  # kinds with spec.state

# Every state that a kind can be in. Paused, it stands as before and is judged as before.
STATES: Mapping[str, frozenset[State]] = {
    "ComputeEnvironment": _SWITCHED,
    "JobQueue": _SWITCHED,
    "JobDefinition": _LASTING,
    "SchedulingPolicy": _LASTING,
    "ExtendedAMI": _LASTING,
    "AWSAccount": _LASTING,
    "BatchJob": _ALL | {State.HELD, State.SUCCEEDED, State.FAILED, State.AGAIN},
}


def state_of(body: Mapping[str, Any]) -> State:
    """The state that an object is in; AssertionError if the table has no row for it."""
    status = body.get("status", {})
    true = {
        each["type"]: each["reason"]
        for each in status.get("conditions", ())
        if each["status"] == "True"
    }
    if "deletionTimestamp" in body["metadata"]:
        return State.BLOCKED if "DeletionBlocked" in true else State.DELETING
    seen = status.get("observedGeneration", -1)
    if seen != body["metadata"]["generation"]:
        return State.NEW if seen == -1 else State.EDITED
    names = frozenset(true) & {"Ready", "Reconciling", "Stalled", "Suspended", "Complete", "Failed"}
    rows = {
        frozenset({"Reconciling"}): State.WORKING,
        frozenset({"Ready"}): State.DISABLED if true.get("Ready") == "Disabled" else State.READY,
        frozenset({"Stalled"}): State.STALLED,
        frozenset({"Suspended"}): State.HELD,
        frozenset({"Complete"}): State.SUCCEEDED,
        frozenset({"Failed", "Stalled"}): State.FAILED,
        frozenset({"Complete", "Reconciling"}): State.AGAIN,
        frozenset({"Failed", "Reconciling"}): State.AGAIN,
    }
    assert names in rows, f"no row for a {body['kind']} with {sorted(names)}"
    return rows[names]


def is_paused(body: Mapping[str, Any]) -> bool:
    """Whether it is paused; it then stands as before, and is judged as before."""
    found = condition(body.get("status", {}), "Paused")
    return found is not None and found["status"] == "True"
