"""What is written down in an object before AWS is touched: always one guarded write.

Whoever has read an older version of the object is refused (a conflict) and looks again, so two
processes never go on from two records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic

from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.scope import Origin, ScopeRecord
from awsbatch_operator.kinds.contract import (
    ActionT,
    DesiredT,
    LettingGo,
    ObservedT,
    Removal,
)
from awsbatch_operator.kinds.scope_record import annotation, recorded_in
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Records(Generic[DesiredT, ObservedT, ActionT]):
    """Writes them. Raises KubeError.

    `scoped` is off for the AWSAccount, which lives in no account: its scope is not recorded.
    """

    shared: Shared
    scoped: bool

    def renames(self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]) -> bool:
        """Whether the plan gives the object other names in AWS than its record has."""
        return turn.home is not None and self._named(turn.home.recorded, plan) != turn.home.recorded

    async def write_down(
        self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]
    ) -> bool:
        """Records that no step depends on, or our finalizer and record on what AWS has already.

        `kubectl replace` takes both away from an object that needs no step. Whether the object has
        other names in AWS now, so that another look is due.
        """
        resource, renames = turn.resource, self.renames(turn, plan)
        missing = any(resource.annotations.get(name) != text for name, text in plan.record.items())
        stays = turn.observed is not None and not isinstance(turn.desired, Removal | LettingGo)
        lost = stays and not (resource.held and self._is_said(turn))
        if missing or lost or renames or self._moved(turn):
            await self.write(turn, plan, plan.record)
        return renames

    async def write(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        plan: Plan[ActionT],
        record: Mapping[str, str],
    ) -> None:
        """The finalizer, the scope with the names in AWS, and what must not be forgotten."""
        annotations, home = dict(record), turn.home
        if home is None or not self.scoped:
            turn.resource = await self.shared.store.hold(turn.resource, annotations)
            return
        recorded = self._named(home.recorded, plan)
        if not self._is_said(turn) or recorded != home.recorded or self._moved(turn):
            annotations = annotation(recorded, self.shared.clock.now()) | annotations
        turn.resource = await self.shared.store.hold(turn.resource, annotations)
        turn.home = replace(home, recorded=recorded)

    def _is_said(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether the record says where the object lives, and that it was adopted if it was."""
        written = turn.resource.annotations.get(RESOLVED, "")
        adopted = turn.home is not None and turn.home.recorded.origin is Origin.ADOPTED
        said = bool(written) and (not adopted or f'"{Origin.ADOPTED.value}"' in written)
        return said or not self.scoped

    def _named(self, recorded: ScopeRecord, plan: Plan[ActionT]) -> ScopeRecord:
        return recorded if plan.recorded is None else recorded.named_as(plan.recorded)

    def _moved(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> bool:
        """Whether another AWSAccount acts than the recorded one, which is free to go then."""
        if not self.scoped or turn.home is None or RESOLVED not in turn.resource.annotations:
            return False
        before = recorded_in(turn.resource)
        return before is not None and before.account not in {None, turn.home.recorded.account}
