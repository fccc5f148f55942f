"""The end of a turn: what it found out becomes the status, and says when to look again."""

from collections.abc import Sequence
from typing import Generic

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kinds import outcomes, statuses
from awsbatch_operator.kinds.contract import (
    ActionT,
    DesiredT,
    Following,
    Kind,
    KindStatus,
    LettingGo,
    ObservedT,
    Seen,
)
from awsbatch_operator.kinds.drift import with_drift
from awsbatch_operator.kinds.patience import LOOK_SECONDS, Patience
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kube.port import NotFoundError

UNFINISHED_SECONDS = 1.0  # a plan that still had steps after the looks of one turn
TOKEN_SECONDS = 0.01  # the least wait for a rate token: a turn costs more time than that
RETRY_SECONDS = 1.0  # the least delay after a failed call; the engine's backoff adds to it


class Reporter(Generic[DesiredT, ObservedT, ActionT]):
    """Writes the statuses of one kind. Raises KubeError."""

    def __init__(
        self, kind: Kind[DesiredT, ObservedT, ActionT], shared: Shared, *, scoped: bool
    ) -> None:
        self._kind = kind
        self._shared = shared
        self._scoped = scoped
        self._patience = Patience()

    async def report(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> Again:
        """Write the status if it differs, and say when the object is due again."""
        self._pause(turn)
        resource = turn.resource
        early = self._waits_quietly(turn)
        quiet = self._too_early_to_tell(turn, early=early)
        if quiet is not None:
            return quiet
        findings = _findings(turn, early=early)
        denied = self._denied(turn)
        shown = self._kind.status(resource, self._seen(turn, findings))
        shown = with_drift(resource, shown, turn.plan)
        if shown.quiet and not turn.errors:
            return _again(turn, findings, denied)
        verdict = statuses.verdict(findings, shown.verdict, deleting=resource.deleting)
        written = await self._write(turn, shown, verdict)
        if written is None:
            return Again()
        if self._kind.finished(written):
            self.forget(resource.key)
        return _again(turn, findings, denied)

    async def announce(
        self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]
    ) -> Resource:
        """Write what a plan announces before its first step is sent; the object as it is then."""
        if all(turn.resource.status.get(name) == value for name, value in plan.announce.items()):
            return turn.resource
        findings = statuses.by_weight(turn.all_findings())
        shown = self._kind.status(turn.resource, self._seen(turn, findings))
        shown = KindStatus({**shown.fields, **plan.announce}, shown.verdict, shown.extra)
        verdict = statuses.verdict(findings, shown.verdict, deleting=turn.resource.deleting)
        if verdict.situation is Situation.READY:  # not before what is announced has been done
            words = "The operator is about to change the object in AWS."
            verdict = Verdict(Situation.WORKING, catalogue.UPDATING.name, words)
        written = await self._write(turn, shown, verdict)
        return turn.resource if written is None else written

    def forget(self, key: ObjectKey) -> None:
        """The object is finished or gone: keep nothing of it in memory."""
        self._patience.forget(key)
        self._kind.forget(key)

    async def _write(
        self, turn: Turn[DesiredT, ObservedT, ActionT], shown: KindStatus, verdict: Verdict
    ) -> Resource | None:
        """The object with the status written; None if the object is gone."""
        resource = turn.resource
        fields = dict(shown.fields)
        if turn.foreign or turn.unclaimed:
            fields.pop("arn", None)  # what is not its own must never be used through this object
        status = statuses.whole(
            resource,
            fields,
            verdict,
            now=self._shared.clock.now(),
            bounded=self._kind.bounded,
            recorded=turn.home.recorded if turn.home is not None and self._scoped else None,
            extra=shown.extra,
            anew=shown.anew,
        )
        status["installation"] = self._shared.others.own
        if statuses.stands(status, resource.status):
            return resource
        try:
            written = await self._shared.store.write_status(resource, status)
        except NotFoundError:
            return None
        self._shared.narrator.judged(resource, verdict)
        if verdict.result is not None:
            self._shared.narrator.judged(resource, verdict.result)
        self._shared.narrator.drifted(resource, shown.extra)
        return written

    def _pause(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> None:
        """Let a look that ran out of tokens be followed by a longer pause each time."""
        if turn.no_token_seconds is None:
            self._patience.look_was_whole(turn.resource.key)
            return
        pause = self._patience.pause_after_a_short_look(turn.resource.key)
        turn.no_token_seconds = max(turn.no_token_seconds, pause)

    def _denied(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> float | None:
        """Seconds until what AWS has denied is tried again; None if it has denied nothing."""
        key = turn.resource.key
        if not any(outcomes.denied(error) for error in turn.errors):
            self._patience.granted(key)
            return None
        return self._patience.denied(key, self._shared.clock.monotonic())

    def _waits_quietly(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether something waits for a rate token, and not for so long that it is told."""
        key = turn.resource.key
        if turn.waits_seconds is None:
            self._patience.wait_is_over(key)
            return False
        return self._patience.with_wait(key, self._shared.clock.monotonic())

    def _too_early_to_tell(
        self, turn: Turn[DesiredT, ObservedT, ActionT], *, early: bool
    ) -> Again | None:
        """Whether passing trouble, or the wait for a rate token, is kept quiet this time."""
        key, waits = turn.resource.key, turn.waits_seconds
        if early and waits is not None and not turn.errors and not turn.acted:
            return Again(after=max(waits, TOKEN_SECONDS))
        waiting = turn.held_back and any(
            finding.reason is catalogue.REFERENCE_NOT_READY
            for finding in turn.all_findings()
            if finding.severity is Severity.WAIT
        )
        if not turn.trouble_passes and not waiting:
            self._patience.over(key)
            return None
        if turn.held_back and any(each.severity is Severity.STALL for each in turn.findings):
            return None  # a gate's finding is no passing trouble
        if statuses.is_ready(turn.resource) and self._patience.with_trouble(key):
            return Again(after=LOOK_SECONDS, failed=turn.trouble_passes)
        return None

    def _seen(
        self, turn: Turn[DesiredT, ObservedT, ActionT], findings: tuple[Finding, ...]
    ) -> Seen[DesiredT, ObservedT, ActionT]:
        home, desired = turn.home, turn.desired
        if isinstance(desired, LettingGo):
            desired = desired.removal
        return Seen(
            desired=None if isinstance(desired, Following) else desired,
            observed=turn.observed,
            plan=turn.plan,
            findings=findings,
            scope=None if home is None else home.scope,
            recorded=None if home is None else home.recorded,
            now=self._shared.clock.now(),
            outcomes=turn.outcomes,
        )


def _findings(turn: Turn[DesiredT, ObservedT, ActionT], *, early: bool) -> tuple[Finding, ...]:
    """Of two findings of one weight the first gives its reason: trouble before progress."""
    trouble = [*turn.error_findings()]
    if turn.waits_seconds is not None and not early:
        trouble.append(
            Finding(
                catalogue.RATE_LIMITED,
                "The next call waits for its turn under AWS's limit of calls a second.",
                look_again_seconds=turn.waits_seconds,
            )
        )
    return statuses.by_weight((*trouble, *turn.all_findings(), *_more_to_come(turn)))


def _more_to_come(turn: Turn[DesiredT, ObservedT, ActionT]) -> tuple[Finding, ...]:
    """Said while steps are left for a later turn, or the object would be called Ready too early.

    What was Ready before stays so: a drift that takes two turns to repair is no news.
    """
    left = turn.unfinished or turn.waits_seconds is not None
    if not left or statuses.is_ready(turn.resource):
        return ()
    reason = catalogue.DELETING if turn.resource.deleting else catalogue.UPDATING
    return (Finding(reason, "Some of the calls to AWS that this takes are still to be made."),)


def _again(
    turn: Turn[DesiredT, ObservedT, ActionT],
    findings: Sequence[Finding],
    denied_seconds: float | None,
) -> Again:
    """When the object is due again if nothing changes before."""
    if turn.trouble_passes:
        return Again(after=RETRY_SECONDS, failed=True)
    if turn.resource.paused and turn.plan is None:
        return Again()
    looks = [] if turn.waits_seconds is None else [max(turn.waits_seconds, TOKEN_SECONDS)]
    if turn.unfinished or (turn.errors and turn.acted):  # a lane that went on may have more to do
        looks.append(UNFINISHED_SECONDS)
    if turn.errors:  # whatever the plan would look at soon has not been reached
        looks += [finding.again for finding in turn.error_findings()]
        looks += [] if denied_seconds is None else [denied_seconds]
        return Again(after=min(looks))
    looks += [finding.again for finding in findings if finding.severity is not Severity.NOTE]
    if turn.plan is not None and turn.plan.look_again_seconds is not None:
        looks.append(turn.plan.look_again_seconds)
    return Again(after=min(looks, default=None))
