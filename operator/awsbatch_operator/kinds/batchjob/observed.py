"""What AWS says about the recorded runs of a BatchJob.

The newest run, look by look (what no arrow leaves, only an edit, a deletion or a later look ends):

    (nothing recorded) --record, SubmitJob--> FOUND
            |
            | the answer was lost, or the process died in between
            v
        SETTLING --settling time over--> ABSENT --repeat or new run, SubmitJob--> FOUND
            |                              ^
            |                              | of an attempt before, nothing came to light either
            +--listed in AWS--> FOUND   REFUSED  (this process saw that AWS did not do it)
            +--its queue is gone from AWS--> UNTRACEABLE

        FOUND --its end stands in the status--> CONCLUDED
        FOUND --DescribeJobs leaves it out--> FORGOTTEN --it is there again--> FOUND
        any   --the scope in hand is another one than the recorded--> ELSEWHERE

The finalizer may go (plan_removal says `released`) in REFUSED, ABSENT, UNTRACEABLE and CONCLUDED,
in FOUND when the job has ended or AWS has accepted to cancel it while it waits for others, and in
FORGOTTEN when the call is too long ago for the job to be merely not visible yet. In all of these
only when, besides, no further job of any recorded run is alive. It never goes in SETTLING and
ELSEWHERE: nobody knows then what AWS has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.submission import Submission

TERMINAL = frozenset({"SUCCEEDED", "FAILED"})
NOT_SHOWN_SECONDS = 60.0  # DescribeJobs may not know a job yet just after SubmitJob


class Knowledge(Enum):
    """How much is known of the newest run; the picture is above."""

    REFUSED = "Refused"  # this process saw that AWS did not do it
    SETTLING = "Settling"  # outcome unknown, and AWS's listing may not show it yet
    ABSENT = "Absent"  # outcome unknown, looked up after settling, and not there
    FOUND = "Found"  # the job exists, and this is what AWS says of it
    CONCLUDED = "Concluded"  # its end stands in the status: AWS need not be asked any more
    FORGOTTEN = "Forgotten"  # AWS does not know the job: not yet, or not any more
    UNTRACEABLE = "Untraceable"  # outcome unknown, and AWS no longer has the queue to look through
    ELSEWHERE = "Elsewhere"  # submitted in another account or region: it is not looked for here


MAY_BE_SENT = frozenset({Knowledge.REFUSED, Knowledge.ABSENT, Knowledge.UNTRACEABLE})
"""After these a plan may have a submission."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A look for all jobs of one run beyond the one that counts.

    `counts` is the id of that one, "" for an earlier run, none of whose jobs counts any more.
    `alive` are the others that still have to be ended, `over` those that have ended or are ending.
    Not `complete`: AWS lists a job of the name that it cannot describe yet.
    """

    run: int
    counts: str
    alive: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Output:
    """The last lines of a job that has ended.

    `lines` is None while they have not been read, which is done at `due`; `trouble` says why they
    cannot be, and `skipped` that too many others are read first.
    """

    lines: tuple[str, ...] | None = None
    trouble: str = ""
    due: Instant | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """The recorded runs in AWS.

    `submission` is the record that the runs were looked for by; `lost`: it is to be written again.
    `sent` is the last moment at which a call may have gone out. `detail` is DescribeJobs' answer,
    and of a job that is FORGOTTEN or CONCLUDED its id alone. `since` tells since when this process
    has seen the job in its state, `settled_at` until when an unknown outcome settles. `sweeps` are
    the looks for further jobs that were made now.
    """

    knowledge: Knowledge
    submission: Submission
    lost: bool = False
    sent: Instant | None = None
    detail: Shape = field(default_factory=dict)
    since: Instant | None = None
    settled_at: Instant | None = None
    sweeps: tuple[Sweep, ...] = ()
    output: Output = Output()

    @property
    def job_id(self) -> str:
        """The job's id; KeyError unless FOUND, FORGOTTEN or CONCLUDED."""
        return str(self.detail["jobId"])

    @property
    def state(self) -> str:
        """AWS's word for the state, "" unless FOUND."""
        return str(self.detail.get("status", ""))

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return has_ended(self.detail)

    @property
    def stopping(self) -> bool:
        """Whether AWS has accepted a cancellation or termination."""
        return is_stopping(self.detail)

    @property
    def container(self) -> dict[str, Any]:
        """What AWS says of the container; of several, of the one whose end is the job's."""
        several = _several(self.detail)
        return dict(_that_tells(several) if several else self.detail.get("container") or {})

    @property
    def strays(self) -> tuple[str, ...]:
        """All jobs of any run that are alive and must not be."""
        return tuple(job_id for sweep in self.sweeps for job_id in sweep.alive)


def _several(detail: Shape) -> list[Shape]:
    """The containers of a task with several (ecsProperties), or of a pod (eksProperties)."""
    tasks = (detail.get("ecsProperties") or {}).get("taskProperties") or ()
    pod = (detail.get("eksProperties") or {}).get("podProperties") or {}
    return [
        *(container for task in tasks for container in task.get("containers") or ()),
        *(pod.get("containers") or ()),
    ]


def _that_tells(containers: Sequence[Shape]) -> Shape:
    """A log router stands beside the work, and what is not essential may end as it likes.

    Of what is left, one that failed says why the job did. `containers` is not empty.
    """
    essential = [one for one in containers if one.get("essential", True)] or containers
    working = [one for one in essential if not one.get("firelensConfiguration")] or essential
    failed = [one for one in working if one.get("exitCode") not in {None, 0}]
    return (failed or working)[0]


def has_ended(detail: Shape) -> bool:
    """Whether the job has come to its end."""
    return detail.get("status") in TERMINAL


def is_stopping(detail: Shape) -> bool:
    """Whether AWS has accepted a cancellation or termination."""
    return bool(detail.get("isTerminated") or detail.get("isCancelled"))


def is_not_shown_yet(observed: Observed, now: Instant) -> bool:
    """Whether DescribeJobs leaves the job out, and may not know it yet: it is that new."""
    if observed.knowledge is not Knowledge.FORGOTTEN:
        return False
    return now.since(observed.sent or observed.submission.time) < NOT_SHOWN_SECONDS


def sweep_of(run: int, found: Iterable[Shape], counts: str, *, complete: bool = True) -> Sweep:
    """What a look has found besides the job that counts."""
    others = [job for job in found if job["jobId"] != counts]
    over = {str(job["jobId"]): has_ended(job) or is_stopping(job) for job in others}
    return Sweep(
        run=run,
        counts=counts,
        alive=tuple(job_id for job_id, done in over.items() if not done),
        over=tuple(job_id for job_id, done in over.items() if done),
        complete=complete,
    )


def that_counts(found: Sequence[Shape], recorded_id: str) -> Shape:
    """Which of the jobs of one run is the run; the others are to be ended. `found` is not empty.

    Two looks, perhaps of two processes, must choose alike whatever happened in between. So the one
    that has come farthest counts, and of equals the oldest: when it was created never changes,
    while a retry changes when it started. That holds also for two that run at the same time.

    A job that was stopped counts last if it is not the recorded one: we stopped it, in favour of
    the one that the record has named since before the call. A recorded one that was stopped, was
    stopped by somebody else, and that was the end of the run.
    """
    return min(
        found,
        key=lambda job: (
            -_progress(job, recorded=job["jobId"] == recorded_id),
            job.get("createdAt", 0),
            job["jobId"],
        ),
    )


def _progress(job: Shape, *, recorded: bool) -> int:
    """How far a job has come, for the comparison of several jobs of one run.

    What has run is worth more than what has not. An end is worth more than a job that is alive,
    which would do the work a second time, unless only the latter has begun to run.
    """
    begun = bool(job.get("startedAt") or job.get("attempts") or job.get("status") == "RUNNING")
    if job.get("status") == "SUCCEEDED":
        return 6
    if is_stopping(job) and not recorded:
        return 0
    over = has_ended(job) or is_stopping(job)
    match begun, over:
        case True, True:
            return 5
        case True, False:
            return 4
        case False, True:
            return 3
        case _:
            return 2 if job.get("status") == "STARTING" else 1
