"""The ComputeEnvironment as the life cycle sees it: wiring of the pieces in this room."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.computeenvironment.act import act_on_environment
from awsbatch_operator.kinds.computeenvironment.desired import Desired, desired_environment
from awsbatch_operator.kinds.computeenvironment.observe import Observed, observe_environment
from awsbatch_operator.kinds.computeenvironment.plan import Action, plan_environment, plan_removal
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.kinds.computeenvironment.status import environment_status
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import Lasting, refusals
from awsbatch_operator.kinds.release import removal_options


@dataclass(frozen=True, slots=True)
class ComputeEnvironmentKind(Lasting):
    """Implements Kind[Desired, Observed, Action]."""

    batch: BatchPort
    name: str = "ComputeEnvironment"

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(RESOURCE, resource)

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return desired_environment(resource, targets, owner)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        was_deleting = resource.status.get("awsStatus") == "DELETING"
        options = {**removal_options(resource), "was_deleting": was_deleting}
        return replace(removal, options=options)

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> Observed | None:
        return await observe_environment(self.batch, recorded, scope, deleting=resource.deleting)

    def owned(self, observed: Observed, owner: Owner) -> Ownership:
        return ownership(observed.tags, owner)

    def plan(
        self, desired: Desired | Removal, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        if isinstance(desired, Removal):
            return plan_removal(desired, observed, now)
        return plan_environment(desired, observed)

    async def act(self, action: Action, scope: Scope) -> Observed | None:
        await act_on_environment(self.batch, action, scope)
        return None

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return environment_status(resource, seen)
