"""Jobs that must not be: further ones of the newest run, and any of a run that was closed.

They come of a submission that AWS lists later than an unknown outcome takes to settle. Two looks
for them follow each repeat and each closed run; a look counts once it has left none alive, so that
a crash cannot end it half done.
"""

from dataclasses import replace

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.plans import Step
from awsbatch_operator.api.tags import CLUSTER, OWNER_UID, RUN, Owner, Ownership, ownership
from awsbatch_operator.kinds.batchjob.actions import (
    SUPERSEDED_REASON,
    TWIN_REASON,
    Action,
    termination,
)
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, Sweep
from awsbatch_operator.kinds.batchjob.submission import Submission

AGAIN_SECONDS = 5.0  # until a look that could not be counted is made again


def endings(observed: Observed) -> tuple[Step[Action], ...]:
    """One termination for each of them that is alive."""
    return tuple(
        termination(job_id, _why(sweep, observed.submission.run), _note(sweep, job_id))
        for sweep in observed.sweeps
        for job_id in sweep.alive
    )


def told(observed: Observed) -> tuple[Finding, ...]:
    """A note for each that has ended by itself or by us: what ran twice must not stay unsaid."""
    return tuple(_note(sweep, job_id) for sweep in observed.sweeps for job_id in sweep.over)


def after_looks(observed: Observed, now: Instant) -> Submission:
    """The record: which job counts, and the looks that were due and have left nothing alive.

    It is written, guarded by the version of the object, before any job is ended. A process that
    died after ending one job would otherwise leave a status that names the ended one, and its
    successor would take that for the end of the run and end the other one, too; so would a process
    that reads an old version of the object. The one finds the record, the other cannot write it.
    """
    record = observed.submission
    if observed.knowledge is Knowledge.FOUND and any(
        sweep.counts and (sweep.alive or sweep.over) for sweep in observed.sweeps
    ):
        record = replace(record, counts=observed.job_id)
    dues = {run.run: due for run, due in record.earlier_due()}
    if record.sweep_due is not None:
        dues[record.run] = record.sweep_due
    for sweep in observed.sweeps:
        due = dues.get(sweep.run)
        if sweep.run == record.run and record.stop is not None and _is_alive(observed):
            continue  # the job is still to be ended
        if due is not None and due <= now and sweep.complete and not sweep.alive:
            record = record.after_sweep(sweep.run)
    return record


def looks_for_strays(record: Submission, observed: Observed, now: Instant) -> float | None:
    """Seconds until the next look of the ledger is due; None if none is."""
    dues = [due for _, due in record.earlier_due()]
    is_looked_for = observed.knowledge in _HAS_ID or record.stop is not None
    if record.sweep_due is not None and is_looked_for:
        dues.append(record.sweep_due)
    if not dues:
        return None
    return max(min(dues).since(now), AGAIN_SECONDS)


def _is_alive(observed: Observed) -> bool:
    return observed.knowledge is Knowledge.FOUND and not observed.let_go


_HAS_ID = frozenset({Knowledge.FOUND, Knowledge.CONCLUDED})


def _why(sweep: Sweep, newest: int) -> str:
    return TWIN_REASON.format(sweep.counts) if sweep.counts else SUPERSEDED_REASON.format(newest)


def _note(sweep: Sweep, job_id: str) -> Finding:
    if sweep.counts:
        return Finding(
            job_reasons.JOB_TWICE,
            f"AWS has had two jobs of run {sweep.run}: {sweep.counts} counts, and {job_id} is "
            "ended where it has not ended by itself.",
        )
    return Finding(
        job_reasons.JOB_TWICE,
        f"AWS has had a job of run {sweep.run}, which a later run has replaced: {job_id} is ended "
        "where it has not ended by itself.",
    )


def is_of(job: Shape, run: Submission, owner: Owner) -> bool:
    """Whether its tags say that it is a job of this run."""
    tags = job.get("tags") or {}
    return ownership(tags, owner) is Ownership.OURS and tags.get(RUN) == str(run.run)


def other_cluster(job: Shape, run: Submission, owner: Owner) -> str:
    """The other cluster id under which it was submitted for this very run, by uid; else ""."""
    tags = job.get("tags") or {}
    mine = tags.get(OWNER_UID) == owner.uid and tags.get(RUN) == str(run.run)
    cluster = str(tags.get(CLUSTER, ""))
    return cluster if mine and cluster != owner.cluster_id else ""
