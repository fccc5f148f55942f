"""When a run of a job is ended, and what follows the end of a run (pure).

One object has one job in AWS at a time: a run. Looking for the job of a run is another picture
(observed.py); here a run is what has been submitted, or was about to be.

    (held) --suspend: false--> run 1
                                 |
            +--------------------+ it runs
            |                    |
            | suspend, a change under OnChange, the deadline: `stop` is recorded,
            |   then the job is terminated
            v                    v
         stopped              ended by itself
            |                    |
            | DEADLINE           | SUCCEEDED, or FAILED and nothing of the below
            |  `--> Failed       |  `--> Complete or Failed, which stand
            | SUSPENDED          |
            |  `--> (held) ------|--- suspend: false ------> next run, Resumed
            | CHANGED            | the spec has changed ---> next run, Changed
            | DEPENDENCY         | failed by AWS as one that it waited for was stopped: so recorded
            |  `-----------------|-------------------------> next run, DependencyStopped
            |  `-----------------|-------------------------> next run, Changed
            |                    | retryFailedIndexes -----> next run, Retried: the failed indexes
            |                    | lost, see fallback -----> next run, Lost
            |                    |
            +--------------------+ before each next run: the deadline ends it all, suspend holds it

A job that has succeeded has succeeded, whatever was recorded to stop it. What was recorded to be
stopped is stopped, whatever the spec says by then: the call may be on its way, and its effect would
be taken for somebody else's. How a run ended goes into the record of the next one, so that nothing
of it is lost if the process dies in between. After Complete or Failed only a change of the spec
begins another run, and with it the time of the deadline begins anew.
"""

from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.kinds.batchjob import retries
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.observed import (
    Knowledge,
    Observed,
    has_begun,
    is_not_shown_yet,
)
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS, Cause, Stop
from awsbatch_operator.kinds.batchjob.submission import (
    Ended,
    Submission,
)
from awsbatch_operator.kinds.batchjob.wishes import Shown, Wishes

SUCCEEDED = "Succeeded"
UNKNOWN = "Unknown"  # AWS has forgotten the job before its end was seen


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended.

    `stopped`: by us, as its record says. `failure` is the class of an end that came by itself, ""
    if there is none. `stands`: the status says Complete or Failed, so that nothing follows by
    itself any more. `shown`: the status has all that is known of it. `seen`: AWS has shown the end,
    and not merely forgotten the job, or accepted to cancel it. `begun`: it had begun to run.
    """

    succeeded: bool = False
    stopped: bool = False
    failure: str = ""
    stands: bool = False
    shown: bool = False
    seen: bool = True
    begun: bool = False
    job_id: str = ""
    completion_time: str = ""
    failed_indexes: str | None = None
    failed_count: int = 0

    def recorded(self, submission: Submission) -> Ended:
        """As the next run's record has it."""
        result = SUCCEEDED if self.succeeded else self.failure
        if not result and self.stopped and submission.stop is not None:
            result = submission.stop.value
        return Ended(submission.run, self.job_id, result or UNKNOWN, self.completion_time)


class Fate(Enum):
    """What becomes of the job after the end of a run."""

    STANDS = "Stands"  # Complete or Failed
    LATE = "Late"  # Failed, because all runs together had their time
    HELD = "Held"  # Suspended
    AGAIN = "Again"  # another run begins
    TOLD_FIRST = "ToldFirst"  # another run begins once the status says how this one ended


@dataclass(frozen=True, slots=True)
class Next:
    """What follows. `indexes` are those of a run of failed ones; `because`, why none is begun."""

    fate: Fate
    cause: Cause | None = None
    indexes: str = ""
    in_fallback: bool = False
    because: Finding | None = None


_STANDS = Next(Fate.STANDS)
# Failures of a job that did not wait for others any more: an array may not say that it had begun.
_HAVE_BEGUN = frozenset(
    each.value
    for each in (
        Failure.APPLICATION_EXIT,
        Failure.OUT_OF_MEMORY,
        Failure.DISK_FULL,
        Failure.HOST_LOST,
        Failure.IMAGE_PULL,
    )
)


def wanted_stop(
    wishes: Wishes, submission: Submission, now: Instant, *, may_run: bool = True
) -> Stop | None:
    """Why the job that runs is to be ended, if it is.

    Only if another run `may_run` now is it ended for a change: a definition that the changed spec
    names may not be there yet.
    """
    if wishes.is_late(submission, now):
        return Stop.DEADLINE
    if submission.stop is not None:
        return submission.stop
    if wishes.suspend:
        return Stop.SUSPENDED
    if may_run and wishes.on_change and wishes.changed(submission):
        return Stop.CHANGED
    return None


def end_of(observed: Observed, shown: Shown, now: Instant) -> End | None:
    """How the newest run ended; None if it has not, or nobody knows yet."""
    submission, detail = observed.submission, observed.detail
    match observed.knowledge:
        case Knowledge.CONCLUDED:
            return shown_end(submission, shown)
        case Knowledge.FORGOTTEN if not is_not_shown_yet(observed, now):
            stopped = submission.stop is not None
            return End(stopped=stopped, seen=False, job_id=str(detail.get("jobId", "")))
        case Knowledge.FOUND if observed.ended:
            succeeded = observed.state == SUCCEEDED.upper()
            stopped = not succeeded and _stopped_by_us(observed)
            at = detail.get("stoppedAt")
            return End(
                succeeded=succeeded,
                stopped=stopped,
                failure="" if succeeded or stopped else diagnose(observed).failure.value,
                begun=has_begun(detail),
                job_id=observed.job_id,
                completion_time=Instant.from_milliseconds(at).rfc3339() if at else "",
            )
        case Knowledge.FOUND if observed.let_go and submission.stop is not None:
            return End(stopped=True, seen=False, job_id=observed.job_id)
        case _:
            return None


def shown_end(submission: Submission, shown: Shown) -> End:
    """How the run ended, as the status says."""
    succeeded = SUCCEEDED.upper() == shown.ended or shown.result == "Complete"
    return End(
        succeeded=succeeded,
        stopped=submission.stop is not None and not (succeeded or shown.failure or shown.result),
        failure="" if succeeded else shown.failure,
        stands=bool(shown.result),
        shown=True,
        begun=shown.begun,
        job_id=shown.job_id,
        completion_time=shown.completion_time,
        failed_indexes=shown.failed_indexes,
        failed_count=shown.failed_count,
    )


def what_follows(
    wishes: Wishes, submission: Submission, end: End, now: Instant | None = None
) -> Next:
    """What becomes of the job. Without `now`, as if there were no deadline."""
    found = _another_run(wishes, submission, end)
    if end.stopped and submission.stop is Stop.DEADLINE:
        return Next(Fate.LATE)
    if found.fate is Fate.STANDS:
        return found
    if now is not None and not end.stands and wishes.is_late(submission, now):
        return Next(Fate.LATE)
    return Next(Fate.HELD) if wishes.suspend else found


def is_closed(wishes: Wishes, observed: Observed, now: Instant) -> bool:
    """Whether a run of which AWS has no job is not sent any more: the time for it is over."""
    record = observed.submission
    if record.stop is Stop.DEADLINE:
        return True
    first = observed.knowledge is Knowledge.REFUSED and record.attempt == 1 and not record.begun
    return not first and wishes.is_late(record, now)


def needs_another(wishes: Wishes, observed: Observed, shown: Shown) -> bool:
    """Whether another run is to begin, so that what stands in its way matters."""
    submission = observed.submission
    if observed.knowledge is Knowledge.CONCLUDED:
        end = shown_end(submission, shown)
        return what_follows(wishes, submission, end).fate is Fate.AGAIN
    if wishes.suspend or submission.stop is Stop.DEADLINE:
        return False
    changed = wishes.on_change and wishes.changed(submission)
    return submission.stop is not None or changed


def takes_the_newest(following: Next) -> bool:
    """Whether the run takes the newest revision of its definition, like a first one.

    Another one goes on with the revision of the run before: it does a part of the same work.
    """
    return following.cause not in {Cause.RETRIED, Cause.LOST}


def goes_on(wishes: Wishes, submission: Submission, end: End, following: Next) -> bool:
    """Whether the run that follows does the same work as one that had begun to run."""
    same = following.cause in {Cause.RETRIED, Cause.LOST, Cause.RESUMED}
    begun = end.begun or end.failure in _HAVE_BEGUN
    return same and begun and not wishes.changed(submission)


def _another_run(wishes: Wishes, submission: Submission, end: End) -> Next:
    if end.stopped and submission.stop is Stop.SUSPENDED:
        # A run of failed indexes goes on as one, as long as the spec says what it ran.
        same = wishes.retry is not None and not wishes.changed(submission)
        return Next(Fate.AGAIN, Cause.RESUMED, indexes=submission.indexes if same else "")
    if end.stopped and submission.stop is Stop.CHANGED:
        return Next(Fate.AGAIN, Cause.CHANGED)
    if wishes.on_change and wishes.changed(submission):
        return Next(Fate.AGAIN, Cause.CHANGED)
    if end.stopped and submission.stop is Stop.DEPENDENCY:
        # It has not begun: what it was about to do, and where, is as before.
        indexes, moved = submission.indexes, submission.in_fallback
        return Next(Fate.AGAIN, Cause.DEPENDENCY, indexes=indexes, in_fallback=moved)
    if end.succeeded or not end.seen:
        return _STANDS
    if wishes.retry is not None and wishes.retry.of_run == submission.run:
        return _retried(wishes, submission, end)
    if wishes.fallback is not None and not end.stands and not submission.in_fallback:
        return _lost(wishes.fallback.when, wishes.fallback.after_failures, submission, end)
    return _STANDS


def _retried(wishes: Wishes, submission: Submission, end: End) -> Next:
    """A run of just the failed indexes; the status has them once it says how this one ended."""
    if not end.shown:
        return Next(Fate.TOLD_FIRST, Cause.RETRIED)
    chosen = retries.chosen(wishes, submission, end.failed_indexes, count=end.failed_count)
    if isinstance(chosen, Finding):
        return Next(Fate.STANDS, because=chosen)
    return Next(Fate.AGAIN, Cause.RETRIED, indexes=chosen)


def _lost(when: frozenset[str], after_failures: int, submission: Submission, end: End) -> Next:
    if end.failure not in when:
        return _STANDS
    moves = submission.losses + 1 >= after_failures
    return Next(Fate.AGAIN, Cause.LOST, indexes=submission.indexes, in_fallback=moves)


def _stopped_by_us(observed: Observed) -> bool:
    """Whether AWS says so: a job may have ended by itself just before our call."""
    stop = observed.submission.stop
    if stop is Stop.DEPENDENCY:
        return True
    if stop is None or stop is Stop.HELD:
        return False
    said = str(observed.detail.get("statusReason") or "")
    return observed.stopping or said.startswith(STOP_REASONS[stop])
