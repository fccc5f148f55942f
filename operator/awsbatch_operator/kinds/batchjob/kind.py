"""The BatchJob as the life cycle sees it: wiring of the pieces in this room."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.kinds.batchjob.act import act_on_job
from awsbatch_operator.kinds.batchjob.actions import Action, Terminate
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.desired import (
    Desired,
    FollowingJob,
    desired_job,
    followed_job,
    grace_left,
    needed_references,
)
from awsbatch_operator.kinds.batchjob.following import after_the_end, plan_following
from awsbatch_operator.kinds.batchjob.observe import Observer, is_over
from awsbatch_operator.kinds.batchjob.observed import MAY_BE_SENT, Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import end_condition, submission_of
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.spec import RESOURCE
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.batchjob.submitting import too_early
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import refusals
from awsbatch_operator.kinds.scope_record import unreadable


@dataclass(slots=True)
class _Checked:
    """What a generation of a spec rules out, so that each is validated once."""

    uid: str
    generation: int
    refusals: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class BatchJobKind:
    """Implements Kind[Desired, Observed, Action]."""

    observer: Observer
    types: DefinitionTypes
    cluster_id: str
    definition_grace: float = 0.0
    name: str = "BatchJob"
    bounded: bool = True
    _checked: dict[ObjectKey, _Checked] = field(default_factory=dict)

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        return job_is_over(resource)

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        known = self._checked.get(resource.key)
        if known is None or (known.uid, known.generation) != (resource.uid, resource.generation):
            found = refusals(RESOURCE, resource)
            known = _Checked(resource.uid, resource.generation, found)
            self._checked[resource.key] = known
        return (*known.refusals, *damaged_record(resource))

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return desired_job(resource, targets, owner, definition_grace=self.definition_grace)

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        left = grace_left(resource, self.definition_grace, now)
        return too_early(left) if left > 0 else None

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    def following(self, resource: Resource, following: Following) -> Following | None:
        try:
            submission = self.observer.recorded(resource)
        except RecordError:
            return None  # nothing is guessed; a refusal says so
        if submission is None:
            return None
        followed = followed_job(resource, following)
        over = is_over(resource, submission)
        return after_the_end(followed, submission) if over else followed

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        """A job has no name of its own: the record of the submissions has it."""
        del resource, scope
        return recorded

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        del recorded  # the record of the submissions has queue and name by itself
        owner = Owner(self.cluster_id, resource.key, resource.uid)
        observed = await self.observer.observe(resource, owner, scope, fresh=fresh)
        if not resource.deleting and (observed is None or observed.knowledge in MAY_BE_SENT):
            # A gate may have found that the spec is unsound.
            arn = (resource.spec.get("jobDefinitionRef") or {}).get("arn")
            if arn is not None:
                await self.types.learn(scope, arn)
        return observed

    def owned(self, observed: Observed, resource: Resource, owner: Owner) -> Ownership:
        del resource
        if observed.knowledge is not Knowledge.FOUND:
            return Ownership.OURS
        return ownership(observed.detail.get("tags") or {}, owner)

    def marks(self, observed: Observed) -> Mapping[str, str]:
        return observed.detail.get("tags") or {}

    def plan(
        self, desired: Desired | Removal | Following, observed: Observed | None, now: Instant
    ) -> Plan[Action]:
        if isinstance(desired, FollowingJob):
            return plan_following(desired, observed, now)
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, Removal):
            return plan_removal(desired, observed, now)
        if self.types.is_multinode(desired.definition):
            desired = replace(desired, multinode=True)
        return plan_job(desired, observed, now)

    def let_go(self, observed: Observed | None) -> Plan[Action]:
        """It adopts nothing."""
        del observed
        return Plan(released=True)

    def permit(self, action: Action, scope: Scope, holder: ObjectKey) -> Permit:
        # Several jobs of one object may have to be ended at a time, each with a token of its own.
        purpose = action.job_id if isinstance(action, Terminate) else ""
        return self.observer.batch.permit(scope, action.operation, (holder, purpose))

    async def act(self, action: Action, scope: Scope, observed: Observed | None) -> Observed | None:
        del observed
        observer = self.observer
        return await act_on_job(
            action,
            scope,
            batch=observer.batch,
            feed=observer.feed,
            memory=observer.memory,
            clock=observer.clock,
        )

    def told(self, step: Step[Action], observed: Observed | None) -> Finding | None:
        del observed
        return step.note

    def kept_whole(self, resource: Resource) -> bool:
        del resource
        return True

    def forget(self, key: ObjectKey) -> None:
        self._checked.pop(key, None)
        self.observer.forget(key)

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        return job_status(resource, seen)


def damaged_record(resource: Resource) -> tuple[Finding, ...]:
    """Whether the record of the submissions cannot be read, and nothing makes up for it."""
    try:
        submission_of(resource)
    except RecordError as error:
        return (unreadable(error),)
    return ()


def job_is_over(resource: Resource) -> bool:
    """Whether the newest run has ended, its result stands, and nothing is left to look for."""
    ended = end_condition(resource)
    if ended is None:
        return False
    if not resource.deleting and (
        # something was edited; the status has to say that it was seen
        resource.status.get("observedGeneration") != resource.generation
        # something stands in the way besides, and may pass without another edit
        or _is_stalled_besides(resource, ended)
        # it ended while it was paused, and is not any more
        or (is_true(resource.status, "Paused") and not resource.paused)
    ):
        return False
    try:
        submission = submission_of(resource)
    except RecordError:
        return True
    return submission is None or submission.looked_through


def _is_stalled_besides(resource: Resource, ended: Shape) -> bool:
    """Whether the object is Stalled for another reason than that the job has failed."""
    stalled = condition(resource.status, "Stalled")
    return (
        stalled is not None and stalled["status"] == "True" and stalled["reason"] != ended["reason"]
    )
