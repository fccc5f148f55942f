"""How a job stands that is held, out of time, or goes on with another run (pure)."""

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.failure_causes import REMEDIES, Failure
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.wishes import Shown, Wishes

_RESUME = "Set spec.suspend to false, and {}."
HELD_FROM_THE_START = Verdict(
    Situation.SUSPENDED,
    job_reasons.JOB_SUSPENDED.name,
    f"spec.suspend holds the job; nothing was submitted. {_RESUME.format('it is submitted')}",
)


def stands(observed: Observed, shown: Shown) -> bool:
    """Whether the Complete or Failed that is shown is of the newest run."""
    if observed.knowledge is Knowledge.CONCLUDED:
        return True
    # Failed without a job, since it was out of time: whatever comes to light of it is ended.
    return shown.is_of(observed.submission) and observed.submission.stop is Stop.DEADLINE


def of_the_next(wishes: Wishes, observed: Observed, shown: Shown, now: Instant) -> Verdict | None:
    """How the job stands if another run is to follow one whose result stands; None: it stands."""
    submission = observed.submission
    end = runs.shown_end(submission, shown)
    following = runs.what_follows(wishes, submission, end, now)
    match following.fate:
        case runs.Fate.HELD:
            return _held(submission)
        case runs.Fate.AGAIN:
            return _again(submission, following)
        case _:
            return None


def unseen(wishes: Wishes, observed: Observed, shown: Shown, now: Instant) -> Verdict | None:
    """Of a run that AWS does not show now; None: nothing but what was known before."""
    submission = observed.submission
    match observed.knowledge:
        case Knowledge.REFUSED | Knowledge.ABSENT:
            if runs.is_closed(wishes, observed, now):
                return late(submission)
            return _held(submission) if wishes.suspend else None
        case Knowledge.CONCLUDED | Knowledge.FORGOTTEN:
            end = runs.end_of(observed, shown, now)
            if end is None:
                return None
            following = runs.what_follows(wishes, submission, end, now)
            judged = _of_fate(submission, following)
            if judged is None and observed.knowledge is Knowledge.CONCLUDED:
                return _as_shown(submission, end)
            return judged
        case _:
            return None


def of_a_job(
    wishes: Wishes, observed: Observed, shown: Shown, now: Instant, otherwise: Verdict
) -> tuple[Verdict, str]:
    """How the job stands, and the class of its failure; `otherwise`: as AWS says alone."""
    submission, end = observed.submission, runs.end_of(observed, shown, now)
    if end is None:
        return otherwise, ""
    following = runs.what_follows(wishes, submission, end, now)
    judged = _of_fate(submission, following)
    if judged is not None and following.fate is runs.Fate.LATE:
        return judged, Failure.TIMED_OUT.value
    if otherwise.situation is Situation.FAILED and not end.stopped:
        return judged or otherwise, otherwise.reason
    return judged or otherwise, ""


def late(submission: Submission) -> Verdict:
    """Failed: all runs together have had their time."""
    message = (
        f"The job was ended in its run {submission.run}, because all its runs together have had "
        f"as long as spec.activeDeadlineSeconds allows since {submission.first_sent.rfc3339()}. "
        f"{job_reasons.DEADLINE_EXCEEDED.remedy}"
    )
    return Verdict(Situation.FAILED, job_reasons.DEADLINE_EXCEEDED.name, message)


def _of_fate(submission: Submission, following: runs.Next) -> Verdict | None:
    match following.fate:
        case runs.Fate.LATE:
            return late(submission)
        case runs.Fate.HELD:
            return _held(submission)
        case runs.Fate.AGAIN | runs.Fate.TOLD_FIRST:
            return _again(submission, following)
        case _:
            return None


def _held(submission: Submission) -> Verdict:
    resume = _RESUME.format("it runs again from its beginning")
    return Verdict(
        Situation.SUSPENDED,
        job_reasons.JOB_SUSPENDED.name,
        f"spec.suspend holds the job. Nothing of its run {submission.run} goes on in AWS. {resume}",
    )


def _again(submission: Submission, following: runs.Next) -> Verdict:
    run = submission.run + 1
    why = {
        Cause.CHANGED: "since the spec has changed",
        Cause.RESUMED: "since the job is not held any more",
        Cause.RETRIED: f"with the indexes that failed in run {submission.run}",
        Cause.LOST: f"since run {submission.run} was lost",
        Cause.DEPENDENCY: "since a job that it depends on was stopped while this one waited in AWS",
        None: "",
    }[following.cause]
    return Verdict(
        Situation.WORKING,
        job_reasons.JOB_SUBMITTING.name,
        f"Run {run} is about to be submitted, {why}.",
    )


def _as_shown(submission: Submission, end: runs.End) -> Verdict:
    """The result of a run after which another one was wanted, and is not any more."""
    if end.succeeded:
        return Verdict(Situation.COMPLETE, runs.SUCCEEDED, f"Run {submission.run} has succeeded.")
    failure = next((each for each in Failure if each.value == end.failure), Failure.INFRASTRUCTURE)
    message = f"Run {submission.run} has failed, and no other run follows any more."
    return Verdict(Situation.FAILED, failure.value, joined(message, REMEDIES[failure]))
