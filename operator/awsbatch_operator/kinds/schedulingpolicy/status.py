"""What a SchedulingPolicy shows of AWS (pure)."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import ApiCall, absent, starting
from awsbatch_operator.kinds.schedulingpolicy.desired import Desired
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed


def policy_status(resource: Resource, seen: Seen[Desired, Observed, ApiCall]) -> KindStatus:
    """The kind's fields and its verdict."""
    if seen.observed is None and seen.plan is not None and not resource.deleting:
        return absent(resource, "arn")
    if seen.observed is None:
        return starting(resource)
    fields = {"arn": seen.observed.arn}
    if isinstance(seen.desired, Removal):
        words = "The scheduling policy is being removed from AWS."
        return KindStatus(fields, Verdict(Situation.DELETING, catalogue.DELETING.name, words))
    words = "AWS has the scheduling policy as the spec says."
    return KindStatus(fields, Verdict(Situation.READY, catalogue.READY.name, words))
