"""The middle of a turn: look, decide, then step by step permit, write down, act; look again.

If the process dies before the record, nothing was sent. After it, the next look finds what the
steps have done: each is named by the record, so it is seen, and none is repeated blindly.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Outcome, Plan, Step
from awsbatch_operator.api.scope import NoTokenError, Origin
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds import claiming
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.contract import (
    ActionT,
    DesiredT,
    Following,
    Kind,
    LettingGo,
    ObservedT,
    Removal,
)
from awsbatch_operator.kinds.permits import Permits
from awsbatch_operator.kinds.records import Records
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kube.port import InvalidError

LOOKS = 4  # a turn; a plan that still has steps then goes on in the next turn

Desire = Callable[[Resource], DesiredT | Removal | Following | LettingGo]
"""What is wanted for the object as our own last write left it."""

Announce = Callable[[Turn[DesiredT, ObservedT, ActionT], Plan[ActionT]], Awaitable[Resource]]
"""Writes what a plan announces into the status, before its first step is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Generic[DesiredT, ObservedT, ActionT]):
    """Takes an object as far as AWS lets it come now. Raises KubeError and LeaseLostError.

    `records` writes down what has to stand in the object first. `scoped` is off for the AWSAccount,
    which lives in no account: its scope is not recorded.
    """

    kind: Kind[DesiredT, ObservedT, ActionT]
    shared: Shared
    records: Records[DesiredT, ObservedT, ActionT]
    announce: Announce[DesiredT, ObservedT, ActionT]
    scoped: bool = True

    def owner(self, resource: Resource, home: Home | None = None) -> Owner:
        """The object, as the tags of what it owns at that home name it."""
        adopted = home is not None and home.recorded.origin is Origin.ADOPTED
        return Owner(self.shared.cluster_id, resource.key, resource.uid, adopted)

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
                plan = await self._look(turn, desire, answer, fresh=fresh)
                if plan is None or self._unshown(turn) or self._in_vain(turn, plan):
                    return
                if not fresh and (self._acts(turn, plan) or turn.home != home):
                    fresh, turn.home = True, home
                    turn.outcomes = permits.take(turn, plan)
                    if plan.steps and not permits.held:
                        return
                    # Of what the feed read, which the fresh look may not confirm: if that look is
                    # not made, nothing may be done about it, nor may the object be released.
                    turn.plan, turn.foreign, turn.outcomes = None, False, {}
                    plan = await self._look(turn, desire, None, fresh=True)
                    if plan is None:
                        return
                if not plan.steps:
                    if not await self.records.write_down(turn, plan):
                        return
                    answer = None  # what AWS has is looked for by other names now
                    continue
                answer = await self._act(turn, plan, permits)
                if any(outcome.came_short for outcome in turn.outcomes.values()):
                    turn.observed = turn.observed if answer is None else answer
                    return
            turn.unfinished = True
        finally:
            permits.give_back()

    def _acts(self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]) -> bool:
        """Whether the plan does what nothing but a fresh look may decide."""
        return bool(plan.steps) or plan.released or self.records.renames(turn, plan)

    async def _look(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        desire: Desire[DesiredT],
        answer: ObservedT | None,
        *,
        fresh: bool,
    ) -> Plan[ActionT] | None:
        """Observe and plan; None if what AWS has is somebody else's."""
        assert turn.home is not None  # noqa: S101 - set by go
        kind, resource, home = self.kind, turn.resource, turn.home
        turn.desired, turn.foreign, turn.unclaimed = desire(resource), False, False
        if answer is None:
            answer = await kind.observe(resource, home.recorded, home.scope, fresh=fresh)
        turn.observed, turn.called = answer, str(getattr(answer, "called", ""))
        if answer is None:
            return self._plan(turn, None, fresh=fresh)
        found = kind.owned(answer, resource, self.owner(resource))
        owned = turn.whose(found, bounded=kind.bounded)
        if owned is Ownership.FOREIGN:
            turn.foreign, turn.observed = True, None
            return await self._not_ours(turn, desire, kind.marks(answer), fresh=fresh)
        turn.unclaimed = owned is Ownership.ADOPTABLE and not claiming.was_ours(resource, answer)
        if self.scoped and claiming.is_adopted(owned, kind.marks(answer), resource, answer):
            turn.home = replace(home, recorded=replace(home.recorded, origin=Origin.ADOPTED))
            turn.desired = desire(resource)
            if isinstance(turn.desired, Removal) and resource.spec.get("deletionPolicy") is None:
                turn.plan = claiming.recorded_again(turn, self.shared.clock.now())
                return turn.plan
        plan = self._plan(turn, owned, fresh=fresh)
        if owned is Ownership.ADOPTABLE and not plan.steps:
            turn.home = home  # AWS is at work on it: it is not marked, and may be going
        return plan

    async def _not_ours(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        desire: Desire[DesiredT],
        tags: Mapping[str, str],
        *,
        fresh: bool,
    ) -> Plan[ActionT] | None:
        """What a turn comes to that has found something of somebody else."""
        turn.plan = None
        if isinstance(turn.desired, Removal):
            turn.plan = claiming.leave_behind(turn, self.shared, fresh=fresh)
        elif isinstance(turn.desired, LettingGo):  # our tags are gone, or others' in their place
            turn.plan = Plan(released=True)
        elif not fresh:  # what the feed read may be from before it was ours, or became free
            return await self._look(turn, desire, None, fresh=True)
        elif not isinstance(turn.desired, Following):  # else the gate's findings say enough
            claiming.leave_alone(turn, self.shared, tags)
        return turn.plan

    def _plan(
        self, turn: Turn[DesiredT, ObservedT, ActionT], owned: Ownership | None, *, fresh: bool
    ) -> Plan[ActionT]:
        """What to do about what was seen; `owned` is None if AWS has nothing."""
        assert turn.desired is not None  # noqa: S101 - set by the look
        if isinstance(turn.desired, LettingGo):
            plan = self.kind.let_go(turn.observed)
        else:
            plan = self.kind.plan(turn.desired, turn.observed, self.shared.clock.now())
        turn.plan = plan
        told: tuple[Finding, ...] = ()
        if plan.steps:
            told = claiming.taken_over(turn, owned, fresh=fresh)
        elif fresh or not self.records.renames(turn, plan):
            told = plan.findings
        self.shared.narrator.noted(turn.resource, told)
        return plan

    def _unshown(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether AWS took a step and does not show what was expected of it.

        Later turns repeat the step, more and more rarely: AWS shows some changes late, and a value
        that it writes in its own way it never shows as sent.
        """
        done = [step for outcome in turn.outcomes.values() for step in outcome.done]
        unmet = [each for each in done if each.expects and not each.expects.met(turn.observed)]
        if not unmet:
            return False
        for step in unmet:
            self.shared.sent.changes.unshown(turn.resource.key, step)
        turn.unshown = True
        words = "AWS took a change and does not show it yet."
        turn.findings.append(Finding(catalogue.AWS_BUSY, words))
        return True

    def _in_vain(self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]) -> bool:
        """Whether AWS took all of this before, finished, and shows nothing of it: it is left alone.

        For a while, which is longer each time. A change of the spec is another step.
        """
        key, changes = turn.resource.key, self.shared.sent.changes
        if not plan.steps and not any(each.severity is Severity.WAIT for each in plan.findings):
            changes.settled(key)
        if not changes.waits(key, plan.steps):
            return False
        turn.unshown = True
        words = "AWS took a change, more than once, and shows nothing of it; it is asked for again."
        remedy = "If it stays so, write into the spec what AWS shows."
        turn.findings.append(Finding(catalogue.AWS_BUSY, words, remedy))
        return True

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
                await self.records.write(turn, plan, record)
                await self.shared.store.confirm(turn.resource)
                record = {}
            await self._send(turn, heads, permits, reached)
            for lane in [lane for lane in waiting if reached[lane].came_short]:
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
                with self.shared.sent.sending(turn.resource.key, step.action):
                    answer = await self.kind.act(step.action, turn.home.scope, turn.observed)
            except NoTokenError as error:
                reached[lane] = replace(before, waits_seconds=error.seconds)
            except AwsError as error:
                reached[lane] = replace(before, failed=step, error=error)
            else:
                answer = before.answer if answer is None else answer
                reached[lane] = replace(before, done=(*before.done, step), answer=answer)
                self.shared.sent.changes.taken(turn.resource.key, step)
                note = self.kind.told(step, turn.observed)
                if note is not None:
                    self.shared.narrator.done(turn.resource, [note])
