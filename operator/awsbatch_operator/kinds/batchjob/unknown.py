"""What is said of runs of which it is not known what AWS has (pure)."""

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.batchjob.submission import Submission

SOON_SECONDS = 5.0


def settling(observed: Observed, now: Instant) -> Plan[Action]:
    """Nothing is sent before AWS's listing can be trusted; nor what it has under another id."""
    if observed.other_cluster:
        return Plan(findings=(_of_another_cluster(observed),))
    wait = observed.settled_at.since(now) if observed.settled_at else SOON_SECONDS
    at = f" at {observed.settled_at.rfc3339()}" if observed.settled_at else " soon"
    finding = Finding(
        job_reasons.SUBMISSION_SETTLING,
        "A SubmitJob call was about to be sent or its answer was lost, so the job may exist. "
        f"AWS's listing is looked through{at}; until then nothing is sent.",
        look_again_seconds=max(wait, 0.0),
    )
    return Plan(findings=(finding,))


def elsewhere(submission: Submission) -> Finding:
    """A run is looked for where it was submitted, or not at all."""
    return Finding(
        catalogue.SCOPE_CHANGED,
        f"Run {submission.run} was submitted in account {submission.account_id}, region "
        f"{submission.region}, and today's account or region is another one, where it is not "
        "looked for.",
    )


def _of_another_cluster(observed: Observed) -> Finding:
    """It has been submitted by whoever had the object before, and its job is not ours to follow."""
    return Finding(
        job_reasons.SUBMISSION_UNKNOWN,
        f"AWS has a job of run {observed.submission.run} of this object, submitted under the "
        f"cluster id {observed.other_cluster}; so the run is not sent once more.",
        "Hand the object over to an installation of the operator with that cluster id, by the "
        "annotation awsbatch.dev/installation.",
    )
