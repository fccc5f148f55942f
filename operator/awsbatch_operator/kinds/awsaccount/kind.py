"""The AWSAccount as the life cycle sees it: it makes nothing in AWS, and asks STS who we are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.ports import IdentityPort
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.awsaccount.desired import Desired, desired_account
from awsbatch_operator.kinds.awsaccount.observe import Observed, observe_account
from awsbatch_operator.kinds.awsaccount.plan import plan_account, plan_removal
from awsbatch_operator.kinds.awsaccount.spec import RESOURCE
from awsbatch_operator.kinds.awsaccount.status import account_status
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import refusals


@dataclass(frozen=True, slots=True)
class AccountHomes:
    """An AWSAccount lives nowhere: its scope is the role that it is about. Implements Homes."""

    region: str  # the operator's own, "" if it has none

    async def resolve(self, resource: Resource) -> Home | Finding:
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
        return Home(ScopeRecord("", "", region, ""), scope)

    async def of_record(
        self, resource: Resource, recorded: ScopeRecord, *, to_look: bool = False
    ) -> Scope | Finding:
        """Where it does not matter: removing an AWSAccount asks AWS nothing."""
        del resource, to_look
        return Scope(account_id="", region=recorded.region)

    def refuses_roles(self, resource: Resource, recorded: ScopeRecord) -> bool:
        """It passes no role to anybody."""
        del resource, recorded
        return False


@dataclass(frozen=True, slots=True)
class AwsAccountKind:
    """Implements Kind[Desired, Observed, Never]: there are no steps."""

    identity: IdentityPort
    name: str = "AWSAccount"
    bounded: bool = False

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        del resource
        return ()

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(RESOURCE, resource)

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        del resource, now
        return None

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        del targets, owner
        return desired_account(resource)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    def following(self, resource: Resource, following: Following) -> Following | None:
        """It makes nothing, so nothing is recorded."""
        del resource, following
        return None

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        del resource, scope
        return recorded

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        del recorded, fresh
        if resource.deleting:
            return None  # it must be possible to remove an account that cannot be entered
        return await observe_account(self.identity, scope)

    def owned(self, observed: Observed, resource: Resource, owner: Owner) -> Ownership:
        del observed, resource, owner
        return Ownership.OURS

    def marks(self, observed: Observed) -> Mapping[str, str]:
        del observed
        return {}

    def plan(
        self, desired: Desired | Removal | Following, observed: Observed | None, now: Instant
    ) -> Plan[Never]:
        del observed
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, Removal):
            return plan_removal(desired, now)
        return plan_account()

    def let_go(self, observed: Observed | None) -> Plan[Never]:
        """It adopts nothing."""
        del observed
        return Plan(released=True)

    def permit(self, action: Never, scope: Scope, holder: ObjectKey) -> Permit:
        del scope, holder
        raise AssertionError(f"an AWSAccount has no steps: {action}")

    async def act(self, action: Never, scope: Scope, observed: Observed | None) -> Observed | None:
        del scope, observed
        raise AssertionError(f"an AWSAccount has no steps: {action}")

    def told(self, step: Step[Never], observed: Observed | None) -> Finding | None:
        del observed
        return step.note

    def kept_whole(self, resource: Resource) -> bool:
        del resource
        return True

    def forget(self, key: ObjectKey) -> None:
        """Nothing is kept in memory."""

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Never]) -> KindStatus:
        return account_status(resource, seen)
