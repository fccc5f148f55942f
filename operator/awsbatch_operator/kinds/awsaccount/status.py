"""What an AWSAccount shows (pure)."""

from typing import Never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.awsaccount.desired import Desired
from awsbatch_operator.kinds.awsaccount.observe import Observed
from awsbatch_operator.kinds.contract import KindStatus, Seen

_FIELDS = ("accountId", "identity")


def account_status(resource: Resource, seen: Seen[Desired, Observed, Never]) -> KindStatus:
    """The account's number and our identity there; kept while they cannot be asked for."""
    observed = seen.observed
    if observed is None:
        kept = {name: resource.status[name] for name in _FIELDS if name in resource.status}
        reason = catalogue.DELETING if resource.deleting else catalogue.STARTING
        words = "The operator is about to look at it."
        situation = Situation.DELETING if resource.deleting else Situation.WORKING
        return KindStatus(kept, Verdict(situation, reason.name, words))
    fields = {"accountId": observed.account_id, "identity": observed.identity}
    words = f"AWS account {observed.account_id} can be entered as {observed.identity}."
    return KindStatus(fields, Verdict(Situation.READY, catalogue.READY.name, words))
