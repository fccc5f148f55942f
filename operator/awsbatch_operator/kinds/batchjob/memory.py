"""What this process itself saw of its submissions: never needed for safety, only for speed.

All of it may be lost at any moment; then the slower way through AWS's listing is taken.
"""

from dataclasses import dataclass

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kinds.batchjob.submission import Submission


@dataclass(slots=True)
class _Run:
    submission: Submission
    sent: Instant | None = None
    refused: bool = False
    job_id: str | None = None
    state: str = ""
    since: Instant | None = None


class SubmissionMemory:
    """The newest run of each object: when it was sent, and what is known of the outcome."""

    def __init__(self) -> None:
        self._runs: dict[ObjectKey, _Run] = {}

    def sending(self, key: ObjectKey, submission: Submission, now: Instant) -> None:
        """SubmitJob is about to be sent: from here on the outcome is unknown."""
        self._runs[key] = _Run(submission, sent=now)

    def refused(self, key: ObjectKey) -> None:
        """This process saw that AWS did not do what was last sent, or that nothing went out."""
        self._runs[key].refused = True

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

    def sent(self, key: ObjectKey, submission: Submission) -> Instant | None:
        """When this process last sent the call."""
        return self._entry(key, submission).sent

    def since(self, key: ObjectKey, submission: Submission, state: str, now: Instant) -> Instant:
        """Since when the job has been seen in this state."""
        entry = self._entry(key, submission)
        if entry.state != state or entry.since is None:
            entry.state, entry.since = state, now
        return entry.since

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
        return entry
