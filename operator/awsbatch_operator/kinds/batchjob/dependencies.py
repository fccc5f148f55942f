"""What `dependsOn` of a BatchJob comes to at this moment: AWS's members, or what it waits for.

A job that AWS has is awaited by its id, and AWS holds the dependent one in PENDING; unless it may
run once more after a failure, which AWS does not know of: then its end is waited for. One that is
Complete is left out of the request: AWS may have forgotten it, and would refuse its id. One that
has failed keeps the job from being submitted at all; when that other job is run again, this one
goes on by itself, because it has no result of its own that could be lost.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import SLOWLY, Finding
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.batchjob.record import (
    end_condition,
    failed_unsubmitted,
    is_concluded,
    recorded_job_id,
    submission_of,
)
from awsbatch_operator.kinds.batchjob.run_causes import Stop
from awsbatch_operator.kinds.batchjob.submission import Submission

HASH_VERSION = "v1"
CIRCLE_SHOWN = 20  # names of a circle in a message


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the jobs that a job depends on mean for it now.

    `sent` is AWS's `dependsOn`. `needs` is a hash of the uids of the objects, "" if it names none:
    other objects of the same names are other jobs, whatever became of the first ones. `held` is
    why nothing is sent now. `failure` says that a job which it depends on has failed, of one that
    no run of AWS has: it has failed as well. `open` are the names of those that have not succeeded.
    `held_again` is `held` of a run that goes on with one which has begun: what is gone had ended.
    """

    sent: tuple[Shape, ...] = ()
    needs: str = ""
    held: Finding | None = None
    failure: str = ""
    open: tuple[str, ...] = ()
    held_again: Finding | None = None

    @property
    def ready(self) -> bool:
        """Whether a submission may go out as far as other jobs are concerned."""
        return self.held is None and not self.failure

    def again(self) -> "Dependencies":
        """The same for a run that goes on with one which has begun."""
        return replace(self, held=self.held_again)


@dataclass(slots=True)
class _Gathered:
    sent: list[dict[str, Any]] = field(default_factory=list)
    uids: list[str] = field(default_factory=list)
    gone: list[Finding] = field(default_factory=list)
    waits: list[Finding] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # names, and why
    open: list[str] = field(default_factory=list)


def needed_jobs(resource: Resource) -> tuple[ObjectKey, ...]:
    """The BatchJobs that the spec names in `dependsOn`, be it sound or not."""
    listed = resource.spec.get("dependsOn")
    references = [
        each.get("jobRef")
        for each in (listed if isinstance(listed, list | tuple) else ())
        if isinstance(each, Mapping)
    ]
    names = (one.get("name") for one in references if isinstance(one, Mapping))
    namespace = resource.key.namespace
    return tuple(dict.fromkeys(ObjectKey("BatchJob", namespace, str(n)) for n in names if n))


_NONE = Dependencies()


def resolved(resource: Resource, found: Mapping[ObjectKey, Resource]) -> Dependencies:
    """What the spec's dependencies come to, with the objects as they are now."""
    listed: Sequence[Shape] = resource.spec.get("dependsOn") or ()
    if not listed:
        return _NONE
    gathered = _Gathered()
    for position, each in enumerate(listed):
        _gather(gathered, resource, each, f"spec.dependsOn[{position}]", found)
    failed = gathered.failed
    words = _failed_words(failed) if failed else ""
    held_again = next(iter((*gathered.refused, *gathered.waits)), None)
    held = next(iter((*gathered.refused, *gathered.gone, *gathered.waits)), None)
    if failed:
        # Of a job that has run before, its result stays, and this stands in the way of the next.
        ran = "jobId" in resource.status
        held = Finding(job_reasons.FAILED_DEPENDENCY, words, _remedy(failed)) if ran else None
        held_again = held
        words = "" if ran else words
    return Dependencies(
        sent=tuple(each for at, each in enumerate(gathered.sent) if each not in gathered.sent[:at]),
        needs=_hash(gathered.uids) if gathered.uids else "",
        held=held,
        failure=f"{words} {_remedy(failed)}" if words else "",
        open=tuple(dict.fromkeys(gathered.open)),
        held_again=held_again,
    )


def in_a_circle(dependencies: Dependencies, circle: Sequence[ObjectKey]) -> Dependencies:
    """The same of a job that waits for itself; `circle` begins with it."""
    names = [key.name for key in circle]
    shown = names[:CIRCLE_SHOWN]
    if len(names) > CIRCLE_SHOWN:
        shown.append(f"({len(names) - CIRCLE_SHOWN} more)")
    words = " -> ".join((*shown, names[0]))
    finding = Finding(
        job_reasons.DEPENDENCY_CYCLE,
        f"The job waits for itself: {words} (each depends on the next), so none of them can be "
        "submitted.",
    )
    return replace(dependencies, held=finding, held_again=finding, failure="")


def array_size(spec: Shape) -> int | None:
    """How many children the job's array has in AWS; None if it is no array."""
    values = (spec.get("arrayValues") or {}).get("values")
    size = len(values) if values else (spec.get("arrayProperties") or {}).get("size")
    if size is None:
        return None
    tasks = int((spec.get("packing") or {}).get("tasksPerJob", 1))
    return -(-int(size) // tasks)


def _gather(
    gathered: _Gathered,
    resource: Resource,
    each: Shape,
    path: str,
    found: Mapping[ObjectKey, Resource],
) -> None:
    """Add one dependency to what is gathered."""
    reference: Shape = each.get("jobRef") or {}
    entry = {"type": str(each["type"])} if each.get("type") else {}
    if "name" not in reference:  # a job in AWS, or SEQUENTIAL within the array itself
        job_id = {"jobId": str(reference["jobId"])} if "jobId" in reference else {}
        gathered.sent.append(job_id | entry)
        return
    name = str(reference["name"])
    key = ObjectKey("BatchJob", resource.key.namespace, name)
    target = found.get(key)
    gathered.uids.append("" if target is None else target.uid)
    if target is None:
        words = f"{path}.jobRef: {key} does not exist yet."
        gathered.gone.append(
            Finding(catalogue.REFERENCE_NOT_FOUND, words, look_again_seconds=SLOWLY)
        )
        return
    if _has_ended(target, "Complete"):
        return
    gathered.open.append(name)
    if _has_ended(target, "Failed") and not target.deleting:
        ended: Shape = condition(target.status, "Failed") or {}
        gathered.failed.append((name, str(ended.get("reason", ""))))
        return
    mismatch = _mismatch(resource, target, each)
    if mismatch:
        gathered.refused.append(Finding(job_reasons.DEPENDENCY_MISMATCH, f"{path}: {mismatch}"))
        return
    job_id_of, why = _job_id(target, each, retries="retryFailedIndexes" in resource.spec)
    if why:
        words = f"{path}.jobRef: BatchJob {name} {why}."
        gathered.waits.append(Finding(job_reasons.WAITING_FOR_JOB, words))
    else:
        gathered.sent.append({"jobId": job_id_of} | entry)


def _has_ended(target: Resource, name: str) -> bool:
    """Whether it has ended so, and nothing that was changed since is still to be run or looked at.

    A deletion raises the generation and changes nothing of a success.
    """
    ended = condition(target.status, name)
    if ended is None or ended["status"] != "True":
        return False
    if target.deleting:
        return True
    if target.status.get("observedGeneration") != target.generation:
        return False
    # Of a finished object with nothing left to do the spec is not held.
    reruns = target.spec.get("rerunPolicy") == "OnChange"
    return not reruns or ended.get("observedGeneration") == target.generation


def _job_id(target: Resource, each: Shape, *, retries: bool) -> tuple[str, str]:
    """The id of the target's newest run in AWS; or why there is none to be waited for yet.

    AWS fails whoever waits for a run that fails, whatever follows that. `retries`: the job runs
    again itself what AWS has failed of it.
    """
    if target.deleting:
        return "", "is being deleted; another one of that name is waited for"
    held_for_good = not target.spec and is_true(target.status, "Suspended")  # it is abridged
    if target.spec.get("suspend") or held_for_good:
        return "", "is held by spec.suspend"
    try:
        submission = submission_of(target)
    except RecordError:
        return "", "has a damaged record of its submission, which its own conditions tell"
    if end_condition(target) is not None or failed_unsubmitted(target):
        return "", "was changed after it had ended, and is looked at again"
    if submission is not None and submission.stop is not None:
        again = submission.stop is Stop.DEPENDENCY
        return "", "waits for its own jobs again" if again else "is being ended, and may run again"
    job_id = recorded_job_id(target, submission)
    if job_id is None:
        return "", f"has not been submitted yet{_stalled(target)}"
    if _stall_reason(target) == job_reasons.JOB_NOT_FOUND.name:
        return "", "is not known to AWS any more, and its end was never seen"
    if submission is not None and submission.indexes and each.get("type") == "N_TO_N":
        return "", "runs its failed indexes again, and its end is waited for"
    if submission is not None:
        follows = _may_follow(target, submission, retries=retries)
        return ("", follows) if follows else (job_id, "")
    return job_id, ""


def _may_follow(target: Resource, submission: Submission, *, retries: bool) -> str:
    """Why the target's newest run may not be its last; "" if it is."""
    if is_concluded(target, submission):
        return "has ended a run, and another one follows"
    if target.spec.get("fallback") and not submission.in_fallback:
        return "may go on in the queue of its spec.fallback, so its end is waited for"
    again = (target.spec.get("retryFailedIndexes") or {}).get("ofRun")
    if again == submission.run and not retries:
        return "runs again what fails of it, so its end is waited for"
    return ""


def _stalled(target: Resource) -> str:
    reason = _stall_reason(target)
    return f", and does not go on by itself ({reason})" if reason else ""


def _stall_reason(target: Resource) -> str:
    stalled = condition(target.status, "Stalled")
    return "" if stalled is None or stalled["status"] != "True" else str(stalled["reason"])


def _mismatch(resource: Resource, target: Resource, each: Shape) -> str:
    """Why AWS would refuse the two jobs as they are; "" if it would not.

    Source: user guide, "Job dependencies": N_TO_N is between two arrays of equal size.
    """
    if each.get("type") != "N_TO_N":
        return ""
    own, other = array_size(resource.spec), array_size(target.spec)
    if own == other and own is not None:
        return ""
    sizes = [f"{size} jobs" if size else "no array" for size in (own, other)]
    return (
        f"N_TO_N is between two arrays of equal size; this job has {sizes[0]}, and BatchJob "
        f"{target.key.name} {sizes[1]}."
    )


def _failed_words(failed: Sequence[tuple[str, str]]) -> str:
    those = [f"{name} ({why})" if why else name for name, why in failed]
    one = len(failed) == 1
    return (
        f"{'BatchJob' if one else 'BatchJobs'} {some_of(those)}, which this job depends on, "
        f"{'has' if one else 'have'} failed, so it is not submitted."
    )


def _remedy(failed: Sequence[tuple[str, str]]) -> str:
    names = some_of([name for name, _ in failed])
    return (
        f"Mend {names} and run it again: delete it and create it again, or change it with "
        "rerunPolicy OnChange. This job then goes on by itself. Or take it out of spec.dependsOn."
    )


def _hash(uids: Sequence[str]) -> str:
    digest = hashlib.sha256("\n".join(uids).encode()).hexdigest()
    return f"{HASH_VERSION}:{digest[:32]}"
