"""What a BatchJob wants, with its references resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.dependencies import Dependencies
from awsbatch_operator.kinds.batchjob.environment import DefinitionShape
from awsbatch_operator.kinds.batchjob.grace import left_of
from awsbatch_operator.kinds.batchjob.inline import Inline, Place
from awsbatch_operator.kinds.batchjob.packed import Work
from awsbatch_operator.kinds.batchjob.wishes import Shown, Wishes, shown_of, wishes_of
from awsbatch_operator.kinds.contract import Following

MULTINODE = "multinode"  # JobDefinitionType

_NO_WISHES, _NOTHING_SHOWN = Wishes(""), Shown()


@dataclass(frozen=True, slots=True)
class Desired:
    """A job that is to run: once, or as often as its spec says.

    `queue` and `definition` are ARNs; empty if the reference leads nowhere at present, which a
    job that is already in AWS need not care about. `definition_name` and `definition_generation`
    are those of the JobDefinition object, "" and 0 for a definition that was given by ARN;
    `definition_ready` says whether AWS has what that generation of it says. `missing_revision` says
    which revision was asked for by its number and is not there. `queue_ready`: AWS has the queue as
    its object says. `closed` are queues whose objects are DISABLED, by ARN: AWS takes no job there.
    No first run begins within `grace_seconds` of `created`, by the API server's clock.
    `was_recorded`: our finalizer is there, which comes with the record of a submission and never
    before it, and the record is not. `multinode`: the definition is of a multi-node parallel job.
    `unfit`: why such a job is not submitted to a queue, by the queue's ARN.
    `queue_deleted`: the JobQueue is being deleted, and its jobs with it. `codes_shown` are AWS's
    reasons for its waiting that the status shows already. `unproven`: why what a target shows must
    not be used.
    `inline`: the definition stands in the job; `definition` has no revision then. `let_go` are such
    definitions that it was recorded with before. `shape` is the definition's, None where that is
    not known. `array_values` are the spec's. `tasks_per_job` is that of `packing`, 0 without it.
    `work` is what the definition runs, as far as an object of ours says just what AWS has, and
    `works` what AWS says so, by ARN. `dependencies` are the jobs that it depends on, as
    they stand now. `wishes` are what the spec says of runs, `shown` is what the status says of the
    newest, and `fallback_queue` is the ARN of the queue of `fallback`, as far as it is known;
    `fallback_ready`: AWS has that as its object says.
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
    closed: frozenset[str] = frozenset()
    was_recorded: bool = False
    created: Instant | None = None
    grace_seconds: float = 0.0
    multinode: bool = False
    unfit: Mapping[str, Finding] = field(default_factory=dict)
    queue_deleted: bool = False
    codes_shown: frozenset[str] = frozenset()
    unproven: tuple[Finding, ...] = ()
    inline: Inline | None = None
    let_go: frozenset[Place] = frozenset()
    shape: DefinitionShape | None = None
    array_values: Shape | None = None
    tasks_per_job: int = 0
    work: Work | None = None
    works: Mapping[str, Work] = field(default_factory=dict)
    dependencies: Dependencies = field(default_factory=Dependencies)
    wishes: Wishes = _NO_WISHES
    shown: Shown = _NOTHING_SHOWN
    fallback_queue: str = ""
    fallback_ready: bool = True

    def work_in(self, definition: str) -> Work | None:
        """What the definition of that ARN runs; None if nobody here knows."""
        same = definition == self.definition
        if self.inline is not None:  # its name says its content, in whatever revision
            same = definition.partition(":job-definition/")[2].partition(":")[0] == self.inline.name
        return self.work if same and self.work is not None else self.works.get(definition)

    def grace_left(self, now: Instant) -> float:
        """Seconds until the first run may begin; 0: it may."""
        return left_of(self.created, self.grace_seconds, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingJob(Following):
    """A job that is recorded is to be followed; the fields are those of `Desired`."""

    codes_shown: frozenset[str]
    wishes: Wishes
    shown: Shown = _NOTHING_SHOWN


def followed_job(resource: Resource, following: Following) -> FollowingJob:
    """What the spec, be it sound or not, and the status say of it."""
    return FollowingJob(
        owner=following.owner,
        findings=following.findings,
        may_change=following.may_change,
        codes_shown=waiting.codes_shown(resource.status),
        wishes=wishes_of(resource),
        shown=shown_of(resource),
    )
