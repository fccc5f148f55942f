"""The one life cycle of all kinds: a chain of gates, each passing on or ending the turn.

paused, sound spec, account allowed and usable, scope as recorded, references resolved; then look,
plan, record, act (rounds.py); then the status. Deletion goes the same way with a Removal in the
place of what is desired: what was recorded serves, whatever became of spec and references.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import Targets, external_arns
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds import gates, outcomes, statuses
from awsbatch_operator.kinds.accounts import Place
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Kind, ObservedT, Removal, Seen
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.patience import LOOK_SECONDS, Patience
from awsbatch_operator.kinds.recording import RecordError, recorded_in, unreadable
from awsbatch_operator.kinds.rounds import Rounds, Run
from awsbatch_operator.kinds.users import Users
from awsbatch_operator.kube.port import NotFoundError

UNFINISHED_SECONDS = 1.0  # a plan that still had actions after the looks of one turn
RETRY_SECONDS = 1.0  # the least delay after a failed call; the engine's backoff adds to it


class Places(Protocol):
    """The gate 'account allowed and usable'. Both may raise AwsError."""

    async def resolve(self, resource: Resource) -> Place | Finding: ...

    async def for_removal(self, resource: Resource, recorded: Recorded) -> Scope | Finding: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the life cycles of all kinds share."""

    cache: Cache
    index: ReferenceIndex
    store: Store
    clock: Clock
    narrator: Narrator
    cluster_id: str


class Lifecycle(Generic[DesiredT, ObservedT, ActionT]):
    """Turns of all objects of one kind. Implements the engine's Reconciler.

    `scoped` is off for the AWSAccount, which lives in no account: its scope is not recorded.
    """

    def __init__(
        self,
        kind: Kind[DesiredT, ObservedT, ActionT],
        *,
        around: Surroundings,
        places: Places,
        scoped: bool = True,
    ) -> None:
        self._kind = kind
        self._around = around
        self._places = places
        self._scoped = scoped
        self._patience = Patience()
        self._rounds = Rounds(
            kind=kind,
            store=around.store,
            clock=around.clock,
            narrator=around.narrator,
            cluster_id=around.cluster_id,
            scoped=scoped,
        )

    @property
    def kind(self) -> str:
        """Whose turns these are."""
        return self._kind.name

    async def reconcile(self, key: ObjectKey) -> Again:
        """One turn. Raises KubeError and LeaseLostError; what AWS refuses becomes a condition."""
        resource = self._around.cache.get(key)
        if resource is None or (resource.deleting and not resource.held):
            self._let_go(key)  # gone, or only others keep it: AWS has nothing of it
            return Again()
        run: Run[DesiredT, ObservedT, ActionT] = Run(resource)
        if resource.paused:
            return await self._report(run)
        if resource.deleting:
            if await self._remove(run):
                return await self._release(run)
        elif self._kind.finished(resource) and not is_true(resource.status, "Paused"):
            return Again()
        else:
            await self._maintain(run)
        return await self._report(run)

    async def _maintain(self, run: Run[DesiredT, ObservedT, ActionT]) -> None:
        resource = run.resource
        run.findings += self._kind.refusals(resource)
        if run.findings:
            return
        place = await self._todays_place(run)
        if place is None:
            return
        references = self._kind.references(resource)
        found, missing = gates.targets(references, self._around.cache.get)
        run.findings += missing or gates.elsewhere(
            references, found, external_arns(resource), place.recorded
        )
        if not run.findings:
            targets = self._targets(resource.key, place, found)
            owner = self._rounds.owner(resource)
            await self._rounds.go(
                run, place, lambda current: self._kind.desired(current, targets, owner)
            )

    def _targets(
        self, key: ObjectKey, place: Place, found: Mapping[ObjectKey, Resource]
    ) -> Targets:
        return Targets(
            aws_name=place.recorded.aws_name,
            account_id=place.recorded.account_id,
            region=place.recorded.region,
            found=found,
            users=self._users(key),
        )

    async def _todays_place(self, run: Run[DesiredT, ObservedT, ActionT]) -> Place | None:
        """Where the object lives; None, with a finding, if today's answer is not the recorded."""
        try:
            today = await self._places.resolve(run.resource)
        except AwsError as error:
            run.error = error
            return None
        if isinstance(today, Finding):
            run.findings.append(today)
            return None
        recorded = self._recorded(run)
        if recorded is None:
            return None if run.findings else today
        changed = gates.scope_changed(recorded, today.recorded)
        if changed is not None:
            run.findings.append(changed)
            return None
        return Place(recorded, today.scope)

    def _recorded(self, run: Run[DesiredT, ObservedT, ActionT]) -> Recorded | None:
        """What was recorded first; a finding if that cannot be read."""
        if not self._scoped:
            return None
        try:
            return recorded_in(run.resource)
        except RecordError as error:
            run.findings.append(unreadable(error))
            return None

    async def _remove(self, run: Run[DesiredT, ObservedT, ActionT]) -> bool:
        """Take what the object has in AWS away; whether there is nothing left to be done."""
        resource = run.resource
        if resource.spec.get("deletionPolicy") == "Retain":
            message = "deletionPolicy is Retain: what this object has in AWS stays as it is."
            self._around.narrator.done(resource, [Finding(catalogue.RETAINED, message)])
            return True
        place = await self._place_for_removal(run)
        if place is None:
            # A job that is over has nothing left in AWS that could be removed.
            return self._kind.finished(resource)
        owner = self._rounds.owner(resource)
        removal = Removal(owner, place.recorded, users=self._users(resource.key))
        try:
            await self._rounds.go(run, place, lambda current: self._kind.removal(current, removal))
        except RecordError as error:
            run.findings.append(unreadable(error))
            return False
        return run.error is None and run.plan is not None and run.plan.released

    async def _place_for_removal(self, run: Run[DesiredT, ObservedT, ActionT]) -> Place | None:
        recorded = self._recorded(run)
        if run.findings:
            return None
        try:
            if recorded is None:  # held, but the record was taken away: today's answer has to do
                answer: Place | Scope | Finding = await self._places.resolve(run.resource)
            else:
                answer = await self._places.for_removal(run.resource, recorded)
        except AwsError as error:
            run.error = error
            return None
        if isinstance(answer, Finding):
            run.findings.append(answer)
            return None
        if isinstance(answer, Place):
            return answer
        return None if recorded is None else Place(recorded, answer)

    async def _release(self, run: Run[DesiredT, ObservedT, ActionT]) -> Again:
        """AWS holds nothing of the object any more, or keeps it on purpose: let it go."""
        try:
            await self._around.store.release(run.resource)
        except NotFoundError:
            return Again()
        plan, place = run.plan, run.place
        if plan is not None and place is not None and not plan.findings and not self._kind.bounded:
            words = f"{place.recorded.aws_name or run.resource.key.name} is gone from AWS."
            self._around.narrator.done(run.resource, [Finding(catalogue.DELETED, words)])
        return Again()

    async def _report(self, run: Run[DesiredT, ObservedT, ActionT]) -> Again:
        """Write the status if it differs, and say when to look again."""
        resource = run.resource
        # Of two findings of one weight the first gives its reason: trouble before progress.
        trouble = () if run.error is None else (outcomes.finding(run.error),)
        findings = statuses.by_weight((*trouble, *run.all_findings()))
        if self._keeps_quiet(run):
            return Again(after=LOOK_SECONDS, failed=run.trouble_passes)
        shown = self._kind.status(resource, self._seen(run, findings))
        verdict = statuses.verdict(findings, shown.verdict, deleting=resource.deleting)
        status = statuses.whole(
            resource,
            shown.fields,
            verdict,
            now=self._around.clock.now(),
            bounded=self._kind.bounded,
            recorded=run.place.recorded if run.place is not None and self._scoped else None,
        )
        if not statuses.same(status, resource.status):
            try:
                written = await self._around.store.write_status(resource, status)
            except NotFoundError:
                return Again()
            self._around.narrator.judged(resource, verdict)
            if self._kind.finished(written):
                self._let_go(resource.key)
        return _again(run, findings)

    def _let_go(self, key: ObjectKey) -> None:
        """The object is finished or gone: keep nothing of it in memory."""
        self._patience.over(key)
        self._kind.forget(key)

    def _keeps_quiet(self, run: Run[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether passing trouble ended the turn of an object that stands as it should."""
        passing = run.trouble_passes
        waiting = run.place is None and any(
            finding.reason is catalogue.REFERENCE_NOT_READY
            for finding in run.findings
            if finding.severity is Severity.WAIT
        )
        if not passing and not waiting:
            self._patience.over(run.resource.key)
            return False
        return statuses.settled(run.resource) and self._patience.another(run.resource.key)

    def _seen(
        self, run: Run[DesiredT, ObservedT, ActionT], findings: tuple[Finding, ...]
    ) -> Seen[DesiredT, ObservedT, ActionT]:
        place = run.place
        return Seen(
            desired=run.desired,
            observed=run.observed,
            plan=run.plan,
            findings=findings,
            scope=None if place is None else place.scope,
            recorded=None if place is None else place.recorded,
            now=self._around.clock.now(),
        )

    def _users(self, key: ObjectKey) -> Sequence[Resource]:
        return Users(key=key, cache=self._around.cache, index=self._around.index)


def _again(run: Run[DesiredT, ObservedT, ActionT], findings: Sequence[Finding]) -> Again:
    """When the object is due again if nothing changes before."""
    if run.trouble_passes:
        return Again(after=RETRY_SECONDS, failed=True)
    if run.resource.paused:
        return Again()
    if run.error is not None:  # whatever the plan would look at soon has not been reached
        return Again(after=outcomes.finding(run.error).again)
    looks = [UNFINISHED_SECONDS] if run.unfinished else []
    looks += [finding.again for finding in findings if finding.severity is not Severity.NOTE]
    if run.plan is not None and run.plan.look_again_seconds is not None:
        looks.append(run.plan.look_again_seconds)
    return Again(after=min(looks, default=None))
