"""The BatchJob as the life cycle sees it: wiring of the pieces in this room."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import NoTokenError, Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds.batchjob.act import act_on_job
from awsbatch_operator.kinds.batchjob.actions import (
    Action,
    Deregister,
    Register,
    Submit,
    Terminate,
)
from awsbatch_operator.kinds.batchjob.circles import Circles
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.dependencies import in_a_circle
from awsbatch_operator.kinds.batchjob.dependency_ends import Find, strangers, with_waited
from awsbatch_operator.kinds.batchjob.desired import Desired, FollowingJob, followed_job
from awsbatch_operator.kinds.batchjob.endings import is_ended_for
from awsbatch_operator.kinds.batchjob.following import after_the_end, plan_following
from awsbatch_operator.kinds.batchjob.grace import grace_after, grace_left
from awsbatch_operator.kinds.batchjob.in_flight import InFlight
from awsbatch_operator.kinds.batchjob.inline import unfit_definition
from awsbatch_operator.kinds.batchjob.inline_looks import is_last, learn_definitions, removal_of
from awsbatch_operator.kinds.batchjob.inline_plans import with_definitions, with_last_definitions
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.node_hosts import NodeHosts
from awsbatch_operator.kinds.batchjob.observe import Observer
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.over import (
    damaged_record,
    job_is_held,
    job_is_over,
    may_run_again,
    run_may_be_sent,
)
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.record import end_condition, is_over
from awsbatch_operator.kinds.batchjob.removal import plan_removal
from awsbatch_operator.kinds.batchjob.resolving import begins_anew, desired_job, needed_references
from awsbatch_operator.kinds.batchjob.run_causes import Stop
from awsbatch_operator.kinds.batchjob.sending import Looks, Way, has_submission
from awsbatch_operator.kinds.batchjob.spec import RESOURCE
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.batchjob.submitting import too_early
from awsbatch_operator.kinds.batchjob.ttl import with_told
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.infrastructure import refusals


@dataclass(slots=True)
class _Checked:
    """What a generation of a spec rules out, so that each is validated once."""

    uid: str
    generation: int
    refusals: tuple[Finding, ...]
    since: Instant | None = None  # when another run of it was first wanted
    definition: str = ""  # a revision whose command only AWS tells


@dataclass(frozen=True, slots=True)
class BatchJobKind:
    """Implements Kind[Desired, Observed, Action]."""

    observer: Observer
    types: DefinitionTypes
    hosts: NodeHosts
    definitions: InlineDefinitions
    cluster_id: str
    definition_grace: float = 0.0
    circles: Circles = field(default_factory=Circles)
    in_flight: InFlight = field(default_factory=InFlight)
    looks: Looks = field(default_factory=Looks)
    find: Find = lambda _: None
    name: str = "BatchJob"
    bounded: bool = True
    _checked: dict[ObjectKey, _Checked] = field(default_factory=dict)

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        if resource.deleting and is_last(resource, self.definitions):
            return False
        return job_is_over(resource) or job_is_held(resource)

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        known = self._checked.get(resource.key)
        if known is None or (known.uid, known.generation) != (resource.uid, resource.generation):
            found = refusals(RESOURCE, resource) or unfit_definition(resource)
            known = _Checked(resource.uid, resource.generation, found)
            self._checked[resource.key] = known
        return (*known.refusals, *damaged_record(resource))

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        grace, circle = self.definition_grace, self.circles.of(resource.key)
        made = desired_job(resource, targets, owner, definition_grace=grace)
        if circle:
            made = replace(made, dependencies=in_a_circle(made.dependencies, circle))
        known = self._checked.get(resource.key)
        if known is not None and made.tasks_per_job and made.work is None:
            known.definition = made.definition
        return made

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        left = grace_left(resource, self.definition_grace, now)
        if begins_anew(resource):
            known = self._checked[resource.key]  # refusals() has seen this generation
            known.since = known.since or now
            left = grace_after(resource, self.definition_grace, known.since, now)
        return too_early(left) if left > 0 else None

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        return removal_of(resource, removal, self.cluster_id)

    def following(self, resource: Resource, following: Following) -> Following | None:
        try:
            submission = self.observer.recorded(resource)
        except RecordError:
            return None  # nothing is guessed; a refusal says so
        if submission is None:
            return None
        followed = followed_job(resource, following)
        stands = end_condition(resource) is not None and is_over(resource, submission)
        if not stands or may_run_again(resource, submission):
            return followed
        return after_the_end(followed, submission)

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
        guessed = not resource.deleting and run_may_be_sent(resource, observed)
        may_be_sent = self.looks.needed(resource.key, guessed=guessed)
        if may_be_sent:
            # A gate may have found that the spec is unsound.
            for arn in self._unknown(resource, observed):
                await self.types.learn(scope, arn)
            await self.hosts.learn(scope, resource)
        await learn_definitions(
            resource, scope, observed, self.definitions, may_be_sent=may_be_sent, fresh=fresh
        )
        if may_be_sent:
            self.looks.done(resource.key)
        if observed is None:
            return None
        strange = strangers(resource, observed, self.find)
        told = {each: await self.observer.batch.job(scope, each) for each in strange}
        return with_waited(resource, observed, self.find, told, self.observer.clock.now())

    def _unknown(self, resource: Resource, observed: Observed | None) -> Iterable[str]:
        """The definitions that a run may be of, and of which AWS has to tell."""
        arn = (resource.spec.get("jobDefinitionRef") or {}).get("arn")
        arns = {} if arn is None else {str(arn): None}
        if resource.spec.get("packing") and "jobDefinitionRef" in resource.spec:
            checked = self._checked.get(resource.key)
            for each in (
                "" if checked is None else checked.definition,
                "" if observed is None else observed.submission.definition,
            ):
                if ":" in each.rpartition("/")[2]:
                    arns[each] = None
        return arns

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
            plan = plan_removal(desired, observed, now)
            return with_last_definitions(plan, desired, self.definitions)
        if desired.multinode or self.types.is_multinode(desired.definition):
            desired = replace(desired, multinode=True, unfit=self.hosts.unfit)
        if desired.shape is None:
            desired = replace(desired, shape=self.types.shape(desired.definition))
        if desired.tasks_per_job:
            desired = self._with_works(desired, observed)
        way = Way(desired, self.looks, self.in_flight, self.definitions, self.types)
        plan = plan_job(desired, observed, now, way)
        return with_definitions(plan, desired, observed, self.definitions)

    def _with_works(self, desired: Desired, observed: Observed | None) -> Desired:
        """With what AWS has told of the definitions that the next run may be of.

        One without a revision is pinned, so that the command is surely that of what runs.
        """
        recorded = "" if observed is None else observed.submission.definition
        asked = {arn: self.types.work(arn) for arn in (desired.definition, recorded)}
        works = dict(each for each in asked.values() if each is not None)
        pinned = asked[desired.definition]
        definition = desired.definition if pinned is None else pinned[0]
        return replace(desired, works=works, definition=definition)

    def let_go(self, observed: Observed | None) -> Plan[Action]:
        """It adopts nothing."""
        del observed
        return Plan(released=True)

    def permit(self, action: Action, scope: Scope, holder: ObjectKey) -> Permit:
        # Several jobs of one object may have to be ended at a time, each with a token of its own.
        purpose = action.job_id if isinstance(action, Terminate) else ""
        purpose = action.arn if isinstance(action, Deregister) else purpose
        return self.observer.batch.permit(scope, action.operation, (holder, purpose))

    async def act(self, action: Action, scope: Scope, observed: Observed | None) -> Observed | None:
        del observed
        observer, memory = self.observer, self.observer.memory
        match action:
            case Register():
                if action.submission is not None:
                    memory.not_sent(action.key, action.submission, observer.clock.now())
                await self.definitions.register(action, scope)
                return None
            case Deregister():
                await self.definitions.deregister(action, scope)
                return None
            case Submit():
                self.looks.sent(action.key)
                action = self._pinned(action)
            case Terminate():
                pass
            case never:
                assert_never(never)
        try:
            return await act_on_job(
                action,
                scope,
                batch=observer.batch,
                feed=observer.feed,
                memory=memory,
                clock=observer.clock,
            )
        except AwsError as error:
            if isinstance(action, Submit):
                raise await self.definitions.explained(action, scope, error) from error
            raise

    def _pinned(self, action: Submit) -> Submit:
        """With the revision that AWS has. NoTokenError: that is registered or ended just now."""
        try:
            return self.definitions.pinned(action)
        except NoTokenError:
            observer = self.observer
            observer.memory.not_sent(action.key, action.submission, observer.clock.now())
            raise

    def told(self, step: Step[Action], observed: Observed | None) -> Finding | None:
        del observed
        return self.definitions.told(step)

    def kept_whole(self, resource: Resource) -> bool:
        del resource
        return True

    def forget(self, key: ObjectKey) -> None:
        self._checked.pop(key, None)
        self.definitions.users.leaves(key, leaving=False)
        self.in_flight.leave(key)
        self.looks.forget(key)
        self.observer.forget(key)

    def status(self, resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
        stalled = any(each.severity is Severity.STALL for each in seen.findings)
        # The place that a change was promised is kept while the run before is being ended for it.
        moves = seen.observed is not None and is_ended_for(seen.observed, Stop.CHANGED)
        submits = seen.plan is not None and has_submission(seen.plan)
        if stalled or not (submits or moves):
            self.in_flight.leave(resource.key)  # it is under way, or something else holds it back
        return with_told(resource, job_status(resource, seen))
