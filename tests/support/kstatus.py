"""The part of kstatus that concerns custom resources: how Flux and kpt judge an object.

Source: sigs.k8s.io/cli-utils, pkg/kstatus: README.md ("Statuses", "Conditions") and status/core.go.
The rules are asked in this order, and the first that applies decides: a deletion that was asked
for; a generation that the controller has not seen; the conditions Reconciling and Stalled; the
condition Ready. What has none of these is Current.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kstatus(StrEnum):
    """The statuses that an object which exists can have."""

    IN_PROGRESS = "InProgress"
    CURRENT = "Current"
    FAILED = "Failed"
    TERMINATING = "Terminating"


def kstatus(body: Mapping[str, Any]) -> Kstatus:
    """How an object of ours is judged."""
    metadata, status = body["metadata"], body.get("status", {})
    if "deletionTimestamp" in metadata:
        return Kstatus.TERMINATING
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata["generation"]:
        return Kstatus.IN_PROGRESS
    conditions = status.get("conditions", ())
    for each in conditions:
        if each["status"] == "True" and each["type"] == "Reconciling":
            return Kstatus.IN_PROGRESS
        if each["status"] == "True" and each["type"] == "Stalled":
            return Kstatus.FAILED
    for each in conditions:
        if each["type"] == "Ready":
            return Kstatus.CURRENT if each["status"] == "True" else Kstatus.IN_PROGRESS
    return Kstatus.CURRENT
