"""Deletion of any object: what it has in AWS goes, or stays on purpose; then the object goes."""

from dataclasses import dataclass
from typing import Generic

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.scope import Origin, ScopeRecord
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kinds import outcomes
from awsbatch_operator.kinds.accounts import Home, Homes
from awsbatch_operator.kinds.contract import (
    ActionT,
    DesiredT,
    Kind,
    LettingGo,
    ObservedT,
    Removal,
)
from awsbatch_operator.kinds.places import Places
from awsbatch_operator.kinds.scope_record import recorded_in, retains, unreadable
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.steps import Steps
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kinds.users import Users, users_of
from awsbatch_operator.kube.port import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals(Generic[DesiredT, ObservedT, ActionT]):
    """Turns of objects that are being deleted. Raises KubeError and LeaseLostError.

    `scoped` is off for the AWSAccount, which lives in no account: it has nothing in AWS.
    """

    kind: Kind[DesiredT, ObservedT, ActionT]
    shared: Shared
    homes: Homes
    places: Places[DesiredT, ObservedT, ActionT]
    steps: Steps[DesiredT, ObservedT, ActionT]
    scoped: bool = True

    async def remove(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Take what the object has in AWS away; whether there is nothing left to be done."""
        resource = turn.resource
        retained = retains(resource, scoped=self.scoped)
        if retained and self.kind.kept_whole(resource):
            return await self._let_go(turn)
        home = await self.places.for_removal(turn)
        if home is None:
            # A job that is over has nothing left in AWS that could be removed.
            return self.kind.finished(resource)
        removal = self._removal(resource, home)
        try:
            await self.steps.go(turn, home, lambda current: self.kind.removal(current, removal))
        except RecordError as error:
            turn.findings.append(unreadable(error))
            return False
        released = not turn.errors and turn.plan is not None and turn.plan.released
        return await self._let_go(turn) if released and retained else released

    async def release(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> Again:
        """AWS holds nothing of the object any more, or keeps it on purpose: let it go."""
        resource = turn.resource
        try:
            await self.shared.store.release(resource)
        except NotFoundError:
            return Again()
        if retains(resource, scoped=self.scoped):
            self.shared.narrator.done(resource, [self._retained(turn)])
        elif _was_removed(turn.plan) and turn.home is not None and not self.kind.bounded:
            words = f"{turn.home.recorded.serving or resource.key.name} is gone from AWS."
            if isinstance(turn.desired, Removal) and turn.desired.gone:
                words = turn.desired.gone
            self.shared.narrator.done(resource, [Finding(catalogue.DELETED, words)])
        self.shared.claims.freed(resource.key)
        return Again()

    async def _let_go(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Take our tags from what was adopted and stays; whether the object may go.

        They say that it has an owner, so nobody else could take it over. What the operator itself
        has made keeps them: an object of the same name, which is made from the same manifest later
        on, has it again. Where the tags cannot be taken away before a person has mended something,
        they stay: a deletion that retains must not wait for that.
        """
        if not self.scoped or not _was_adopted(turn.resource):
            return True
        home = await self.places.for_removal(turn)
        if home is not None:
            letting_go = LettingGo(self._removal(turn.resource, home))
            await self.steps.go(turn, home, lambda _: letting_go)
        if any(outcomes.passes(error) for error in turn.errors) or turn.waits_seconds is not None:
            return False
        if turn.errors or home is None or turn.findings:
            turn.plan, turn.findings = None, []
            return True
        return turn.plan is not None and turn.plan.released

    def _retained(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> Finding:
        resource = turn.resource
        message = "What this object has in AWS stays as it is, as the deletion policy says."
        if not self.kind.kept_whole(resource):
            message += " Only the instances that were launched for it are gone."
        if not self.scoped or not _was_adopted(resource):
            return Finding(catalogue.RETAINED, message)
        if turn.plan is not None:
            message += " It carries no tags of an owner (awsbatch.dev/…) any more, "
            message += "so that it may be adopted again."
            return Finding(catalogue.RETAINED, message)
        remedy = "Remove them before another object is to adopt it."
        message += " Its tags awsbatch.dev/… could not be removed."
        return Finding(catalogue.RETAINED, message, remedy)

    def _removal(self, resource: Resource, home: Home) -> Removal:
        return Removal(
            self.steps.owner(resource),
            home.recorded,
            users=self._users(resource.key, home.recorded),
            going=self._users(resource.key, home.recorded, going=True),
            since=resource.deleted_at,
            sent=self.shared.sent.last(resource.key),
            refused_roles=self.homes.refuses_roles(resource, home.recorded),
        )

    def _users(self, key: ObjectKey, recorded: ScopeRecord, *, going: bool = False) -> Users:
        cache, index = self.shared.cache, self.shared.index
        return users_of(key, recorded, cache=cache, index=index, going=going)


def _was_adopted(resource: Resource) -> bool:
    try:
        recorded = recorded_in(resource)
    except RecordError:
        return False
    return recorded is not None and recorded.origin is Origin.ADOPTED


def _was_removed(plan: Plan[ActionT] | None) -> bool:
    """Whether AWS has nothing more of it; not when it is retained, or another's."""
    return plan is not None and not plan.findings
