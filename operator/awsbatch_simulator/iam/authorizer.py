"""Judges each request by the policies of whoever sends it.

Who has no policies at all may do everything: a sandbox needs none. Sources: "Policy evaluation
logic" in the IAM user guide; the words of a denial are each service's own (`protocol/refusals`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.iam.needs import needs
from awsbatch_simulator.iam.policy import Decision, Need, Statement, judge, statements_of
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.protocol.refusals import Refusals
from awsbatch_simulator.world import World


class Documents(Protocol):
    """The identity policies that IAM has."""

    @property
    def changes(self) -> int:
        """Grows with everything that may have changed a policy."""

    def of(self, place: Place, kind: str, name: str) -> Iterable[Mapping[str, Any]]:
        """The policies of a user or a role, inline and attached ones, those of its groups too."""


@dataclass(frozen=True, slots=True)
class Use:
    """A statement that has allowed something, or a denial (without a statement)."""

    principal: str
    action: str
    statement: str
    resource: str  # the statement's pattern; of a denial, what was asked for


@dataclass(frozen=True, slots=True)
class _Known:
    """The statements of a principal, as long as nothing has changed."""

    changes: int
    told: Mapping[str, Any]  # the setting
    statements: tuple[Statement, ...] | None


class Authorizer:
    """Callers hold the world's lock."""

    def __init__(self, world: World, documents: Documents) -> None:
        self._world = world
        self._documents = documents
        self._known: dict[str, _Known] = {}
        self.allowed: Counter[Use] = Counter()
        self.denied: Counter[Use] = Counter()

    def check(
        self, operation: Operation, caller: Caller, request: dict[str, Any], codes: Refusals
    ) -> None:
        """Raise the service's own AwsFailure if a policy of the caller is missing or denies."""
        statements = self._statements(caller)
        if statements is None:
            return
        principal = caller.principal
        own = {"aws:principalarn": principal, "aws:requestedregion": caller.place.region}
        for need in needs(self._world.region(caller.place), operation, request):
            judged = judge(statements, Need(need.action, need.resource, {**own, **need.context}))
            if judged.decision is Decision.ALLOWED:
                self.allowed[Use(principal, need.action, judged.statement, judged.resource)] += 1
                continue
            self.denied[Use(principal, need.action, judged.statement, need.resource)] += 1
            explicit = judged.decision is Decision.DENIED
            raise codes.denial(principal, need.action, need.resource, explicit=explicit)

    def clear(self) -> None:
        """Forget what has been allowed and denied."""
        self.allowed.clear()
        self.denied.clear()

    def report(self) -> dict[str, Any]:
        """As `GET /_simulator/permissions` answers."""
        return {"allowed": _shown(self.allowed), "denied": _shown(self.denied)}

    def _statements(self, caller: Caller) -> tuple[Statement, ...] | None:
        """All statements about the caller; None if it has no policy."""
        known, told = self._known.get(caller.principal), self._world.settings.policies
        if known is not None and known.changes == self._documents.changes and known.told is told:
            return known.statements
        documents = self._of(caller)
        statements = tuple(each for one in documents for each in statements_of(one))
        made = _Known(self._documents.changes, told, statements if documents else None)
        self._known[caller.principal] = made
        return made.statements

    def _of(self, caller: Caller) -> list[Mapping[str, Any]]:
        """The policies of a user or, for a session, of its role."""
        kind, _, rest = caller.principal.rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            kind, name = "role", rest.partition("/")[0]
        else:
            name = rest.rpartition("/")[2]
        found = list(self._documents.of(caller.place, kind, name))
        begins = f"arn:aws:iam::{caller.place.account}:{kind}/"
        for arn, documents in self._world.settings.policies.items():
            path_and_name = arn.startswith(begins) and arn.rpartition("/")[2] == name
            if path_and_name or fnmatchcase(f"{begins}{name}", arn):
                found.extend(documents)
        return found


def _shown(uses: Counter[Use]) -> list[dict[str, Any]]:
    return [
        {
            "principal": use.principal,
            "action": use.action,
            "statement": use.statement,
            "resource": use.resource,
            "count": count,
        }
        for use, count in uses.items()
    ]
