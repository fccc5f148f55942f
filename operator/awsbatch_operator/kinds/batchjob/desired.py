"""What a BatchJob wants, with its references resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey, Resource, Shape
from awsbatch_operator.api.references import Need, Reference, Targets, references
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.record import recorded_job_id, submission_of
from awsbatch_operator.kinds.batchjob.request import passed_through, request_hash
from awsbatch_operator.kinds.contract import Following
from awsbatch_operator.kinds.gates import is_ready

MULTINODE = "multinode"  # JobDefinitionType

CLOCKS_APART_SECONDS = 30.0  # the clocks of two machines in good order differ by less


@dataclass(frozen=True, slots=True)
class Desired:
    """A job that is to run once.

    `queue` and `definition` are ARNs; empty if the reference leads nowhere at present, which a
    job that is already in AWS need not care about. `definition_name` and `definition_generation`
    are those of the JobDefinition object, "" and 0 for a definition that was given by ARN;
    `definition_ready` says whether AWS has what that generation of it says. `missing_revision` says
    which revision was asked for by its number and is not there. `queue_ready`: AWS has the queue as
    its object says.
    No first run begins within `grace_seconds` of `created`, by the API server's clock.
    `was_recorded`: our finalizer is there, which comes with the record of a submission and never
    before it, and the record is not. `multinode`: the definition is of a multi-node parallel job.
    `queue_deleted`: the JobQueue is being deleted, and its jobs with it. `codes_shown` are AWS's
    reasons for its waiting that the status shows already. `unproven`: why what a target shows must
    not be used.
    """

    owner: Owner
    account_id: str
    region: str
    queue: str
    definition: str
    fields: Mapping[str, Any]
    tags: Mapping[str, str]
    request_hash: str
    generation: int = 0
    definition_name: str = ""
    definition_generation: int = 0
    definition_ready: bool = True
    missing_revision: str = ""
    queue_ready: bool = True
    was_recorded: bool = False
    created: Instant | None = None
    grace_seconds: float = 0.0
    multinode: bool = False
    queue_deleted: bool = False
    codes_shown: frozenset[str] = frozenset()
    unproven: tuple[Finding, ...] = ()

    def grace_left(self, now: Instant) -> float:
        """Seconds until the first run may begin; 0: it may."""
        return _left(self.created, self.grace_seconds, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingJob(Following):
    """A job that is recorded is to be followed; the fields are those of `Desired`."""

    request_hash: str
    codes_shown: frozenset[str]


def followed_job(resource: Resource, following: Following) -> FollowingJob:
    """What the spec, be it sound or not, and the status say of it."""
    return FollowingJob(
        owner=following.owner,
        findings=following.findings,
        may_change=following.may_change,
        request_hash=request_hash(resource),
        codes_shown=waiting.codes_shown(resource.status),
    )


def grace_left(resource: Resource, definition_grace: float, now: Instant) -> float:
    """Seconds until the first run of a job may begin of which nothing is recorded; 0: it may."""
    if resource.held or SUBMISSION in resource.annotations:
        return 0.0
    return _left(resource.created, _grace_seconds(resource, definition_grace), now)


def _grace_seconds(resource: Resource, definition_grace: float) -> float:
    """Of a creationTimestamp, which has whole seconds, cut off: hence the one more."""
    reference: Shape = resource.spec["jobDefinitionRef"]
    by_name = "name" in reference and reference.get("revision") is None
    return definition_grace + 1.0 if by_name and definition_grace > 0 else 0.0


def _left(created: Instant | None, grace_seconds: float, now: Instant) -> float:
    """The moment of creation is the API server's, and `now` is ours.

    A creation that is ahead of us by more than clocks differ in good order means that one of them
    is wrong, and waiting for the other could take hours.
    """
    if created is None or not grace_seconds:
        return 0.0
    left = created.plus(grace_seconds).since(now)
    return left if 0.0 < left <= grace_seconds + CLOCKS_APART_SECONDS else 0.0


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
    revision = "revision" in resource.spec["jobDefinitionRef"]
    return tuple(
        replace(
            reference,
            need=numbered if revision and reference.target.kind == "JobDefinition" else need,
        )
        for reference in references(resource)
        if reference.target.kind != "AWSAccount"
    )


def desired_job(
    resource: Resource, targets: Targets, owner: Owner, *, definition_grace: float = 0.0
) -> Desired:
    """Spec and resolved references.

    `definition_grace` are the seconds that a definition by name is given to be changed by the same
    `kubectl apply` that made the job.
    """
    reference: Shape = resource.spec["jobDefinitionRef"]
    definition = _target(resource, "jobDefinitionRef", "JobDefinition", targets)
    queue = _target(resource, "jobQueueRef", "JobQueue", targets)
    by_name, revision = "name" in reference, reference.get("revision")
    used = _used(definition, revision)
    return Desired(
        owner=owner,
        account_id=targets.account_id,
        region=targets.region,
        queue=_arn(resource, "jobQueueRef", "JobQueue", targets),
        definition=used.arn if by_name else str(reference["arn"]),
        fields=passed_through(resource.spec),
        tags=resource.spec.get("tags", {}),
        request_hash=request_hash(resource),
        generation=resource.generation,
        definition_name=str(reference["name"]) if by_name else "",
        was_recorded=resource.held and SUBMISSION not in resource.annotations,
        definition_generation=used.generation,
        definition_ready=definition is None or revision is not None or is_ready(definition),
        missing_revision="" if definition is None else used.missing,
        queue_ready=queue is None or is_ready(queue),
        created=resource.created,
        grace_seconds=_grace_seconds(resource, definition_grace),
        multinode=definition is not None and definition.spec.get("type") == MULTINODE,
        queue_deleted=queue is not None and queue.deleting and _ends_its_jobs(queue),
        codes_shown=waiting.codes_shown(resource.status),
        unproven=tuple(targets.unproven.values()),
    )


def _need(resource: Resource) -> Need:
    """What a job that stands in the status needs of them, one that is recorded, and any other."""
    submission = submission_of(resource)
    if submission is None:
        return Need.READY
    if recorded_job_id(resource, submission) is not None:
        return Need.OPTIONAL
    return Need.OWN if submission.request_hash == request_hash(resource) else Need.READY


def _ends_its_jobs(queue: Resource) -> bool:
    """Whether the deletion of a JobQueue ends jobs: at once, or after some time."""
    drain: Shape = queue.spec.get("drain", {})
    return drain.get("policy") == "Terminate" or bool(drain.get("timeoutSeconds"))


def _arn(resource: Resource, field_name: str, kind: str, targets: Targets) -> str:
    reference: Shape = resource.spec[field_name]
    if "arn" in reference:
        return str(reference["arn"])
    target = _target(resource, field_name, kind, targets)
    return "" if target is None else str(target.status.get("arn", ""))


@dataclass(frozen=True, slots=True)
class _Used:
    """A revision of a JobDefinition: its ARN, and of which generation it is."""

    arn: str = ""
    generation: int = 0
    missing: str = ""


def _used(definition: Resource | None, revision: int | None) -> _Used:
    """The newest revision, or that of the number if the definition has registered it."""
    if definition is None:
        return _Used()
    newest = str(definition.status.get("arn", ""))
    if revision is None:
        return _Used(newest, definition.generation)
    listed = {each["revision"]: each for each in definition.status.get("revisions", ())}
    if revision not in listed:
        numbers = ", ".join(str(number) for number in sorted(listed)) or "none"
        words = f"{definition.key} has no ACTIVE revision {revision} of its own, but {numbers}."
        return _Used(missing=words)
    # Only what a proof was given for: the name in the ARN is the newest revision's.
    arn = f"{newest.rpartition(':')[0]}:{revision}"
    return _Used(arn, int(listed[revision].get("generation") or 0))


def _target(resource: Resource, field_name: str, kind: str, targets: Targets) -> Resource | None:
    name = resource.spec[field_name].get("name")
    return targets.found.get(ObjectKey(kind, resource.key.namespace, name)) if name else None
