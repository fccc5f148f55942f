"""What this process has registered and AWS may not list yet.

RegisterJobDefinition makes a new revision each time, and DescribeJobDefinitions may lag behind it:
whoever trusts the listing then registers the same content twice. So what was answered counts until
the listing must have caught up, and after a call without an answer nothing is registered until
then. A process that follows one that died begins when its lease is over, which is later. One that
is handed the lease knows what was answered from the status; what got no answer just before the
handover, and is not listed yet, it registers once more.
"""

from dataclasses import dataclass, field

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.kinds.jobdefinition.revision import Revision
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS

_Name = tuple[str, str, str]  # account, region and AWS name


@dataclass(slots=True)
class _Recent:
    revisions: dict[str, tuple[float, Revision]] = field(default_factory=dict)  # by ARN
    unanswered: float | None = None


class Registrations:
    """By name, for as long as listings may lag. For one event loop; may be lost at any moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: dict[_Name, _Recent] = {}

    def answered(self, scope: Scope, name: str, revision: Revision) -> None:
        """AWS has registered this revision just now."""
        recent = self._of(scope, name)
        recent.revisions[revision.arn] = (self._clock.monotonic(), revision)

    def unanswered(self, scope: Scope, name: str) -> None:
        """A call that registers got no answer, and was on the wire until now at the latest."""
        self._of(scope, name).unanswered = self._clock.monotonic()

    def retired(self, scope: Scope, arn: str) -> None:
        """The revision was deregistered."""
        recent = self._recent.get(_key(scope, arn.rpartition("/")[2].partition(":")[0]))
        if recent is not None:
            recent.revisions.pop(arn, None)

    def revisions(self, scope: Scope, name: str) -> tuple[Revision, ...]:
        """What was registered so lately that the listing may leave it out."""
        self._forget_old(_key(scope, name))
        recent = self._recent.get(_key(scope, name))
        return () if recent is None else tuple(one for _, one in recent.revisions.values())

    def in_doubt(self, scope: Scope, name: str) -> bool:
        """Whether a revision may exist that neither the listing nor an answer has shown yet."""
        self._forget_old(_key(scope, name))
        recent = self._recent.get(_key(scope, name))
        return recent is not None and recent.unanswered is not None

    def _of(self, scope: Scope, name: str) -> _Recent:
        return self._recent.setdefault(_key(scope, name), _Recent())

    def _forget_old(self, key: _Name) -> None:
        recent = self._recent.get(key)
        if recent is None:
            return
        oldest = self._clock.monotonic() - APPEARING_SECONDS
        for arn in [arn for arn, (at, _) in recent.revisions.items() if at < oldest]:
            del recent.revisions[arn]
        if recent.unanswered is not None and recent.unanswered < oldest:
            recent.unanswered = None
        if not recent.revisions and recent.unanswered is None:
            del self._recent[key]


def _key(scope: Scope, name: str) -> _Name:
    return scope.account_id, scope.region, name
