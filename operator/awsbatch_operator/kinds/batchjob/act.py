"""From an action to one AWS call, and what this process remembers of its calls.

None of what is remembered is needed for safety, and all of it may be lost at any moment: the slower
way through AWS's listing is taken then.
"""

from dataclasses import dataclass
from typing import Any, assert_never

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import BatchPort, JobFeed
from awsbatch_operator.kinds.batchjob.actions import JobCall, Submit, Terminate
from awsbatch_operator.kinds.batchjob.children import children_of
from awsbatch_operator.kinds.batchjob.observed import REASONS_KEPT, Knowledge, Observed, Said
from awsbatch_operator.kinds.batchjob.submission import Submission


@dataclass(slots=True)
class _Run:
    submission: Submission
    sent: Instant | None = None
    refused: bool = False
    job_id: str | None = None
    state: str = ""
    since: Instant | None = None
    said: tuple[Said, ...] = ()
    queue_gone: bool = False


class SubmissionMemory:
    """The newest run of each object: when it was sent, and what is known of the outcome."""

    def __init__(self) -> None:
        self._runs: dict[ObjectKey, _Run] = {}

    def sending(self, key: ObjectKey, submission: Submission, now: Instant) -> None:
        """SubmitJob is about to be sent: from here on the outcome is unknown."""
        self._runs[key] = _Run(submission, sent=now)

    def not_sent(self, key: ObjectKey, submission: Submission, now: Instant) -> None:
        """The run was recorded, and what comes before its SubmitJob is under way."""
        self._runs[key] = _Run(submission, sent=now, refused=True)

    def refused(self, key: ObjectKey) -> None:
        """This process saw that AWS did not do what was last sent, or that nothing went out."""
        self._runs[key].refused = True

    def unanswered(self, key: ObjectKey, now: Instant) -> None:
        """No answer came to what was last sent; it may have been on the wire until now."""
        self._runs[key].sent = now

    def is_job(self, key: ObjectKey, submission: Submission, job_id: str) -> None:
        """The run is this job in AWS."""
        self._entry(key, submission).job_id = job_id

    def submission(self, key: ObjectKey, uid: str) -> Submission | None:
        """The object's run that was last sent or seen."""
        entry = self._runs.get(key)
        return entry.submission if entry is not None and entry.submission.uid == uid else None

    def was_refused(self, key: ObjectKey, submission: Submission) -> bool:
        """Whether the last call of this run is known to have done nothing."""
        return self._entry(key, submission).refused

    def job_id(self, key: ObjectKey, submission: Submission) -> str | None:
        """The job of the run, while it does not stand in the status yet."""
        return self._entry(key, submission).job_id

    def queue_is_gone(self, key: ObjectKey, submission: Submission) -> None:
        """AWS does not have the queue that the run was sent to: nobody can look for it any more."""
        self._entry(key, submission).queue_gone = True

    def has_no_queue(self, key: ObjectKey, submission: Submission) -> bool:
        """Whether that was seen."""
        return self._entry(key, submission).queue_gone

    def sent(self, key: ObjectKey, submission: Submission) -> Instant | None:
        """The last moment at which a call of this process may have gone out."""
        return self._entry(key, submission).sent

    def since(self, key: ObjectKey, submission: Submission, state: str, now: Instant) -> Instant:
        """Since when the job has been seen in this state."""
        entry = self._entry(key, submission)
        if entry.state != state or entry.since is None:
            entry.state, entry.since = state, now
        return entry.since

    def heard(
        self, key: ObjectKey, submission: Submission, state: str, words: str, now: Instant
    ) -> tuple[Said, ...]:
        """All that AWS was seen to say of the run, these words included.

        AWS overwrites its own words, and not each of them comes with a write of the status.
        """
        entry = self._entry(key, submission)
        if words and (not entry.said or entry.said[-1].words != words):
            entry.said = (*entry.said[1 - REASONS_KEPT :], Said(now, state, words))
        return entry.said

    def forget(self, key: ObjectKey) -> str | None:
        """The object has reached its end, or is gone; its job, if that was known."""
        entry = self._runs.pop(key, None)
        return None if entry is None else entry.job_id

    def __len__(self) -> int:
        return len(self._runs)

    def _entry(self, key: ObjectKey, submission: Submission) -> _Run:
        """What is known of exactly this run; of an object's runs only the newest is kept."""
        entry = self._runs.get(key)
        same = entry is not None and (
            (entry.submission.uid, entry.submission.run) == (submission.uid, submission.run)
        )
        if entry is None or not same:
            entry = self._runs[key] = _Run(submission)
        entry.submission = submission
        return entry


async def act_on_job(
    action: JobCall,
    scope: Scope,
    *,
    batch: BatchPort,
    feed: JobFeed,
    memory: SubmissionMemory,
    clock: Clock,
) -> Observed | None:
    """Send it; what this process saw of it is remembered.

    Raises AwsError, LeaseLostError and NoTokenError.
    """
    match action:
        case Submit():
            observed = await _submit(action, scope, batch=batch, memory=memory, clock=clock)
            queue, detail = action.request["jobQueue"], observed.detail
            feed.follow(scope, observed.job_id, queue, action.key, detail=detail)
            return observed
        case Terminate():
            await batch.terminate_job(scope, action.job_id, action.reason)
            return None
        case never:
            assert_never(never)


async def _submit(
    action: Submit, scope: Scope, *, batch: BatchPort, memory: SubmissionMemory, clock: Clock
) -> Observed:
    """SubmitJob.

    The call may wait for a rate token and for a thread before it goes out, for longer than an
    outcome takes to settle, and an answer may be lost at the end of a long wait. A look-up that
    counted from before the call would then come before AWS lists the job, and a second one would
    be submitted. So the time is taken again whenever the call ends without an answer: it was on
    the wire until then, at the latest. A call whose wait is cancelled may still go out in its
    thread, which ends within the timeouts of a call; settling is longer than those.
    """
    key, submission = action.key, action.submission
    memory.sending(key, submission, clock.now())
    try:
        answer = await batch.submit_job(scope, action.request)
    except (LeaseLostError, NoTokenError):
        memory.refused(key)
        raise
    except AwsError as error:
        if error.outcome_unknown:
            memory.unanswered(key, clock.now())
        else:
            memory.refused(key)
        raise
    except BaseException:
        memory.unanswered(key, clock.now())
        raise
    now = clock.now()
    memory.is_job(key, submission, str(answer["jobId"]))
    since = memory.since(key, submission, "SUBMITTED", now)
    detail = _as_detail(action, answer, now.epoch)
    return Observed(
        Knowledge.FOUND,
        submission,
        sent=now,
        detail=detail,
        since=since,
        children=children_of(detail),
    )


def _as_detail(action: Submit, answer: Any, epoch: float) -> dict[str, Any]:
    """What DescribeJobs would say now; it may not know the job yet."""
    array = action.request.get("arrayProperties")
    return ({"arrayProperties": dict(array)} if array else {}) | {
        "jobId": answer["jobId"],
        "jobName": action.request["jobName"],
        "jobQueue": action.request["jobQueue"],
        "jobDefinition": action.request["jobDefinition"],
        "status": "SUBMITTED",
        "createdAt": int(epoch * 1000),
        "tags": action.request["tags"],
    }
