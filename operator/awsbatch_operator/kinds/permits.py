"""The rate tokens of one turn."""

from collections.abc import Mapping
from typing import Generic

from awsbatch_operator.api.plans import Outcome, Plan, Step
from awsbatch_operator.api.scope import NoTokenError, Permit
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Kind, ObservedT
from awsbatch_operator.kinds.turn import Turn


class Permits(Generic[DesiredT, ObservedT, ActionT]):
    """The rate tokens that one turn has in hand for the next step of each lane.

    Whatever ends the turn before a step is sent gives its token back, or others would wait for it.
    """

    def __init__(self, kind: Kind[DesiredT, ObservedT, ActionT]) -> None:
        self._kind = kind
        self._held: dict[str, tuple[str, Permit]] = {}

    @property
    def held(self) -> tuple[str, ...]:
        """The lanes that may send their next step now."""
        return tuple(self._held)

    def take(
        self, turn: Turn[DesiredT, ObservedT, ActionT], plan: Plan[ActionT]
    ) -> dict[str, Outcome[ActionT]]:
        """Tokens for the first steps of a plan; how far the lanes come that get none."""
        heads = {lane: steps[0] for lane, steps in plan.lanes().items()}
        waits = self.take_for(turn, heads)
        return {lane: Outcome(waits_seconds=seconds) for lane, seconds in waits.items()}

    def take_for(
        self, turn: Turn[DesiredT, ObservedT, ActionT], heads: Mapping[str, Step[ActionT]]
    ) -> dict[str, float]:
        """Tokens for these steps; seconds to wait for those that are not there yet, by lane.

        A token in hand serves if it was taken for the same operation.
        """
        assert turn.home is not None  # noqa: S101 - there are no steps without a home
        for lane in tuple(self._held):
            same = lane in heads and heads[lane].action.operation == self._held[lane][0]
            if not same:
                self._held.pop(lane)[1].give_back()
        waits = {}
        for lane, step in heads.items():
            if lane in self._held:
                continue
            try:
                permit = self._kind.permit(step.action, turn.home.scope, turn.resource.key)
            except NoTokenError as error:
                waits[lane] = error.seconds
            else:
                self._held[lane] = (step.action.operation, permit)
        return waits

    def used(self, lane: str) -> None:
        """The step of the lane is sent now, with its token."""
        del self._held[lane]

    def give_back(self) -> None:
        """Return all that were not used."""
        for _, permit in self._held.values():
            permit.give_back()
        self._held.clear()
