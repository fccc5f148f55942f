"""What this process has registered and AWS may not list yet.

RegisterJobDefinition makes a new revision each time, and DescribeJobDefinitions may lag behind it:
whoever trusts the listing then registers the same content twice. So what was answered counts until
the listing must have caught up, and after a call without an answer nothing is registered until
then.

If the listing leaves a revision out for good, another one is registered, and it is waited for twice
as long each time: AWS may take registrations and never show one.

The next process knows nothing of that. It is told by the object: a registration that was written
down before its call, and of which the status shows no result, may have been made at any moment
until this process won the lease. So nothing is registered before the listing must have caught up
with that moment, either; unless this process has made a call of its own for the name, because it
does so only when nothing from before is open.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.api.tags import CONTENT
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS

_Name = tuple[str, str, str]  # account, region and AWS name
_DOUBLED = 7  # times: about an hour


@dataclass(frozen=True, slots=True)
class Revision:
    """One ACTIVE revision. `content` are the members that were registered, as AWS returns them."""

    arn: str
    number: int
    tags: Mapping[str, str]
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """The hash that we tagged it with; "" if it has none."""
        return self.tags.get(CONTENT, "")


@dataclass(slots=True)
class _Recent:
    revisions: dict[str, tuple[float, Revision]] = field(default_factory=dict)  # by ARN
    retired: dict[str, float] = field(default_factory=dict)  # by ARN
    listed: set[str] = field(default_factory=set)  # ARNs of those that AWS has listed since
    unanswered: float | None = None


class Registrations:
    """By name, for as long as listings may lag. For one event loop; may be lost at any moment."""

    def __init__(self, clock: Clock, leadership: LeadershipStart) -> None:
        self._clock = clock
        self._leadership = leadership
        self._recent: dict[_Name, _Recent] = {}
        self._missed: dict[_Name, int] = {}  # revisions in a row that were never listed
        self._called: set[_Name] = set()  # by a process that leads only since a moment ago

    def answered(self, scope: Scope, name: str, revision: Revision) -> None:
        """AWS has registered this revision just now."""
        recent = self._of(scope, name)
        recent.revisions[revision.arn] = (self._clock.monotonic(), revision)
        self._has_called(scope, name)

    def listed(self, scope: Scope, name: str, arns: Collection[str]) -> None:
        """AWS lists these revisions of the name."""
        recent = self._recent.get(_key(scope, name))
        found = recent.revisions.keys() & arns if recent is not None else set()
        if recent is not None and found:
            recent.listed |= found
            self._missed.pop(_key(scope, name), None)

    def unanswered(self, scope: Scope, name: str) -> None:
        """A call that registers got no answer, and was on the wire until now at the latest."""
        self._of(scope, name).unanswered = self._clock.monotonic()
        self._has_called(scope, name)

    def refused(self, scope: Scope, name: str) -> None:
        """AWS has not done it."""
        self._has_called(scope, name)

    def retired(self, scope: Scope, arn: str) -> None:
        """The revision was deregistered."""
        recent = self._of(scope, _name_in(arn))
        recent.revisions.pop(arn, None)
        recent.retired[arn] = self._clock.monotonic()

    def tagged(
        self, scope: Scope, arn: str, tags: Mapping[str, str], gone: Collection[str]
    ) -> None:
        """The revision got these tags, and lost those of the keys `gone`.

        The listing does not show that as long as it leaves the revision out, and the same call
        would be made again and again until it does.
        """
        recent = self._recent.get(_key(scope, _name_in(arn)))
        if recent is None or arn not in recent.revisions:
            return
        at, revision = recent.revisions[arn]
        kept = {key: value for key, value in revision.tags.items() if key not in gone}
        recent.revisions[arn] = at, replace(revision, tags={**kept, **tags})

    def may_be_unlisted(self, scope: Scope, arn: str, registered: Instant) -> bool:
        """Whether AWS may have the revision although it does not list it, registered then.

        Not if this process has just deregistered it; that lasts in memory as long as the doubt.
        """
        if self._clock.now().since(registered) >= APPEARING_SECONDS:
            return False
        recent = self._recent.get(_key(scope, _name_in(arn)))
        return recent is None or arn not in recent.retired

    def was_retired(self, scope: Scope, arn: str) -> bool:
        """Whether this process deregistered it so lately that AWS may list it all the same."""
        name = _name_in(arn)
        self._forget_old(_key(scope, name))
        recent = self._recent.get(_key(scope, name))
        return recent is not None and arn in recent.retired

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

    def doubt_left(self, scope: Scope, name: str) -> float:
        """Seconds for which a revision that another process has registered may yet be unlisted."""
        left = self._young_for()
        return left if _key(scope, name) not in self._called else 0.0

    def _has_called(self, scope: Scope, name: str) -> None:
        if self._young_for():
            self._called.add(_key(scope, name))

    def _young_for(self) -> float:
        """Seconds until AWS lists all that was made before this process won the lease."""
        won = self._leadership.at
        left = 0.0 if won is None else won.plus(APPEARING_SECONDS).since(self._clock.now())
        if left <= 0.0:
            self._called.clear()
        return max(left, 0.0)

    def _of(self, scope: Scope, name: str) -> _Recent:
        return self._recent.setdefault(_key(scope, name), _Recent())

    def _forget_old(self, key: _Name) -> None:
        recent = self._recent.get(key)
        if recent is None:
            return
        oldest = self._clock.monotonic() - APPEARING_SECONDS
        missed = self._missed.get(key, 0)
        latest = self._clock.monotonic() - APPEARING_SECONDS * 2.0 ** min(missed, _DOUBLED)
        for arn in [arn for arn, (at, _) in recent.revisions.items() if at < latest]:
            del recent.revisions[arn]
            if arn not in recent.listed:
                self._missed[key] = self._missed.get(key, 0) + 1
            recent.listed.discard(arn)
        for arn in [arn for arn, at in recent.retired.items() if at < oldest]:
            del recent.retired[arn]
        if recent.unanswered is not None and recent.unanswered < oldest:
            recent.unanswered = None
        if not recent.revisions and not recent.retired and recent.unanswered is None:
            del self._recent[key]


def _name_in(arn: str) -> str:
    return arn.rpartition("/")[2].partition(":")[0]


def _key(scope: Scope, name: str) -> _Name:
    return scope.account_id, scope.region, name
