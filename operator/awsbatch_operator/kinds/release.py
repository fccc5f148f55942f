"""When AWS shows nothing of an object that is being deleted: gone, or not visible yet (pure)."""

from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.recording import recorded_time

# How long after we may have called AWS something can still come to light. AWS documents no bound
# for its describe calls; in practice they lag by seconds.
SETTLE_SECONDS = 30.0


def removal_options(resource: Resource) -> dict[str, Any]:
    """What `when_absent` needs to know of the object."""
    # Between the record and the deletion the call may have been refused and made again for long.
    called = max(recorded_time(resource), resource.deleted_at or resource.created)
    return {"seen": "arn" in resource.status, "called": called}


def when_absent(removal: Removal, now: Instant) -> Plan[Any]:
    """Released, unless a call may have gone out a moment ago and its result was never seen."""
    age = now.since(removal.options["called"])
    if removal.options["seen"] or age >= SETTLE_SECONDS:
        return Plan(released=True)
    finding = Finding(
        catalogue.SETTLING,
        "AWS shows nothing of this object. A call may have gone out just before its deletion whose "
        "result is not visible yet; it is looked for once more.",
        look_again_seconds=SETTLE_SECONDS - age,
    )
    return Plan(findings=(finding,))
