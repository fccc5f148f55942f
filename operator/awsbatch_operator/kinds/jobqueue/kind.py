"""The JobQueue as the life cycle sees it: wiring of the pieces in this room."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import Lasting, refusals
from awsbatch_operator.kinds.jobqueue.act import act_on_queue
from awsbatch_operator.kinds.jobqueue.desired import (
    Desired,
    desired_queue,
    drain_timeout,
    waits_for_jobs,
)
from awsbatch_operator.kinds.jobqueue.observe import Observed, observe_queue
from awsbatch_operator.kinds.jobqueue.plan import Action, plan_queue, plan_removal
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE
from awsbatch_operator.kinds.jobqueue.status import queue_status
from awsbatch_operator.kinds.release import removal_options


@dataclass(frozen=True, slots=True)
class JobQueueKind(Lasting):
    """Implements Kind[Desired, Observed, Action]."""

    batch: BatchPort
    name: str = "JobQueue"

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(RESOURCE, resource)

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return desired_queue(resource, targets, owner)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        options = {
            "timeout": drain_timeout(resource),
            "since": resource.deleted_at,
            **removal_options(resource),
        }
        return replace(removal, options=options)

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> Observed | None:
        return await observe_queue(
            self.batch, recorded, scope, draining=resource.deleting and waits_for_jobs(resource)
        )

    def owned(self, observed: Observed, owner: Owner) -> Ownership:
        return ownership(observed.tags, owner)

    def plan(
        self, desired: Desired | Removal, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        if isinstance(desired, Removal):
            return plan_removal(desired, observed, now)
        return plan_queue(desired, observed)

    async def act(self, action: Action, scope: Scope) -> Observed | None:
        await act_on_queue(self.batch, action, scope)
        return None

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return queue_status(resource, seen)
