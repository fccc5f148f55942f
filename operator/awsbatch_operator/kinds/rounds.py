"""The middle of a turn: look, decide, write down, act, look again.

If the process dies before the record, nothing was sent. After it, the next look finds what the
actions have done: each is named by the record, so it is seen, and none is repeated blindly.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import RESOLVED, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds import outcomes
from awsbatch_operator.kinds.accounts import Place
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Kind, ObservedT, Removal
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.recording import annotation
from awsbatch_operator.kube.port import InvalidError

ROUNDS = 4  # looks a turn; a plan that still has actions then goes on in the next turn


@dataclass(slots=True)
class Run(Generic[DesiredT, ObservedT, ActionT]):
    """What one turn has found out so far. `resource` is as our own last write left it."""

    resource: Resource
    place: Place | None = None
    desired: DesiredT | Removal | None = None
    observed: ObservedT | None = None
    plan: Plan[ActionT] | None = None
    findings: list[Finding] = field(default_factory=list)  # of gates and errors, not of the plan
    error: AwsError | None = None
    unfinished: bool = False
    stuck: bool = False  # AWS took the actions, and shows nothing of them

    @property
    def trouble_passes(self) -> bool:
        """Whether AWS has trouble, or is slow, in a way that passes by itself."""
        return self.stuck or (self.error is not None and outcomes.backs_off(self.error))

    def all_findings(self) -> tuple[Finding, ...]:
        """The gates' and the plan's."""
        return (*self.findings, *(self.plan.findings if self.plan is not None else ()))


class Rounds(Generic[DesiredT, ObservedT, ActionT]):
    """Observed in AWS, ours or foreign, plan, permit, record, act."""

    def __init__(
        self,
        *,
        kind: Kind[DesiredT, ObservedT, ActionT],
        store: Store,
        clock: Clock,
        narrator: Narrator,
        cluster_id: str,
        scoped: bool = True,
    ) -> None:
        self._kind = kind
        self._store = store
        self._clock = clock
        self._narrator = narrator
        self._cluster_id = cluster_id
        self._scoped = scoped

    def owner(self, resource: Resource) -> Owner:
        """The object, as the tags of what it owns name it."""
        return Owner(self._cluster_id, resource.key, resource.uid)

    async def go(
        self,
        run: Run[DesiredT, ObservedT, ActionT],
        place: Place,
        desire: Callable[[Resource], DesiredT | Removal],
    ) -> None:
        """Take the object as far as AWS lets it come now. What AWS refuses is in `run.error`.

        Raises KubeError (the record was not written, nothing was sent) and LeaseLostError. A
        record that the API server refuses for good is a finding.
        """
        run.place = place
        try:
            answer, done = None, None
            for _ in range(ROUNDS):
                run.desired = desire(run.resource)
                plan = await self._look(run, place, answer)
                if plan is None:
                    return
                if plan.actions and plan.actions == done:
                    self._give_it_time(run)
                    return
                answer, done = await self._act(run, plan, place), plan.actions
            run.unfinished = True
        except AwsError as error:
            run.error = error
        except InvalidError as error:
            run.findings.append(Finding(catalogue.RECORD_REFUSED, str(error)))

    async def _look(
        self,
        run: Run[DesiredT, ObservedT, ActionT],
        place: Place,
        answer: ObservedT | None,
    ) -> Plan[ActionT] | None:
        """Observe and plan; None if there is nothing to write down or to do."""
        assert run.desired is not None  # noqa: S101 - the caller has just set it
        if answer is None:
            answer = await self._kind.observe(run.resource, place.recorded, place.scope)
        run.observed = answer
        owned = self._owned(run)
        if owned is Ownership.FOREIGN:
            self._leave_alone(run, place)
            return None
        plan = self._kind.plan(run.desired, run.observed, self._clock.now())
        run.plan = plan
        if not plan.actions:
            self._narrator.noted(run.resource, plan.findings)
        elif owned is Ownership.RECREATED:
            message = "AWS already had what an earlier object of this name made; it is ours now."
            self._narrator.noted(run.resource, [Finding(catalogue.REOWNED, message)])
        return plan if plan.actions or _to_be_written(run, plan) else None

    def _owned(self, run: Run[DesiredT, ObservedT, ActionT]) -> Ownership:
        if run.observed is None:
            return Ownership.OURS
        owned = self._kind.owned(run.observed, self.owner(run.resource))
        if owned is Ownership.RECREATED and self._kind.bounded:
            return Ownership.FOREIGN  # a run belongs to one object, not to its name
        return owned

    def _leave_alone(self, run: Run[DesiredT, ObservedT, ActionT], place: Place) -> None:
        recorded = place.recorded
        where = f"{recorded.aws_name} in account {recorded.account_id}, region {recorded.region}"
        if isinstance(run.desired, Removal):
            note = Finding(catalogue.NOT_OURS, f"{where} is not ours and is left as it is.")
            run.plan = Plan(released=True, findings=(note,))
            return
        run.plan = None
        run.findings.append(
            Finding(
                catalogue.ALREADY_EXISTS,
                f"AWS already has {where}, and its tags do not say that it is this object's. "
                "It is not touched.",
            )
        )

    def _give_it_time(self, run: Run[DesiredT, ObservedT, ActionT]) -> None:
        """The same actions are due again: later turns repeat them, more and more rarely.

        AWS shows some changes late, and a value that it writes in its own way it never shows as
        sent.
        """
        run.stuck = True
        words = "AWS took a change and does not show it yet."
        run.findings.append(Finding(catalogue.AWS_BUSY, words))

    async def _act(
        self, run: Run[DesiredT, ObservedT, ActionT], plan: Plan[ActionT], place: Place
    ) -> ObservedT | None:
        if plan.intent and plan.actions:
            await self._kind.permit(plan.actions[0], place.scope)
        annotations = dict(plan.intent)
        if self._scoped and RESOLVED not in run.resource.annotations:
            annotations |= annotation(place.recorded, self._clock.now())
        run.resource = await self._store.hold(run.resource, annotations)
        answer = None
        for action in plan.actions:
            answer = await self._kind.act(action, place.scope)
        if plan.actions:
            self._narrator.done(run.resource, plan.findings)
        return answer


def _to_be_written(run: Run[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]) -> bool:
    """Whether a record, or our finalizer on what AWS has, is missing.

    `kubectl replace` takes both away from an object that needs no action.
    """
    resource = run.resource
    if any(resource.annotations.get(name) != value for name, value in plan.intent.items()):
        return True
    removing = isinstance(run.desired, Removal)
    return run.observed is not None and not removing and not resource.held
