"""What this process itself saw of its submissions: never needed for safety, only for speed.

All of it may be lost at any moment; then the slower way through AWS's listing is taken.
"""

from dataclasses import dataclass

from awsbatch_operator.api.instant import Instant


@dataclass(slots=True)
class _Run:
    run: int
    sent: Instant | None = None
    refused: bool = False
    job_id: str | None = None
    state: str = ""
    since: Instant | None = None


class SubmissionMemory:
    """Per run (uid, run number): when it was sent, and what is known of the outcome."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}  # by uid: an object has one run at a time

    def sending(self, uid: str, run: int, now: Instant) -> None:
        """SubmitJob is about to be sent: from here on the outcome is unknown."""
        entry = self._entry(uid, run)
        entry.sent, entry.refused, entry.job_id = now, False, None

    def refused(self, uid: str, run: int) -> None:
        """This process saw that AWS did not do it, or that nothing was sent."""
        self._entry(uid, run).refused = True

    def submitted(self, uid: str, run: int, job_id: str) -> None:
        """AWS answered with a job id."""
        self._entry(uid, run).job_id = job_id

    def was_refused(self, uid: str, run: int) -> bool:
        """Whether the last call of this run is known to have done nothing."""
        return self._entry(uid, run).refused

    def job_id(self, uid: str, run: int) -> str | None:
        """The job id that AWS answered, while it does not stand in the status yet."""
        return self._entry(uid, run).job_id

    def sent(self, uid: str, run: int) -> Instant | None:
        """When this process last sent the call."""
        return self._entry(uid, run).sent

    def since(self, uid: str, run: int, state: str, now: Instant) -> Instant:
        """Since when the job has been seen in this state."""
        entry = self._entry(uid, run)
        if entry.state != state or entry.since is None:
            entry.state, entry.since = state, now
        return entry.since

    def forget(self, uid: str) -> None:
        """The object has reached its end, or is gone."""
        self._runs.pop(uid, None)

    def _entry(self, uid: str, run: int) -> _Run:
        entry = self._runs.get(uid)
        if entry is None or entry.run != run:
            entry = self._runs[uid] = _Run(run)
        return entry
