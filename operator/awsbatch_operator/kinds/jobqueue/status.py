"""What a JobQueue shows of AWS (pure)."""

from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.jobqueue.desired import Desired
from awsbatch_operator.kinds.jobqueue.observe import Observed
from awsbatch_operator.kinds.jobqueue.spec import JobQueueStatus
from awsbatch_operator.kinds.lasting import ApiCall, absent, starting
from awsbatch_operator.schema.fit import fitted

_OF_AWS = ("arn", "state", "awsStatus", "statusReason", "jobs")


def queue_status(resource: Resource, seen: Seen[Desired, Observed, ApiCall]) -> KindStatus:
    """The kind's fields and its verdict."""
    before, observed = starting(resource), seen.observed
    if observed is None and seen.plan is not None and not resource.deleting:
        return absent(resource, *_OF_AWS)
    if observed is None:
        return before
    fields = _fields(observed)
    if isinstance(seen.desired, Removal):
        words = "The job queue is being removed from AWS."
        return KindStatus(fields, Verdict(Situation.DELETING, catalogue.DELETING.name, words))
    return KindStatus(fields, _verdict(observed))


def _fields(observed: Observed) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "arn": observed.arn,
        "state": observed.state,
        "awsStatus": observed.status,
        "statusReason": observed.reason or None,
    }
    if observed.jobs is not None:
        fields["jobs"] = {
            name.lower(): observed.jobs.get(name, 0) for name in ("RUNNABLE", "RUNNING")
        }
    return fitted(JobQueueStatus, fields)


def _verdict(observed: Observed) -> Verdict:
    """When nothing stands in the way: VALID."""
    if observed.state == "DISABLED":
        return Verdict(
            Situation.READY,
            catalogue.DISABLED.name,
            "The job queue is disabled, as the spec says: it takes no new jobs. "
            "Set spec.state to ENABLED to use it.",
        )
    return Verdict(Situation.READY, catalogue.READY.name, "The job queue is VALID and ENABLED.")
