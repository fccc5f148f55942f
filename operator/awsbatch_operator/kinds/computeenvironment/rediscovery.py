"""Under which name AWS has the environment of an object that knows nothing of it any more.

A cluster that was built anew from Git has the objects and none of their annotations. The first name
of an environment follows from its object; a name that a replacement gave it follows from the first
one but for its end, and its tags say whose it is. What carries the tags under any other name is a
copy that somebody has made, or was made for another `awsName`: it is left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import may_succeed
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort

_OURS = frozenset({Ownership.OURS, Ownership.RECREATED})


@dataclass(frozen=True, slots=True)
class Rediscovery:
    """Looks in what the shared feed has read: no call is made for it while that is current.

    What it read is half a minute old at most, and was read since this process leads. What was made
    since then stands in a record, and of an object that has one nobody asks.
    """

    batch: BatchPort
    owner: Owner

    async def look(self, recorded: ScopeRecord, scope: Scope) -> ScopeRecord:
        """The record with the names that AWS has. Raises AwsError and NoTokenError."""
        return self.named(recorded, await self.batch.compute_environments(scope))

    def named(self, recorded: ScopeRecord, environments: Iterable[Shape]) -> ScopeRecord:
        """Of several, the one that takes jobs serves, and the others are still to be removed.

        In the midst of a replacement the first one may still be there, and drain. Of two that are
        as good, the one with the longer name was made later: it takes over, or has done so.
        """
        ours = sorted(filter(self._is_ours, environments), key=standing)
        found = [str(detail["computeEnvironmentName"]) for detail in ours]
        first = recorded.aws_name
        names = [name for name in found if name == first or may_succeed(name, first)]
        if not names or names == [first]:
            return recorded
        current = "" if names[-1] == first else names[-1]
        return replace(recorded, current=current, predecessors=tuple(names[:-1]))

    def _is_ours(self, detail: Shape) -> bool:
        return ownership(detail.get("tags") or {}, self.owner) in _OURS


def standing(detail: Shape) -> tuple[bool, bool, str]:
    """Rises with how likely the environment is the one that took over last."""
    enabled, valid = detail.get("state") == "ENABLED", detail.get("status") == "VALID"
    return enabled, valid, str(detail["computeEnvironmentName"])
