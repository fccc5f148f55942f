"""The BatchJob as the life cycle sees it: wiring of the pieces in this room."""

from dataclasses import dataclass

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.kinds.batchjob.act import act_on_job
from awsbatch_operator.kinds.batchjob.desired import Desired, desired_job, needed_references
from awsbatch_operator.kinds.batchjob.observe import Observer
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import Action, plan_job, plan_removal
from awsbatch_operator.kinds.batchjob.refusals import job_refusals
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.batchjob.submission import (
    SWEEPS,
    end_condition,
    submission_of,
)
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.recording import RecordError


@dataclass(frozen=True, slots=True)
class BatchJobKind:
    """Implements Kind[Desired, Observed, Action]."""

    observer: Observer
    cluster_id: str
    name: str = "BatchJob"
    bounded: bool = True

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        return job_is_over(resource)

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return job_refusals(resource)

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return desired_job(resource, targets, owner)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> Observed | None:
        del recorded  # the submission records queue and name by itself
        owner = Owner(self.cluster_id, resource.key, resource.uid)
        return await self.observer.observe(resource, owner, scope)

    def owned(self, observed: Observed, owner: Owner) -> Ownership:
        if observed.knowledge is not Knowledge.KNOWN:
            return Ownership.OURS
        return ownership(observed.detail.get("tags") or {}, owner)

    def plan(
        self, desired: Desired | Removal, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        if isinstance(desired, Removal):
            return plan_removal(desired, observed, now)
        return plan_job(desired, observed, now)

    async def permit(self, action: Action, scope: Scope) -> None:
        await self.observer.batch.permit(scope, action.operation)

    async def act(self, action: Action, scope: Scope) -> Observed | None:
        observer = self.observer
        return await act_on_job(
            action,
            scope,
            batch=observer.batch,
            feed=observer.feed,
            memory=observer.memory,
            clock=observer.clock,
        )

    def forget(self, key: ObjectKey) -> None:
        self.observer.forget(key)

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return job_status(resource, seen)


def job_is_over(resource: Resource) -> bool:
    """Whether the recorded run has ended, its result stands, and nothing is left to look for."""
    if end_condition(resource) is None:
        return False
    if not resource.deleting and resource.status.get("observedGeneration") != resource.generation:
        return False  # something was edited; the status has to say that it was seen
    try:
        submission = submission_of(resource)
    except RecordError:
        return True
    return submission is None or submission.attempt == 1 or submission.swept >= SWEEPS
