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
    return {"seen": "arn" in resource.status, "recorded": recorded_time(resource)}


def when_absent(removal: Removal, now: Instant) -> Plan[Any]:
    """Released, unless a call was recorded a moment ago and its result was never seen."""
    age = now.since(removal.options["recorded"])
    if removal.options["seen"] or age >= SETTLE_SECONDS:
        return Plan(released=True)
    finding = Finding(
        catalogue.SETTLING,
        "AWS shows nothing of this object. It was recorded a moment ago, so a call may be under "
        "way whose result is not visible yet; it is looked for once more.",
        look_again_seconds=SETTLE_SECONDS - age,
    )
    return Plan(findings=(finding,))
