"""What one turn of an object has found out so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Outcome, Plan
from awsbatch_operator.api.tags import Ownership
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds import outcomes
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.contract import (
    ActionT,
    DesiredT,
    Following,
    LettingGo,
    ObservedT,
    Removal,
)


@dataclass(slots=True)
class Turn(Generic[DesiredT, ObservedT, ActionT]):
    """One turn. `resource` is as our own last write left it."""

    resource: Resource
    home: Home | None = None  # None: a gate before it ended the turn
    desired: DesiredT | Removal | Following | LettingGo | None = None
    observed: ObservedT | None = None
    foreign: bool = False  # AWS has such a thing, and it is not this object's
    called: str = ""  # what people call that which is taken over, where its name is not recorded
    unclaimed: bool = False  # nobody has marked it yet, and it is about to be this object's
    plan: Plan[ActionT] | None = None
    findings: list[Finding] = field(default_factory=list)  # of gates and looks, not of the plan
    unproven: dict[ObjectKey, Finding] = field(default_factory=dict)  # as in Targets
    error: AwsError | None = None  # of a gate or a look; what a step met with is in `outcomes`
    outcomes: Mapping[str, Outcome[ActionT]] = field(default_factory=dict)
    no_token_seconds: float | None = None  # a gate or a look has to wait for its rate token
    unfinished: bool = False  # there are more steps than one turn takes
    unshown: bool = False  # AWS took a step and does not show what was expected of it
    in_doubt: bool = False  # AWS refused a step, perhaps because of what the spec refers to

    @property
    def errors(self) -> tuple[AwsError, ...]:
        """All that AWS refused or failed to answer in this turn."""
        first = () if self.error is None else (self.error,)
        if not self.outcomes:  # most turns take no step, and are asked this again and again
            return first
        steps = (outcome.error for outcome in self.outcomes.values())
        return (*first, *(error for error in steps if isinstance(error, AwsError)))

    @property
    def held_back(self) -> bool:
        """Whether a gate ended the turn; what was recorded may have been looked at all the same."""
        return self.home is None or isinstance(self.desired, Following)

    def whose(self, found: Ownership, *, bounded: bool) -> Ownership:
        """Whose a thing counts as in this turn, which AWS's tags call `found`."""
        if found is Ownership.RECREATED and bounded:
            return Ownership.FOREIGN  # a run belongs to one object, not to its name
        if found is Ownership.ADOPTABLE and not self._may_adopt:
            return Ownership.FOREIGN
        return found

    @property
    def _may_adopt(self) -> bool:
        """Nothing is taken over only to be removed, unasked, or where the account forbids it."""
        unasked = self.resource.deleting or isinstance(self.desired, Following)
        return not unasked and self.home is not None and self.home.may_adopt

    @property
    def acted(self) -> bool:
        """Whether AWS took a step of the last plan."""
        return any(outcome.done for outcome in self.outcomes.values())

    @property
    def waits_seconds(self) -> float | None:
        """Until the first rate token that was missing will be there; None if none was."""
        if self.no_token_seconds is not None:  # no step is sent before the look succeeds
            return self.no_token_seconds
        if not self.outcomes:
            return None
        waits = (outcome.waits_seconds for outcome in self.outcomes.values())
        return min((seconds for seconds in waits if seconds is not None), default=None)

    @property
    def trouble_passes(self) -> bool:
        """Whether AWS has trouble, or is slow, in a way that passes by itself."""
        return self.unshown or any(outcomes.backs_off(error) for error in self.errors)

    def error_findings(self) -> tuple[Finding, ...]:
        """What the errors mean."""
        looks = () if self.error is None else (self._meaning(self.error),)
        steps = (
            self._meaning(outcome.error, outcome.failed.because if outcome.failed else "")
            for outcome in self.outcomes.values()
            if isinstance(outcome.error, AwsError)
        )
        return (*looks, *steps)

    def _meaning(self, error: AwsError, because: str = "") -> Finding:
        doubted = self.in_doubt and outcomes.is_refusal(error)
        finding = outcomes.doubt(error) if doubted else outcomes.finding(error)
        return replace(finding, message=f"{because} {finding.message}") if because else finding

    def all_findings(self) -> tuple[Finding, ...]:
        """The gates' and the plan's."""
        return (*self.findings, *(self.plan.findings if self.plan is not None else ()))
