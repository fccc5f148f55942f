"""The AWSAccount as the life cycle sees it: wiring of the pieces in this room."""

from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.ports import IdentityPort
from awsbatch_operator.kinds.accounts import Place
from awsbatch_operator.kinds.awsaccount.desired import Desired, desired_account
from awsbatch_operator.kinds.awsaccount.observe import Observed, observe_account
from awsbatch_operator.kinds.awsaccount.plan import Action, plan_account, plan_removal
from awsbatch_operator.kinds.awsaccount.spec import RESOURCE
from awsbatch_operator.kinds.awsaccount.status import account_status
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import Lasting, refusals


@dataclass(frozen=True, slots=True)
class AccountPlaces:
    """An AWSAccount lives nowhere: its scope is the role that it is about. Implements Places."""

    region: str  # the operator's own, "" if it has none

    async def resolve(self, resource: Resource) -> Place | Finding:
        region = str(resource.spec.get("region") or self.region)
        if not region and not resource.deleting:
            return Finding(
                catalogue.IDENTITY_UNKNOWN,
                "No AWS region: neither spec.region nor the operator's configuration names one.",
                "Set spec.region.",
            )
        scope = Scope(
            account_id="",
            region=region,
            role_arn=resource.spec.get("roleArn"),
            external_id=resource.spec.get("externalId"),
        )
        return Place(Recorded("", "", region, ""), scope)

    async def for_removal(self, resource: Resource, recorded: Recorded) -> Scope | Finding:
        """Where it does not matter: removing an AWSAccount asks AWS nothing."""
        del resource
        return Scope(account_id="", region=recorded.region)


@dataclass(frozen=True, slots=True)
class AwsAccountKind(Lasting):
    """Implements Kind[Desired, Observed, Action]."""

    identity: IdentityPort
    name: str = "AWSAccount"

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(RESOURCE, resource)

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        del targets, owner
        return desired_account(resource)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> Observed | None:
        del recorded
        if resource.deleting:
            return None  # it must be possible to remove an account that cannot be entered
        return await observe_account(self.identity, scope)

    def owned(self, observed: Observed, owner: Owner) -> Ownership:
        del observed, owner
        return Ownership.OURS

    def plan(
        self, desired: Desired | Removal, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        del observed, now
        if isinstance(desired, Removal):
            return plan_removal(desired)
        return plan_account(desired)

    async def act(self, action: Action, scope: Scope) -> Observed | None:
        del action, scope
        return None

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return account_status(resource, seen)
