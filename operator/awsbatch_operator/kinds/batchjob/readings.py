"""Whose log lines are read when, so that a burst of jobs that end holds nothing up.

AWS answers few such reads a second, and cannot be asked for more. A turn that waited for its read
would keep a worker from other objects, so each ended job gets a moment of its own. Where that would
be too late, the job's end is told without its lines.
"""

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope

# GetLogEvents: 10 calls a second where the quota is lowest ("CloudWatch Logs service quotas"), and
# a read is one call, or two of a job that wrote nothing.
A_SECOND = 5.0
AT_ONCE = 5  # reads that need not wait for each other
_SAVED_SECONDS = (AT_ONCE - 0.5) / A_SECOND  # half a step off, so that no rounding matters


class Readings:
    """The moments given to jobs. For one event loop; all of it may be lost at any moment."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, str], Instant] = {}  # account and region -> the next moment
        self._due: dict[ObjectKey, Instant] = {}

    def due(self, key: ObjectKey, scope: Scope, now: Instant, *, patience: float) -> Instant | None:
        """When the job's lines are to be read; None if that were more than `patience` seconds away.

        The answer stays the same until `forget`.
        """
        if key in self._due:
            return self._due[key]
        place = (scope.account_id, scope.region)
        earliest = now.plus(-_SAVED_SECONDS)
        moment = max(self._free.get(place, earliest), earliest)
        due = max(moment, now)
        if due.since(now) > patience:
            return None
        self._free[place] = moment.plus(1 / A_SECOND)
        self._due[key] = due
        return due

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self._due.pop(key, None)

    def __len__(self) -> int:
        return len(self._due)
