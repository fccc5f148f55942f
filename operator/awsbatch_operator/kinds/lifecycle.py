"""The one life cycle of all kinds: a chain of gates, each passing on or ending the turn.

served by this installation, paused, sound spec, account allowed and usable, scope as recorded,
references resolved; then look, plan, and step by step permit, record, act (steps.py); then the
status. Deletion goes the same way with a Removal in the place of what is desired: what was recorded
serves, whatever became of spec and references. A gate holds back what is new, and no more: what was
recorded and has not been seen to its end is looked at all the same, with a Following in the place
of what is desired.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Generic

from awsbatch_operator.api import ownership_reasons
from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RECONCILE_AT, ObjectKey, Resource
from awsbatch_operator.api.references import Need, Reference, Targets, external_arns
from awsbatch_operator.api.scope import NoTokenError, Origin
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kinds import gates, outcomes
from awsbatch_operator.kinds.accounts import Home, Homes
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Following, Kind, ObservedT
from awsbatch_operator.kinds.places import Places
from awsbatch_operator.kinds.records import Records
from awsbatch_operator.kinds.removing import Removals
from awsbatch_operator.kinds.reporting import Reporter
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.steps import Desire, Steps
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kinds.users import users_of
from awsbatch_operator.kube.port import NotFoundError

_IN_AWS = {"arn", "jobId", "jobName"}  # fields of a status that say that AWS has something


class Lifecycle(Generic[DesiredT, ObservedT, ActionT]):
    """Turns of all objects of one kind. Implements the engine's Reconciler.

    `scoped` is off for the AWSAccount, which lives in no account: its scope is not recorded.
    """

    def __init__(
        self,
        kind: Kind[DesiredT, ObservedT, ActionT],
        *,
        shared: Shared,
        homes: Homes,
        scoped: bool = True,
    ) -> None:
        self._kind = kind
        self._shared = shared
        self._homes = homes
        self._scoped = scoped
        self._places = Places(homes, kind, scoped)
        self._asked: dict[ObjectKey, str] = {}  # values of reconcile-at that were heeded
        self._reporter = Reporter(kind, shared, scoped=scoped)
        self._steps = Steps(
            kind=kind,
            shared=shared,
            records=Records(shared=shared, scoped=scoped),
            announce=self._reporter.announce,
            scoped=scoped,
        )
        self._removals = Removals(
            kind=kind,
            shared=shared,
            homes=homes,
            places=self._places,
            steps=self._steps,
            scoped=scoped,
        )

    @property
    def kind(self) -> str:
        """Whose turns these are."""
        return self._kind.name

    async def reconcile(self, key: ObjectKey) -> Again:
        """One turn. Raises KubeError and LeaseLostError; what AWS refuses becomes a condition."""
        resource = self._shared.cache.get(key)
        if resource is None or (resource.deleting and not resource.held):
            self._let_go(key)  # gone, or only others keep it: AWS has nothing of it
            return Again()
        if self._shared.others.serve(resource):
            return self._leave_to_others(resource)
        pause = self._quarrel(resource)
        if pause:
            return Again(after=pause)
        turn: Turn[DesiredT, ObservedT, ActionT] = Turn(resource)
        if resource.paused:
            await self._follow(turn)
        elif resource.deleting:
            if await self._removals.remove(turn):
                return await self._removals.release(turn)
        elif self._kind.finished(resource) and not is_true(resource.status, "Paused"):
            return Again()
        else:
            await self._maintain(turn)
            if turn.home is None:
                await self._follow(turn)
            await self._keep_hold(turn)
        return await self._reporter.report(turn)

    async def _maintain(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> None:
        resource = turn.resource
        turn.findings += self._kind.refusals(resource)
        if turn.findings:
            return
        home = await self._places.today(turn)
        if home is None:
            return
        references = self._kind.references(resource)
        found, missing = gates.targets(references, self._shared.cache.get)
        turn.findings += missing or gates.elsewhere(
            references, found, external_arns(resource), home.recorded
        )
        early = None if turn.findings else self._kind.too_early(resource, self._shared.clock.now())
        if early is not None:
            turn.findings.append(early)
        if turn.findings:
            return
        own = await self._own_targets(turn, home, references, found)
        if own is not None:
            await self._go(
                turn,
                home,
                lambda current: self._kind.desired(
                    current,
                    self._targets(turn, turn.home or home, own),
                    self._steps.owner(current, turn.home or home),
                ),
            )
            await self._doubt(turn, home, own)

    async def _follow(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> None:
        """What was recorded is looked at where it was recorded, whatever holds back what is new.

        A gate is about today's spec, and what AWS has may be of an earlier one. Otherwise a job
        whose submission had an unknown outcome would run unseen until a person mends the spec.
        """
        resource, found = turn.resource, tuple(turn.findings)
        held = Following(self._steps.owner(resource), found, may_change=False)
        following = None if resource.deleting else self._kind.following(resource, held)
        if following is None:
            return
        if not following.look:
            turn.findings = list(following.findings)
            return
        home, may_change = await self._places.to_look(turn)
        if home is None or turn.no_token_seconds is not None:
            return
        held = replace(held, may_change=may_change and not resource.paused)
        turn.findings = []  # the plan has those that still matter
        await self._go(turn, home, lambda current: self._kind.following(current, held) or held)
        if turn.plan is None:  # there was no look
            turn.findings += found

    async def _go(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        home: Home,
        desire: Desire[DesiredT],
    ) -> None:
        """Look, decide and act; by AWS itself first of all, if a person asks for that.

        They do so by a new value of the annotation.
        """
        key, asked = turn.resource.key, turn.resource.annotations.get(RECONCILE_AT)
        fresh = asked is not None and self._asked.get(key) != asked
        await self._steps.go(turn, home, desire, fresh=fresh)
        # A look that failed, or found no rate token, is still owed to whoever asked for it.
        if asked is not None and turn.error is None and turn.no_token_seconds is None:
            self._asked[key] = asked

    async def _own_targets(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        home: Home,
        references: Sequence[Reference],
        found: Mapping[ObjectKey, Resource],
    ) -> Mapping[ObjectKey, Resource] | None:
        """The targets of which AWS, too, says that what they show is their own; None: not all."""
        own = dict(found)
        try:
            for reference in references:
                if reference.need is Need.OPTIONAL or reference.target not in found:
                    continue
                target = found[reference.target]
                missing = await self._shared.proofs.missing(reference, target, home.scope)
                if missing is not None and reference.need is Need.OWN:
                    own.pop(reference.target, None)
                    turn.unproven[reference.target] = missing
                elif missing is not None:
                    turn.findings.append(missing)
        except AwsError as error:
            turn.error = error
        except NoTokenError as error:
            turn.no_token_seconds = error.seconds
        unknown = turn.findings or turn.error is not None or turn.no_token_seconds is not None
        return None if unknown else own

    async def _doubt(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        home: Home,
        targets: Mapping[ObjectKey, Resource],
    ) -> None:
        """AWS refused a call: look at what it depends on, before the spec is called wrong.

        What is read wakes the targets that differ. The call is made once more soon: refused again
        while all stand, it is the spec's fault. Once that is told, the feeds' last look has to do.
        """
        if not targets or not any(outcomes.is_refusal(error) for error in turn.errors):
            return
        told, proofs = outcomes.is_told(turn.resource), self._shared.proofs
        try:
            stand = await proofs.still_stand(targets.values(), home.scope, fresh=not told)
        except (AwsError, NoTokenError):
            stand = True  # nothing is known, and the call is made once more in any case
        turn.in_doubt = not stand or not told

    async def _keep_hold(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> None:
        """Our finalizer on what the status shows to be in AWS, whichever gate ended the turn.

        `kubectl replace` takes it away, with the annotations. A turn that goes through writes it
        again; but while a gate ends each turn (a new default account, say), a deletion would let
        the object go and leave what it has in AWS.
        """
        resource = turn.resource
        if resource.held or turn.foreign or not _IN_AWS & resource.status.keys():
            return
        with suppress(NotFoundError):
            turn.resource = await self._shared.store.hold(resource, {})

    def _targets(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        home: Home,
        found: Mapping[ObjectKey, Resource],
    ) -> Targets:
        key = turn.resource.key
        return Targets(
            aws_name=home.recorded.serving,
            account_id=home.recorded.account_id,
            region=home.recorded.region,
            found=found,
            unproven=turn.unproven,
            users=users_of(key, home.recorded, cache=self._shared.cache, index=self._shared.index),
            adopted=home.recorded.origin is Origin.ADOPTED,
            recorded=home.recorded if self._scoped else None,
        )

    def _leave_to_others(self, resource: Resource) -> Again:
        """Another installation serves it: nothing is asked of AWS, and nothing written."""
        if resource.status.get("installation") == self._shared.others.own:
            words = f"{resource.served_by} is to serve the object from now on."
            self._shared.narrator.noted(resource, [Finding(ownership_reasons.HANDED_OVER, words)])
        self._let_go(resource.key)
        return Again()

    def _quarrel(self, resource: Resource) -> float:
        """Seconds for which nothing is done, because others write over what we write."""
        undone = self._shared.store.undone
        found, seconds = undone.is_undone(resource), undone.seconds_left(resource.uid)
        if found:
            self._shared.store.note_undone(resource)
        if found and seconds:
            words = f"It was written over {undone.times(resource.uid)} times of late."
            finding = Finding(ownership_reasons.WRITES_UNDONE, words)
            self._shared.narrator.noted(resource, [finding])
        return seconds

    def _let_go(self, key: ObjectKey) -> None:
        """The object is gone, or another installation's: keep nothing of it in memory.

        Who waited for its name in AWS is told.
        """
        self._reporter.forget(key)
        self._asked.pop(key, None)
        self._shared.sent.changes.settled(key)
        self._shared.claims.freed(key)
