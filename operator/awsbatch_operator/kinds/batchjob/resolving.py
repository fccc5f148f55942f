"""From a BatchJob and the objects that it names to what is desired (pure)."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey, Resource, Shape, kept_of_spec
from awsbatch_operator.api.references import Need, Reference, Targets, references
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.batchjob import runs, waiting
from awsbatch_operator.kinds.batchjob.dependencies import resolved
from awsbatch_operator.kinds.batchjob.desired import MULTINODE, Desired
from awsbatch_operator.kinds.batchjob.environment import DefinitionShape, shape_of
from awsbatch_operator.kinds.batchjob.grace import grace_seconds_of
from awsbatch_operator.kinds.batchjob.inline import Inline, Place, arn_of, inline_of, let_go_by
from awsbatch_operator.kinds.batchjob.packed import work_of
from awsbatch_operator.kinds.batchjob.record import recorded_job_id, submission_of
from awsbatch_operator.kinds.batchjob.request import passed_through
from awsbatch_operator.kinds.batchjob.run_causes import Stop
from awsbatch_operator.kinds.batchjob.wishes import shown_of, wishes_of
from awsbatch_operator.kinds.gates import is_ready

_KINDS = {"jobQueueRef": "JobQueue", "jobDefinitionRef": "JobDefinition"}
_OF_FURTHER_RUNS = {"rerunPolicy", "fallback", "retryFailedIndexes"}


def needed_references(resource: Resource) -> tuple[Reference, ...]:
    """Queue and definition; once a submission of this request is recorded, nothing waits for them.

    They are looked at even then: a repeat goes to the recorded queue only while the spec leads
    there, or whoever can edit the annotation could submit where the spec may not; and only while
    that is still the queue of the object which the spec names, and not another's of the same name.
    """
    need = _need(resource)
    # A revision that is given by its number may be there whatever became of the newest generation;
    # but nothing new is built on a definition that is being deleted.
    numbered = Need.STANDING if need is Need.READY else need
    revision = "revision" in resource.spec.get("jobDefinitionRef", ())
    return tuple(
        reference.needed(_need_of(reference, numbered if revision else need, need))
        for reference in references(resource)
        if reference.target.kind != "AWSAccount"
    )


def desired_job(
    resource: Resource, targets: Targets, owner: Owner, *, definition_grace: float = 0.0
) -> Desired:
    """Spec and resolved references; `definition_grace` in seconds, see grace.py."""
    reference: Shape = resource.spec.get("jobDefinitionRef") or {}
    queue, definition = (_target(resource.spec, name, resource, targets) for name in _KINDS)
    inline, wishes = inline_of(resource, owner.cluster_id), wishes_of(resource)
    queue_arn = _queue_arn(resource.spec, queue)
    used, content = _used(definition, reference), _content(inline, definition)
    made = Desired(
        owner=owner,
        account_id=targets.account_id,
        region=targets.region,
        queue=queue_arn,
        definition=_inline_arn(inline, targets, queue_arn) or used.arn,
        fields=passed_through(resource.spec),
        tags=resource.spec.get("tags", {}),
        request_hash=wishes.request_hash,
        generation=resource.generation,
        definition_name=str(reference.get("name", "")),
        was_recorded=_was_recorded(resource),
        definition_generation=used.generation,
        definition_ready=used.ready,
        missing_revision=used.missing,
        queue_ready=queue is None or is_ready(queue),
        created=resource.created,
        grace_seconds=grace_seconds_of(resource, definition_grace),
        multinode=content is not None and content.get("type") == MULTINODE,
        queue_deleted=queue is not None and queue.deleting and _ends_its_jobs(queue),
        codes_shown=waiting.codes_shown(resource.status),
        unproven=tuple(targets.unproven.values()),
        inline=inline,
        let_go=let_go_by(resource, targets.account_id, targets.region),
        shape=_shape(inline, definition),
        array_values=resource.spec.get("arrayValues"),
        dependencies=resolved(resource, targets.found),
        wishes=wishes,
        shown=shown_of(resource),
        closed=_closed(queue),
    )
    return _with_fallback(_with_packing(made, resource, content, used), resource, targets)


def _shape(inline: Inline | None, definition: Resource | None) -> DefinitionShape | None:
    if inline is not None:
        return shape_of(inline.content)
    return None if definition is None else _shape_in(definition)


@kept_of_spec
def _shape_in(definition: Resource) -> DefinitionShape:
    return shape_of(definition.spec)


def _content(inline: Inline | None, definition: Resource | None) -> Shape | None:
    """What the job runs, as far as it stands in an object of ours.

    Of a revision that is given by its number, what the newest one has: their bodies are much the
    same, and AWS refuses an override that fits none of them.
    """
    if inline is not None:
        return inline.content
    return None if definition is None else definition.spec


def _with_packing(
    made: Desired, resource: Resource, content: Shape | None, used: "_Used"
) -> Desired:
    """With what the definition runs, if an object of ours says just what AWS has.

    Of a revision that is given by its number, only AWS tells.
    """
    packing: Shape | None = resource.spec.get("packing")
    if packing is None:
        return made
    numbered = "revision" in (resource.spec.get("jobDefinitionRef") or {})
    same = content is not None and (made.inline is not None or (used.ready and not numbered))
    work = work_of(content) if content is not None and same else None
    return replace(made, tasks_per_job=int(packing["tasksPerJob"]), work=work)


def _inline_arn(inline: Inline | None, targets: Targets, queue: str) -> str:
    if inline is None:
        return ""
    return arn_of(Place(targets.account_id, targets.region, inline.name), queue)


def _was_recorded(resource: Resource) -> bool:
    """Whether a record stood there that somebody has taken away.

    It comes with our finalizer, which is there no sooner; and the status names a run only later.
    """
    return SUBMISSION not in resource.annotations and (resource.held or "run" in resource.status)


def _need(resource: Resource) -> Need:
    """What a job that stands in the status needs of them, one that is recorded, and any other."""
    if resource.spec.get("suspend") is True:
        return Need.OPTIONAL  # nothing is submitted
    submission = submission_of(resource)
    if submission is None:
        return Need.READY
    named = recorded_job_id(resource, submission) is not None
    if named and submission.stop is None and not _OF_FURTHER_RUNS & resource.spec.keys():
        return Need.OPTIONAL  # most
    wishes, shown = wishes_of(resource), shown_of(resource)
    if shown.is_of(submission) and shown.result:
        follows = runs.what_follows(wishes, submission, runs.shown_end(submission, shown))
        if follows.fate is not runs.Fate.AGAIN:
            return Need.OPTIONAL
        return Need.READY if runs.takes_the_newest(follows) else Need.OWN
    if submission.stop in {Stop.SUSPENDED, Stop.CHANGED, Stop.DEPENDENCY}:
        return Need.READY  # of the run that follows
    if named:
        if wishes.on_change and wishes.changed(submission):
            return Need.READY
        return Need.OWN if wishes.fallback or wishes.retry else Need.OPTIONAL
    return Need.OWN if submission.request_hash == wishes.request_hash else Need.READY


def _need_of(reference: Reference, of_definition: Need, of_queue: Need) -> Need:
    """The queue of `fallback` is waited for when a run is to go there, and no sooner.

    Whether a job that this one depends on holds it back is the plan's decision.
    """
    if reference.target.kind == "BatchJob":
        return Need.OPTIONAL
    if reference.path.startswith("spec.fallback."):
        return Need.OPTIONAL if of_queue is Need.OPTIONAL else Need.OWN
    return of_definition if reference.target.kind == "JobDefinition" else of_queue


def _ends_its_jobs(queue: Resource) -> bool:
    """Whether the deletion of a JobQueue ends jobs: at once, or after some time."""
    drain: Shape = queue.spec.get("drain", {})
    return drain.get("policy") == "Terminate" or bool(drain.get("timeoutSeconds"))


def _with_fallback(made: Desired, resource: Resource, targets: Targets) -> Desired:
    part: Shape | None = resource.spec.get("fallback")
    if part is None:
        return made
    queue = _target(part, "jobQueueRef", resource, targets)
    arn, ready = _queue_arn(part, queue), queue is None or is_ready(queue)
    closed = made.closed | _closed(queue)
    return replace(made, fallback_queue=arn, fallback_ready=ready, closed=closed)


def _closed(queue: Resource | None) -> frozenset[str]:
    """The ARN of a queue that is DISABLED."""
    if queue is None or queue.spec.get("state") != "DISABLED":
        return frozenset()
    return frozenset({str(queue.status.get("arn", ""))})


def _queue_arn(part: Shape, queue: Resource | None) -> str:
    """The ARN of the queue that this part of the spec names, as far as it is known."""
    reference: Shape = part["jobQueueRef"]
    if "arn" in reference:
        return str(reference["arn"])
    return "" if queue is None else str(queue.status.get("arn", ""))


@dataclass(frozen=True, slots=True)
class _Used:
    """A revision of a definition: its ARN, and of which generation of which object it is.

    `ready`: AWS has what the newest generation says, as far as that matters.
    """

    arn: str = ""
    generation: int = 0
    missing: str = ""
    ready: bool = True


def _used(definition: Resource | None, reference: Shape) -> _Used:
    """The newest revision, or that of the number if the definition has registered it."""
    if definition is None:
        return _Used(str(reference.get("arn", "")))
    newest, revision = str(definition.status.get("arn", "")), reference.get("revision")
    if revision is None:
        return _Used(newest, definition.generation, ready=is_ready(definition))
    listed = {each["revision"]: each for each in definition.status.get("revisions", ())}
    if revision not in listed:
        numbers = ", ".join(str(number) for number in sorted(listed)) or "none"
        words = f"{definition.key} has no ACTIVE revision {revision} of its own, but {numbers}."
        return _Used(missing=words)
    # Only what a proof was given for: the name in the ARN is the newest revision's.
    arn = f"{newest.rpartition(':')[0]}:{revision}"
    return _Used(arn, int(listed[revision].get("generation") or 0))


def _target(part: Shape, field_name: str, resource: Resource, targets: Targets) -> Resource | None:
    """The object that a part of the spec refers to by name, if it was found."""
    kind, name = _KINDS[field_name], (part.get(field_name) or {}).get("name")
    return targets.found.get(ObjectKey(kind, resource.key.namespace, name)) if name else None


def begins_anew(resource: Resource) -> bool:
    """Whether another run is to begin with the newest revision of the definition (pure)."""
    if resource.generation == 1:
        return False  # nobody has edited it
    return submission_of(resource) is not None and _need(resource) is Need.READY
