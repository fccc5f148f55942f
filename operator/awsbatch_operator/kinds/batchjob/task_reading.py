"""Reads which tasks of a packed array failed: in the output of its failed jobs, at its end.

AWS answers few reads of output a second, so each job that failed gets a moment of its own, as the
output of any ended job does; an array of which many have failed is read in many turns, with other
objects in between. What has not been read when the end cannot be held back any longer counts as
failed whole: a task that is done again costs less than one that is missing.
"""

import asyncio
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import BatchPort, LogsPort
from awsbatch_operator.kinds.batchjob import tasks
from awsbatch_operator.kinds.batchjob.children import JobShape, child_id
from awsbatch_operator.kinds.batchjob.log_place import log_place
from awsbatch_operator.kinds.batchjob.observed import Observed, Output
from awsbatch_operator.kinds.batchjob.output import (
    AT_ONCE,
    HELD_BACK_SECONDS,
    PATIENCE_SECONDS,
    REGION_FORM,
    Readings,
)
from awsbatch_operator.kinds.batchjob.packing import Report, nonce_of, report
from awsbatch_operator.kinds.outcomes import backs_off

READ_MOST = 500  # failed jobs of an array; at five a second
LINES = 5  # the script's last line is the last of the job, but for what the container's end brings
_UNKNOWN = Report((), whole=False)


@dataclass(slots=True)
class _Read:
    """What was read of an object's job so far; `over`: nothing more is."""

    job_id: str
    reports: dict[int, Report] = field(default_factory=dict)
    trouble: str = ""
    over: bool = False


class _UnreadableError(Exception):
    """Output of which it is certain that it cannot be read."""


@dataclass(frozen=True, slots=True)
class TaskReader:
    """Reads them. What was read is kept until the end of the job stands in the status."""

    batch: BatchPort
    logs: LogsPort
    clock: Clock
    readings: Readings
    _read: dict[ObjectKey, _Read] = field(default_factory=dict)

    async def added(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        """What is known of a job that has ended, with how its tasks did.

        `output.due` is set while more is to be read. Raises AwsError and NoTokenError.
        """
        packing, children = observed.submission.packing, observed.children
        if packing is None:
            return observed
        if observed.state == "SUCCEEDED":
            return replace(observed, children=tasks.succeeded(children, packing))
        if children is not None and children.trouble:
            return replace(observed, children=tasks.under_way(children, packing))
        jobs = (0,) if children is None else children.failed or ()
        read = self._read.get(resource.key)
        if read is None or read.job_id != observed.job_id:
            read = self._read[resource.key] = _Read(observed.job_id)
        if not read.over:
            due = await self._go_on(resource.key, observed, scope, read, jobs)
            if due is not None:
                return replace(observed, output=Output(due=due))
            read.over = True
        unread = [job for job in jobs if job not in read.reports]
        made = tasks.failed(children, packing, read.reports, unread=unread, trouble=read.trouble)
        return replace(observed, children=made)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self._read.pop(key, None)
        self.readings.forget(_token(key))

    def __len__(self) -> int:
        return len(self._read)

    async def _go_on(
        self, key: ObjectKey, observed: Observed, scope: Scope, read: _Read, jobs: tuple[int, ...]
    ) -> Instant | None:
        """Read a handful; the moment of the next ones, None if there is no more to be read."""
        now = self.clock.now()
        since = observed.since or now
        begins = since.plus(PATIENCE_SECONDS)  # the last line may be on its way
        if now < begins:
            return begins
        ends = since.plus(HELD_BACK_SECONDS[observed.state])
        rest = [job for job in jobs if job not in read.reports][: READ_MOST - len(read.reports)]
        given, later = self._given(key, scope, len(rest), ends.since(now))
        chosen = rest[:given]
        found = await asyncio.gather(
            *(self._report(observed, scope, job) for job in chosen), return_exceptions=True
        )
        failures = [each for each in found if isinstance(each, BaseException)]
        read.reports |= {
            job: each
            for job, each in zip(chosen, found, strict=True)
            if not isinstance(each, BaseException)
        }
        if failures:
            return self._after(failures[0], read, now, ends)
        return None if given == len(rest) else later

    def _given(
        self, key: ObjectKey, scope: Scope, wanted: int, patience: float
    ) -> tuple[int, Instant | None]:
        """How many may be read now, and when the next ones; None: that were too late."""
        token, now = _token(key), self.clock.now()
        for given in range(min(wanted, AT_ONCE)):
            due = self.readings.due(token, scope, now, patience=max(patience, 0.0))
            if due is None or due > now:
                return given, due
            self.readings.forget(token)
        return min(wanted, AT_ONCE), now

    def _after(
        self, error: BaseException, read: _Read, now: Instant, ends: Instant
    ) -> Instant | None:
        """What did not work passes, and is tried again for a while; or it does not."""
        if not isinstance(error, AwsError | _UnreadableError):
            raise error
        if isinstance(error, AwsError) and backs_off(error) and now < ends:
            return now.plus(PATIENCE_SECONDS)
        read.trouble = str(error)
        return None

    async def _report(self, observed: Observed, scope: Scope, job: int) -> Report:
        """What the script of that job has written. Raises AwsError and _UnreadableError."""
        one = observed
        if observed.children is not None:
            job_id = child_id(JobShape.ARRAY, observed.job_id, job)
            detail = await self.batch.job(scope, job_id)
            one = replace(observed, detail=detail or {"status": "FAILED"}, children=None)
        place = log_place(one, scope.region)
        if place.driver != "awslogs":
            raise _UnreadableError(
                f"it goes to the log driver {place.driver} ({place.destination})"
            )
        if not place.stream:
            return _UNKNOWN  # its container never ran
        region = place.region or scope.region
        if not REGION_FORM.fullmatch(region):
            raise _UnreadableError(f"{region[:64]!r}, its awslogs-region, is no AWS region")
        there = replace(scope, region=region)
        lines = await self.logs.last_lines(there, place.group, place.stream, count=LINES)
        submission = observed.submission
        return report(reversed(lines), nonce=nonce_of(submission.uid, submission.run))


def _token(key: ObjectKey) -> ObjectKey:
    """Apart from that of the lines in the object's status."""
    return key._replace(name=f"{key.name}/tasks")
