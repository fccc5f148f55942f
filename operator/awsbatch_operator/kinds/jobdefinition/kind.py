"""The JobDefinition as the life cycle sees it: wiring of the pieces in this room."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import Lasting, refusals
from awsbatch_operator.kinds.jobdefinition.act import act_on_definition
from awsbatch_operator.kinds.jobdefinition.desired import Desired, desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed, observe_definition, whose
from awsbatch_operator.kinds.jobdefinition.plan import Action, plan_definition, plan_removal
from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE
from awsbatch_operator.kinds.jobdefinition.status import definition_status
from awsbatch_operator.kinds.release import removal_options


@dataclass(frozen=True, slots=True)
class JobDefinitionKind(Lasting):
    """Implements Kind[Desired, Observed, Action]."""

    batch: BatchPort
    name: str = "JobDefinition"

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(RESOURCE, resource)

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return desired_definition(resource, targets, owner)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        return replace(removal, options=removal_options(resource))

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> Observed | None:
        del resource
        return await observe_definition(self.batch, recorded, scope)

    def owned(self, observed: Observed, owner: Owner) -> Ownership:
        return whose(observed, owner)

    def plan(
        self, desired: Desired | Removal, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        if isinstance(desired, Removal):
            return plan_removal(desired, observed, now)
        return plan_definition(desired, observed, now)

    async def act(self, action: Action, scope: Scope) -> Observed | None:
        return await act_on_definition(self.batch, action, scope)

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return definition_status(resource, seen)
