"""Where an object lives: by today's answer, and by what was recorded."""

from dataclasses import dataclass, replace
from typing import Generic

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RecordError
from awsbatch_operator.api.scope import NoTokenError, Scope, ScopeRecord
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds import gates
from awsbatch_operator.kinds.accounts import Home, Homes
from awsbatch_operator.kinds.contract import ActionT, DesiredT, Kind, ObservedT
from awsbatch_operator.kinds.scope_record import recorded_in, unreadable
from awsbatch_operator.kinds.turn import Turn


@dataclass(frozen=True, slots=True)
class Places(Generic[DesiredT, ObservedT, ActionT]):
    """Asks for an object's home; why there is none goes into its turn.

    `scoped` is off for the AWSAccount, which lives in no account: its scope is not recorded.
    """

    homes: Homes
    kind: Kind[DesiredT, ObservedT, ActionT]
    scoped: bool

    async def today(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> Home | None:
        """Where the object lives; None, with a finding, if today's answer is not the recorded."""
        today = await self._asked(turn, None)
        if not isinstance(today, Home):
            return None
        recorded = self._recorded(turn)
        if recorded is None:
            return None if turn.findings else await self._rediscovered(turn, today)
        changed = gates.scope_changed(recorded, today.recorded)
        if changed is not None:
            turn.findings.append(changed)
            return None
        return replace(today, recorded=gates.completed(recorded, today.recorded))

    async def for_removal(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> Home | None:
        """Where what was recorded can be removed; None, with a finding, if nowhere.

        Where the record was taken away from an object that is held, today's answer has to do.
        """
        recorded = self._recorded(turn)
        home = None if turn.findings else await self._asked(turn, recorded)
        return home if recorded is not None else await self._rediscovered(turn, home)

    async def to_look(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> tuple[Home | None, bool]:
        """Where what was recorded can be looked at, and whether it may be changed there.

        None if it cannot be reached, or is not known: no finding tells of it, since a gate has one.
        """
        try:
            recorded = recorded_in(turn.resource)
        except RecordError:
            return None, False
        if recorded is None:
            return None, False
        before = tuple(turn.findings)
        home = await self._asked(turn, recorded)
        refused = home is None and turn.findings != list(before)
        turn.findings[:] = before
        if not refused:
            return home, True
        home = await self._asked(turn, recorded, to_look=True)
        turn.findings[:] = before
        return home, False

    async def _rediscovered(
        self, turn: Turn[DesiredT, ObservedT, ActionT], home: Home | None
    ) -> Home | None:
        """The home where nothing is recorded: AWS may have the thing under a later name."""
        if home is None or not self.scoped:
            return home
        try:
            found = await self.kind.rediscovered(turn.resource, home.recorded, home.scope)
        except AwsError as error:
            turn.error = error
            return None
        except NoTokenError as error:
            turn.no_token_seconds = error.seconds
            return None
        return replace(home, recorded=found)

    def _recorded(self, turn: Turn[DesiredT, ObservedT, ActionT]) -> ScopeRecord | None:
        """What was recorded first; a finding if that cannot be read."""
        if not self.scoped:
            return None
        try:
            return recorded_in(turn.resource)
        except RecordError as error:
            turn.findings.append(unreadable(error))
            return None

    async def _asked(
        self,
        turn: Turn[DesiredT, ObservedT, ActionT],
        recorded: ScopeRecord | None,
        *,
        to_look: bool = False,
    ) -> Home | None:
        """The home of the record, or without one today's; else why not is in the turn."""
        answer: Home | Scope | Finding
        try:
            if recorded is None:
                answer = await self.homes.resolve(turn.resource)
            else:
                answer = await self.homes.of_record(turn.resource, recorded, to_look=to_look)
        except AwsError as error:
            turn.error = error
            return None
        except NoTokenError as error:
            turn.no_token_seconds = error.seconds
            return None
        if isinstance(answer, Finding):
            turn.findings.append(answer)
            return None
        if isinstance(answer, Home):
            return answer
        return None if recorded is None else Home(recorded, answer)
