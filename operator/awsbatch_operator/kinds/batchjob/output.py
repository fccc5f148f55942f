"""The last lines that a job has written, for its status.

AWS answers few such reads a second, and cannot be asked for more. A turn that waited for its read
would keep a worker from other objects, so each ended job gets a moment of its own. Where that would
be too late, the job's end is told without its lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import LogsPort
from awsbatch_operator.kinds.batchjob.log_place import LogPlace, log_place
from awsbatch_operator.kinds.batchjob.masking import masked_lines
from awsbatch_operator.kinds.batchjob.observed import Observed, Output
from awsbatch_operator.kinds.outcomes import backs_off
from awsbatch_operator.schema.forms import REGION

DEFAULT_LINES = 5
PATIENCE_SECONDS = 3.0  # how long a job that wrote nothing yet may still be writing
# The longest that an end is held back while other jobs' lines are read. A failure's are worth more.
HELD_BACK_SECONDS = {"SUCCEEDED": 15.0, "FAILED": 120.0}
# GetLogEvents: 10 calls a second where the quota is lowest ("CloudWatch Logs service quotas"), and
# a read is one call, or two of a job that wrote nothing.
A_SECOND = 5.0
AT_ONCE = 5  # reads that need not wait for each other
_SAVED_SECONDS = (AT_ONCE - 0.5) / A_SECOND  # half a step off, so that no rounding matters
REGION_FORM = re.compile(REGION.pattern)  # a host name is made of it


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
        where = (scope.account_id, scope.region)
        earliest = now.plus(-_SAVED_SECONDS)
        moment = max(self._free.get(where, earliest), earliest)
        due = max(moment, now)
        if due.since(now) > patience:
            return None
        self._free[where] = moment.plus(1 / A_SECOND)
        self._due[key] = due
        return due

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self._due.pop(key, None)

    def __len__(self) -> int:
        return len(self._due)


@dataclass(frozen=True, slots=True)
class OutputReader:
    """Reads them, unless the installation wants no output in any status."""

    logs: LogsPort
    clock: Clock
    wanted: bool = True
    readings: Readings = field(default_factory=Readings)

    async def added(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        """What is known of an ended job, with its last lines if they can be had."""
        count = resource.spec.get("logs", {}).get("statusLines", DEFAULT_LINES)
        place = log_place(observed, scope.region)
        if not (self.wanted and count and place.readable):
            return replace(observed, output=Output(lines=()))
        if place.region and not REGION_FORM.fullmatch(place.region):
            words = (
                f"{place.region[:64]!r}, the awslogs-region of the definition, is not an AWS region"
            )
            return replace(observed, output=Output(lines=(), trouble=words))
        there = replace(scope, region=place.region or scope.region)
        output = await self._read(resource.key, observed, there, place, count)
        return replace(observed, output=output)

    async def _read(
        self, key: ObjectKey, observed: Observed, scope: Scope, place: LogPlace, count: int
    ) -> Output:
        now, patience = self.clock.now(), HELD_BACK_SECONDS[observed.state]
        due = self.readings.due(key, scope, now, patience=patience)
        if due is None:
            return Output(lines=(), skipped=True)
        if due > now:
            return Output(due=due)
        waited = now.since(observed.since or now) >= PATIENCE_SECONDS
        lines: Sequence[str] = ()
        trouble = ""
        try:
            lines = await self.logs.last_lines(scope, place.group, place.stream, count=count)
        except AwsError as error:
            trouble = _trouble(error, place)
            waited = waited or not backs_off(error)
        if not lines and not waited:
            # Trouble may pass at once; what is empty is read again when nobody writes any more.
            due = None if trouble else (observed.since or now).plus(PATIENCE_SECONDS)
            return Output(due=due, trouble=trouble)
        return Output(lines=masked_lines(lines), trouble=trouble)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self.readings.forget(key)


def _trouble(error: AwsError, place: LogPlace) -> str:
    if error.kind is not ErrorKind.DENIED:
        return str(error)
    return (
        f"{error}. Grant logs:GetLogEvents on the log group {place.group} to the operator's "
        "identity (deploy/iam/README.md says where)"
    )
