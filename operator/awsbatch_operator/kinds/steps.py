"""The middle of a turn: look, decide, then step by step permit, write down, act; look again.

If the process dies before the record, nothing was sent. After it, the next look finds what the
steps have done: each is named by the record, so it is seen, and none is repeated blindly.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RESOLVED, Resource
from awsbatch_operator.api.plans import Outcome, Plan, Step
from awsbatch_operator.api.scope import NoTokenError, Origin
from awsbatch_operator.api.tags import Owner, Ownership, holder
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Following, Kind, ObservedT, Removal
from awsbatch_operator.kinds.permits import Permits
from awsbatch_operator.kinds.scope_record import annotation, recorded_in
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kinds.users import goes
from awsbatch_operator.kube.port import InvalidError

LOOKS = 4  # a turn; a plan that still has steps then goes on in the next turn

Desire = Callable[[Resource], DesiredT | Removal | Following]
"""What is wanted for the object as our own last write left it."""

Announce = Callable[[Turn[DesiredT, ObservedT, ActionT], Plan[ActionT]], Awaitable[Resource]]
"""Writes what a plan announces into the status, before its first step is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Generic[DesiredT, ObservedT, ActionT]):
    """Takes an object as far as AWS lets it come now. Raises KubeError and LeaseLostError.

    `scoped` is off for the AWSAccount, which lives in no account: its scope is not recorded.
    """

    kind: Kind[DesiredT, ObservedT, ActionT]
    shared: Shared
    announce: Announce[DesiredT, ObservedT, ActionT]
    scoped: bool = True

    def owner(self, resource: Resource) -> Owner:
        """The object, as the tags of what it owns name it."""
        return Owner(self.shared.cluster_id, resource.key, resource.uid)

    async def go(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        home: Home,
        desire: Desire[DesiredT],
        *,
        fresh: bool = False,
    ) -> None:
        """Look, decide and act until there is nothing more to do, or something is in the way.

        With `fresh`, AWS itself is asked first of all. What AWS refuses is in `turn.errors`. A
        record that the API server refuses for good is a finding: nothing was sent then.
        """
        turn.home = home
        try:
            await self._rounds(turn, desire, fresh=fresh)
        except NoTokenError as error:
            turn.no_token_seconds = error.seconds
        except AwsError as error:
            turn.error = error
        except InvalidError as error:
            turn.findings.append(Finding(catalogue.RECORD_REFUSED, str(error)))

    async def _rounds(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        desire: Desire[DesiredT],
        *,
        fresh: bool,
    ) -> None:
        """What the feed read last decides whether there is anything to do; a fresh look, what.

        The rate tokens are taken before the fresh look: a turn that has to wait for them would
        otherwise spend, each time it comes again, on a look the very token that it waits for.

        Whether a thing is taken over, too, is what the fresh look says: it may be gone by then, and
        what is made in its place is not adopted.
        """
        answer: ObservedT | None = None
        home = turn.home
        permits = Permits(self.kind)
        try:
            for _ in range(LOOKS):
                turn.desired = desire(turn.resource)
                plan = await self._look(turn, answer, fresh=fresh)
                if plan is None or self._unshown(turn):
                    return
                if not fresh and (plan.steps or plan.released or turn.home != home):
                    fresh, turn.home = True, home
                    turn.outcomes = permits.take(turn, plan)
                    if plan.steps and not permits.held:
                        return
                    turn.desired = desire(turn.resource)
                    # Of what the feed read, which the fresh look may not confirm: if that look is
                    # not made, nothing may be done about it, nor may the object be released.
                    turn.plan, turn.foreign, turn.outcomes = None, False, {}
                    plan = await self._look(turn, None, fresh=True)
                    if plan is None:
                        return
                if not plan.steps:
                    await self._write_down(turn, plan)
                    return
                answer = await self._act(turn, plan, permits)
                if any(_came_short(outcome) for outcome in turn.outcomes.values()):
                    turn.observed = turn.observed if answer is None else answer
                    return
            turn.unfinished = True
        finally:
            permits.give_back()

    async def _look(
        self, turn: Turn[DesiredT, ObservedT, ActionT], answer: ObservedT | None, *, fresh: bool
    ) -> Plan[ActionT] | None:
        """Observe and plan; None if what AWS has is somebody else's."""
        assert turn.home is not None and turn.desired is not None  # noqa: S101, PT018 - set by go
        kind, resource, home = self.kind, turn.resource, turn.home
        if answer is None:
            answer = await kind.observe(resource, home.recorded, home.scope, fresh=fresh)
        owned = Ownership.OURS
        if answer is not None:
            found = kind.owned(answer, resource, self.owner(resource))
            owned = turn.whose(found, bounded=kind.bounded)
        turn.foreign = owned is Ownership.FOREIGN
        turn.observed = None if turn.foreign else answer
        if turn.foreign and answer is not None:
            if isinstance(turn.desired, Removal):
                return self._leave_behind(turn, fresh=fresh)
            if not fresh:  # what the feed read may be from before it was ours, or became free
                turn.foreign = False
                return await self._look(turn, None, fresh=True)
            if isinstance(turn.desired, Following):  # the gate's findings stand, and say enough
                turn.plan = None
                return None
            self._leave_alone(turn, kind.marks(answer))
            return None
        if owned is Ownership.ADOPTABLE:
            turn.home = replace(home, recorded=replace(home.recorded, origin=Origin.ADOPTED))
        plan = turn.plan = kind.plan(turn.desired, turn.observed, self.shared.clock.now())
        if not plan.steps:
            self.shared.narrator.noted(resource, plan.findings)
        elif owned is Ownership.RECREATED and fresh:
            message = "AWS already had what an earlier object of this name made; it is ours now."
            self.shared.narrator.noted(resource, [Finding(catalogue.REOWNED, message)])
        return plan

    def _leave_behind(
        self, turn: Turn[DesiredT, ObservedT, ActionT], *, fresh: bool
    ) -> Plan[ActionT]:
        """The object goes and what AWS has of that name stays, once a fresh look says the same.

        What the feed read may be older than our own thing of that name.
        """
        words = f"AWS keeps {_where(turn)}: its tags say that it is not this object's."
        note = Finding(catalogue.NOT_OURS, words)
        turn.plan = Plan(released=True, findings=(note,))
        if fresh:
            self.shared.narrator.noted(turn.resource, [note])
        return turn.plan

    def _leave_alone(
        self, turn: Turn[DesiredT, ObservedT, ActionT], tags: Mapping[str, str]
    ) -> None:
        """Say whose it is; if the owner is in this cluster, be woken by its end."""
        turn.plan = None
        other = holder(tags, self.shared.cluster_id)
        whose = "its tags do not say that it is this object's"
        if other is not None:
            whose = f"it belongs to {other}"
            self.shared.claims.wait(other, turn.resource.key)
        reason, words = catalogue.ALREADY_EXISTS, f"AWS already has {_where(turn)}, and {whose}."
        if other is not None and goes(self.shared.cache, other):
            reason = catalogue.WAITS_FOR_DELETIONS
            words = f"AWS still has {_where(turn)} of {other}, which is being deleted."
        turn.findings.append(Finding(reason, words))

    def _unshown(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether AWS took a step and does not show what was expected of it.

        Later turns repeat the step, more and more rarely: AWS shows some changes late, and a value
        that it writes in its own way it never shows as sent.
        """
        done = [step for outcome in turn.outcomes.values() for step in outcome.done]
        unmet = [step for step in done if step.expects and not step.expects.met(turn.observed)]
        if not unmet:
            return False
        turn.unshown = True
        words = "AWS took a change and does not show it yet."
        turn.findings.append(Finding(catalogue.AWS_BUSY, words))
        return True

    async def _write_down(
        self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]
    ) -> None:
        """Records that no step depends on, or our finalizer on what AWS has already.

        `kubectl replace` takes both away from an object that needs no step.
        """
        resource = turn.resource
        missing = any(resource.annotations.get(name) != text for name, text in plan.record.items())
        removing = isinstance(turn.desired, Removal)
        unheld = turn.observed is not None and not removing and not resource.held
        if missing or unheld or self._moved(turn):
            await self._record(turn, plan.record)

    async def _record(
        self, turn: Turn[DesiredT, ObservedT, ActionT], record: Mapping[str, str]
    ) -> None:
        """One guarded write: the finalizer, the scope, and what must not be forgotten."""
        annotations = dict(record)
        home = turn.home
        adopted = home is not None and home.recorded.origin is Origin.ADOPTED
        written = turn.resource.annotations.get(RESOLVED, "")
        unsaid = not written or (adopted and f'"{Origin.ADOPTED.value}"' not in written)
        if self.scoped and home is not None and (unsaid or self._moved(turn)):
            annotations = annotation(home.recorded, self.shared.clock.now()) | annotations
        turn.resource = await self.shared.store.hold(turn.resource, annotations)

    def _moved(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether another AWSAccount acts than the recorded one, which is free to go then."""
        if not self.scoped or turn.home is None or RESOLVED not in turn.resource.annotations:
            return False
        before = recorded_in(turn.resource)
        return before is not None and before.account not in {None, turn.home.recorded.account}

    async def _act(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        plan: Plan[ActionT],
        permits: Permits[DesiredT, ObservedT, ActionT],
    ) -> ObservedT | None:
        """The first steps of all lanes, then the second ones, and so on; the last answer."""
        waiting = {lane: list(steps) for lane, steps in plan.lanes().items()}
        reached: dict[str, Outcome[ActionT]] = {lane: Outcome() for lane in waiting}
        record, announced = dict(plan.record), False
        while heads := {lane: steps.pop(0) for lane, steps in waiting.items() if steps}:
            for lane, seconds in permits.take_for(turn, heads).items():
                reached[lane] = replace(reached[lane], waits_seconds=seconds)
                del waiting[lane]
            for lane in permits.held:
                record |= heads[lane].record
            if permits.held:
                if plan.announce and not announced:
                    turn.resource = await self.announce(turn, plan)
                    announced = True
                await self._record(turn, record)
                await self.shared.store.confirm(turn.resource)
                record = {}
            await self._send(turn, heads, permits, reached)
            for lane in [lane for lane in waiting if _came_short(reached[lane])]:
                del waiting[lane]
        turn.outcomes = reached
        answers = [each.answer for each in reached.values() if each.answer is not None]
        return answers[-1] if answers else None

    async def _send(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        heads: Mapping[str, Step[ActionT]],
        permits: Permits[DesiredT, ObservedT, ActionT],
        reached: dict[str, Outcome[ActionT]],
    ) -> None:
        """One call after the other; the error of one ends its own lane only."""
        assert turn.home is not None  # noqa: S101 - there are no steps without a home
        for lane in tuple(permits.held):
            permits.used(lane)
            step, before = heads[lane], reached[lane]
            try:
                answer = await self.kind.act(step.action, turn.home.scope, turn.observed)
            except NoTokenError as error:
                reached[lane] = replace(before, waits_seconds=error.seconds)
            except AwsError as error:
                reached[lane] = replace(before, failed=step, error=error)
            else:
                answer = before.answer if answer is None else answer
                reached[lane] = replace(before, done=(*before.done, step), answer=answer)
                note = self.kind.told(step, turn.observed)
                if note is not None:
                    self.shared.narrator.done(turn.resource, [note])


def _where(turn: Turn[DesiredT, ObservedT, ActionT]) -> str:
    assert turn.home is not None  # noqa: S101 - there is no look without a home
    recorded = turn.home.recorded
    return f"{recorded.serving} in account {recorded.account_id}, region {recorded.region}"


def _came_short(outcome: Outcome[ActionT]) -> bool:
    """Whether the lane did not come to its end."""
    return outcome.error is not None or outcome.waits_seconds is not None
