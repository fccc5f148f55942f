"""What to do about a BatchJob while a gate holds back what is new (pure).

What was recorded is looked up, and a job that is found is followed to its end. Nothing is sent for
the first time or once more. A further job of a run, and one that is held or out of time, is ended
all the same where the gate allows it: that is no new work.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.desired import FollowingJob
from awsbatch_operator.kinds.batchjob.endings import with_stop
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import (
    follow,
    forgotten,
    under_way,
    untraceable,
    with_ledger,
)
from awsbatch_operator.kinds.batchjob.strays import after_looks
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.submitting import too_old
from awsbatch_operator.kinds.batchjob.unknown import elsewhere, settling

_IS_A_JOB = frozenset({Knowledge.FOUND, Knowledge.CONCLUDED, Knowledge.FORGOTTEN})
# What is in AWS need not care whether today's references lead anywhere.
_OF_REFERENCES = frozenset(
    {
        catalogue.REFERENCE_NOT_FOUND,
        catalogue.REFERENCE_NOT_READY,
        catalogue.REFERENCE_ELSEWHERE,
    }
)
_OF_SPEC = frozenset({catalogue.INVALID_SPEC, catalogue.NOT_SUPPORTED_YET})


def plan_following(
    following: FollowingJob, observed: Observed | None, now: Instant
) -> Plan[Action]:
    """When to look again, and all that is to be said: of the gate, and of what was observed."""
    if observed is None:
        return Plan(findings=following.findings)
    if observed.knowledge is Knowledge.ELSEWHERE:
        return Plan(findings=(*following.findings, elsewhere(observed.submission)))
    record = after_looks(observed, now)
    if following.may_change:
        record = with_stop(following.wishes, observed, record, now, may_run=False)
    plan = _seen(following, observed, record, now)
    findings = (*_that_matter(following, observed), *plan.findings)
    plan = replace(plan, findings=findings)
    return with_ledger(plan, observed, record, now, may_end=following.may_change)


def after_the_end(following: FollowingJob, submission: Submission) -> FollowingJob:
    """Of a job whose end stands in the status: no look, and what can still be mended."""
    left = _of_an_ended(following.findings, ran=_ran(following, submission))
    return replace(following, findings=left, look=False)


def _of_an_ended(findings: Iterable[Finding], *, ran: bool) -> tuple[Finding, ...]:
    """Nothing of it is held back any more: what can still be mended is said as of any ended job."""
    return tuple(each for each in findings if ran and each.reason in _OF_SPEC)


def _ran(following: FollowingJob, submission: Submission) -> bool:
    """Whether the spec says what was submitted."""
    return not following.wishes.changed(submission)


def _seen(
    following: FollowingJob, observed: Observed, record: Submission, now: Instant
) -> Plan[Action]:
    match observed.knowledge:
        case Knowledge.SETTLING:
            return settling(observed, now)
        case Knowledge.REFUSED:
            return Plan()
        case Knowledge.ABSENT:
            finding = too_old(record, now)
            return Plan() if finding is None else Plan(findings=(finding,))
        case Knowledge.UNTRACEABLE:
            return Plan(findings=(untraceable(record),))
        case Knowledge.FOUND if following.may_change:
            return under_way(following, observed, record, now)
        case Knowledge.FOUND | Knowledge.CONCLUDED:
            return follow(following, observed, now)
        case Knowledge.FORGOTTEN:
            return forgotten(observed, now)
        case Knowledge.ELSEWHERE:
            return Plan(findings=(elsewhere(record),))
        case never:
            assert_never(never)


def _that_matter(following: FollowingJob, observed: Observed) -> tuple[Finding, ...]:
    """The gate's findings, as far as they matter to a job that is in AWS already."""
    if observed.knowledge not in _IS_A_JOB:
        return following.findings
    if runs.needs_another(following.wishes, observed, following.shown):
        return following.findings
    kept = (each for each in following.findings if each.reason not in _OF_REFERENCES)
    ran = _ran(following, observed.submission)
    if _end_is_told(observed):
        return _of_an_ended(kept, ran=ran)
    return tuple(_beside_the_job(each, observed.submission, ran=ran) for each in kept)


def _end_is_told(observed: Observed) -> bool:
    """Whether the status says, or will now, how the job ended: not before its output was read."""
    if observed.knowledge is Knowledge.CONCLUDED:
        return True
    return observed.ended and observed.output.lines is not None


def _beside_the_job(finding: Finding, submission: Submission, *, ran: bool) -> Finding:
    """The finding, with what it does not hold back; `ran`: the spec says what was submitted."""
    if finding.severity is not Severity.STALL:
        return finding
    remedy = finding.remedy or finding.reason.remedy
    if not ran:
        remedy += (
            " What the API server lets nobody change once a job was submitted stays as it is until "
            "this object is deleted, which ends the job."
        )
    words = f"The job of run {submission.run} goes on in AWS as it was submitted."
    return replace(finding, message=f"{finding.message} {words}", remedy=remedy)
