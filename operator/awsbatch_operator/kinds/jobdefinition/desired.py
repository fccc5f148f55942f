"""What a JobDefinition wants to be registered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.blockers import names, sent
from awsbatch_operator.kinds.contract import Removal, is_going
from awsbatch_operator.kinds.jobdefinition.revision import ListedRevision, shown_revisions
from awsbatch_operator.kinds.jobdefinition.spec import JobDefinitionSpec
from awsbatch_operator.kinds.lasting import (
    LastingRemoval,
    lasting_removal,
    reached_before,
)
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags
from awsbatch_operator.kinds.terms import Terms, terms_of
from awsbatch_operator.schema.canonical import content_hash


@dataclass(frozen=True, slots=True)
class InUse:
    """Revisions that jobs still need: by ARN, and by the number that a job which waits names.

    `all`: a job needs one, and nobody can tell yet which.
    """

    arns: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()
    all: bool = False

    def includes(self, revision: Revision) -> bool:
        """Whether a job needs it."""
        return self.all or revision.arn in self.arns or revision.number in self.numbers


@dataclass(frozen=True, slots=True)
class Desired:
    """A newest revision with this content, and no more than `keep` of ours in all.

    `content` are RegisterJobDefinition's members without name and tags. `in_use` are revisions that
    jobs still need; None while nobody has asked.
    """

    owner: Owner
    name: str
    content: Mapping[str, Any]
    content_hash: str
    tags: WantedTags
    keep: int
    shown: tuple[ListedRevision, ...]
    in_use: InUse | None
    reached: bool
    terms: Terms = field(default_factory=Terms)


def desired_definition(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec; jobs are asked for only when a revision may have to go."""
    spec = JobDefinitionSpec.model_validate(resource.spec)
    shown = shown_revisions(resource)
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=spec.aws,
        content_hash=content_hash(spec.aws),
        tags=wanted_tags(resource, owner.tags()),
        keep=spec.kept,
        shown=shown,
        in_use=_in_use(targets) if len(shown) >= spec.kept else None,
        reached=reached_before(resource),
        terms=terms_of(resource),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRemoval(LastingRemoval):
    """`shown`: ARNs of the revisions that the status lists."""

    shown: frozenset[str] = frozenset()

    def jobs(self, now: Instant) -> tuple[str, ...]:
        """A few of the BatchJobs that AWS has or may have of these revisions, and that stay.

        AWS does not say that a job which waits for its next attempt gets one when its revision is
        INACTIVE. One that AWS has not taken does not count: it would wait for us, and we for it.
        """
        return names(user for user in self.users if self._is_needed(user, now))

    def _is_needed(self, user: Resource, now: Instant) -> bool:
        if is_going(user):
            return False
        if "jobId" in user.status:
            return str(user.status.get("jobDefinitionArn", "")) in self.shown
        submission = sent(user, ":job-definition/")
        return submission.definition in self.shown and submission.lately(now)


def definition_removal(resource: Resource, removal: Removal) -> DefinitionRemoval:
    """The removal; a revision may have been registered just before it without an answer.

    That is so where the status shows no revision of the newest spec. One that was answered and is
    not listed yet is remembered (registrations.py), and found by whoever follows a process that
    died: it leads only when the lease of the former one is over, which is later than AWS's listing.
    """
    lasting = lasting_removal(resource, removal)
    return DefinitionRemoval(
        owner=lasting.owner,
        recorded=lasting.recorded,
        users=lasting.users,
        going=lasting.going,
        since=lasting.since,
        seen=lasting.seen and _is_reached(resource),
        called=lasting.called,
        shown=frozenset(revision.arn for revision in shown_revisions(resource)),
    )


def _is_reached(resource: Resource) -> bool:
    try:
        wanted = content_hash(JobDefinitionSpec.model_validate(resource.spec).aws)
    except ValueError:  # the spec is not sound, so nobody can tell
        return False
    return bool(resource.status.get("contentHash") == wanted)


def _in_use(targets: Targets) -> InUse:
    """The revisions of jobs that name one, are submitted, or whose submission is written down.

    An ARN without a revision leads to the newest one when AWS takes the job, and AWS tells which
    that was when it describes the job.
    """
    arns, numbers, unknown = set[str](), set[int](), False
    for user in targets.users:
        arns.add(str(user.status.get("jobDefinitionArn", "")))
        # The intent names the revision before the job's status does. Whatever else stands in that
        # annotation, an ARN of ours in it means that the job may need it.
        submission = user.annotations.get(SUBMISSION, "")
        arns.update(_quoted(submission))
        reference = user.spec.get("jobDefinitionRef") or {}
        if "revision" in reference:
            numbers.add(int(reference["revision"]))
        arn = str(reference.get("arn", ""))
        arns.add(arn)
        if arn and submission and not _names_a_revision(arn):
            unknown |= not _names_a_revision(str(user.status.get("jobDefinitionArn", "")))
    return InUse(frozenset(arns), frozenset(numbers), all=unknown)


def _names_a_revision(arn: str) -> bool:
    return ":" in arn.rpartition("/")[2]


def _quoted(text: str) -> list[str]:
    return [part for part in text.split('"') if part.startswith("arn:")]
