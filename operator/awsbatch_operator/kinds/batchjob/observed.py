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

        SETTLING stays so while AWS has a job of the run under another cluster id.
        FOUND --its end stands in the status--> CONCLUDED  (what follows it: runs.py)
        FOUND --DescribeJobs leaves it out--> FORGOTTEN --it is there again--> FOUND
        any   --the scope in hand is another one than the recorded--> ELSEWHERE

The finalizer may go (plan_removal says `released`) in REFUSED, ABSENT, UNTRACEABLE and CONCLUDED,
in FOUND when the job has ended or AWS has accepted to cancel it while it waits for others, and in
FORGOTTEN when the call is too long ago for the job to be merely not visible yet. In all of these
only when, besides, no further job of any recorded run is alive. It never goes in SETTLING and
ELSEWHERE: nobody knows then what AWS has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.children import Children, children_of
from awsbatch_operator.kinds.batchjob.containers import (
    attempts_of,
    container_of,
    containers_of,
    essential_one,
)
from awsbatch_operator.kinds.batchjob.submission import Submission

TERMINAL = frozenset({"SUCCEEDED", "FAILED"})
REASONS_KEPT = 20  # of AWS's words on a run, the newest
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
class Said:
    """What AWS said of a job, when it was seen, and AWS's word for the job's state then."""

    time: Instant
    state: str
    words: str


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
    the looks for further jobs that were made now. `children` are the jobs of an array, or the nodes
    of a multi-node job. `placement` is `status.placement`, {} if it is not known.
    `said` is what AWS has said of the run while this process looked on, oldest first. `set_free`:
    AWS has failed it because of a job that we have ended, or replaced by another run; `submission`
    says so, and the record does not yet. `other_cluster` is the cluster id under which AWS has a
    job of the run that is SETTLING.
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
    children: Children | None = None
    placement: Mapping[str, str] = field(default_factory=dict)
    said: tuple[Said, ...] = ()
    other_cluster: str = ""
    set_free: bool = False

    @property
    def job_id(self) -> str:
        """The job's id; KeyError unless FOUND, FORGOTTEN or CONCLUDED."""
        return str(self.detail["jobId"])

    @property
    def state(self) -> str:
        """AWS's word for the state, "" unless FOUND."""
        return str(self.detail.get("status", ""))

    @property
    def words(self) -> str:
        """What AWS says of its state, or of why none of an array's children can start."""
        return waiting.words_of(self.detail) or (self.children.blocked if self.children else "")

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return has_ended(self.detail)

    @property
    def stopping(self) -> bool:
        """Whether AWS has accepted a cancellation or termination."""
        return is_stopping(self.detail)

    @property
    def let_go(self) -> bool:
        """Whether nothing of it runs any more or will: it ended, or waits for others, cancelled."""
        return self.ended or waits_cancelled(self.detail)

    @property
    def telling(self) -> Shape:
        """The detail of the job whose end is told: of jobs within the job the one that counts."""
        told = self.children.told if self.children else {}
        return told or self.detail

    @property
    def alive(self) -> bool:
        """Whether AWS has the job and nobody has ended it."""
        return self.knowledge is Knowledge.FOUND and not self.ended and not self.stopping

    @property
    def container(self) -> dict[str, Any]:
        """What AWS says of the container; of several, of the one whose end is the job's."""
        telling = self.telling
        several = containers_of(telling)
        container = dict(essential_one(several) if several else telling.get("container") or {})
        attempts = attempts_of(telling)
        if self.ended and attempts:  # AWS has some of its end in the attempt alone
            container = dict(container_of(attempts[-1], str(container.get("name", "")))) | container
        return container

    @property
    def strays(self) -> tuple[str, ...]:
        """All jobs of any run that are alive and must not be."""
        return tuple(job_id for sweep in self.sweeps for job_id in sweep.alive)


def has_ended(detail: Shape) -> bool:
    """Whether the job has come to its end."""
    return detail.get("status") in TERMINAL


def has_begun(detail: Shape) -> bool:
    """Whether the job, or one within it, has begun to run: what it waited for had ended by then."""
    children = children_of(detail)
    return (
        bool(detail.get("startedAt") or detail.get("attempts"))
        or detail.get("status") == "RUNNING"
        or (children is not None and children.begun)
    )


def is_stopping(detail: Shape) -> bool:
    """Whether AWS has accepted a cancellation or termination."""
    return bool(detail.get("isTerminated") or detail.get("isCancelled"))


def waits_cancelled(detail: Shape) -> bool:
    """Whether AWS has accepted to cancel a job that waits for others, and will not start it.

    It acts on that only when those end. The parent of an array is PENDING also while its children
    run, and those are ended first.
    """
    if detail.get("status") != "PENDING" or not is_stopping(detail):
        return False
    array = detail.get("arrayProperties") or {}
    counts = array.get("statusSummary") or {}
    under_way = any(counts.get(state) for state in ("RUNNABLE", "STARTING", "RUNNING"))
    return not under_way and (bool(counts) or "size" not in array)


def is_not_shown_yet(observed: Observed, now: Instant) -> bool:
    """Whether DescribeJobs leaves the job out, and may not know it yet: it is that new."""
    if observed.knowledge is not Knowledge.FORGOTTEN:
        return False
    return now.since(observed.sent or observed.submission.time) < NOT_SHOWN_SECONDS


def sweep_of(run: int, found: Iterable[Shape], counts: str, *, complete: bool = True) -> Sweep:
    """What a look has found besides the job that counts.

    A job of an earlier run that is over and has never begun to run was not one too many: it may
    have been held while it waited for others, and AWS takes it out only when those end.
    """
    others = [job for job in found if job["jobId"] != counts]
    over = {str(job["jobId"]): has_ended(job) or is_stopping(job) for job in others}
    begun = {str(job["jobId"]) for job in others if counts or has_begun(job)}
    return Sweep(
        run=run,
        counts=counts,
        alive=tuple(job_id for job_id, done in over.items() if not done),
        over=tuple(job_id for job_id, done in over.items() if done and job_id in begun),
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
    begun = has_begun(job)
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
