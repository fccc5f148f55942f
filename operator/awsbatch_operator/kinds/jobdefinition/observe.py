"""The revisions of a job definition that AWS has."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership, ownership, unclaimed
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.jobdefinition.revision import is_open, shown_revisions
from awsbatch_operator.kinds.lasting import ApiCall, adoptable
from awsbatch_operator.kinds.registrations import Registrations, Revision

_NOT_CONTENT = frozenset(
    {"jobDefinitionName", "jobDefinitionArn", "revision", "status", "tags"}
    | {"containerOrchestrationType"}
)


@dataclass(frozen=True, slots=True)
class Observed:
    """All ACTIVE revisions of the name, newest first; whoever registered them.

    `recorded` are the ARNs that the object's status lists as its own, with the hashes of what was
    registered as them. `in_doubt`: there may be one more, whose registration got no answer and
    which AWS does not list yet. `inherited_seconds`: the same may be so, for that long, of one that
    another process was about to register before this one led. `hidden`: ARNs that the status
    lists as registered a moment ago, and that AWS does not list. `unlisted` are the ARNs of those
    whose registration this process saw answered, and that AWS's listing leaves out.
    """

    revisions: tuple[Revision, ...]
    recorded: Mapping[str, str] = field(default_factory=dict)
    in_doubt: bool = False
    inherited_seconds: float = 0.0
    hidden: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()

    @property
    def newest(self) -> Revision | None:
        """What runs for those who submit by name, whoever registered it."""
        return self.revisions[0] if self.revisions else None

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the newest revision that somebody has marked; if nobody has, of the newest.

        Whoever has marked one of them has the name.
        """
        marked = (each.tags for each in self.revisions if not unclaimed(each.tags))
        return next(marked, self.revisions[0].tags if self.revisions else {})

    @property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of all revisions, by ARN."""
        return {revision.arn: revision.tags for revision in self.revisions}

    def owned(self, revision: Revision, owner: Owner) -> Ownership:
        """Who registered a revision."""
        return ownership(revision.tags, owner, recorded=revision.arn in self.recorded)

    def ours(self, owner: Owner) -> tuple[Revision, ...]:
        """Those that this object, or an earlier one of its name, has registered."""
        return tuple(
            revision
            for revision in self.revisions
            if self.owned(revision, owner) is not Ownership.FOREIGN
        )


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at job definitions. Raises AwsError and NoTokenError."""

    batch: BatchPort
    registrations: Registrations

    async def __call__(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The ACTIVE revisions of the name; None if there is none."""
        answers = await self.batch.job_definitions(
            scope, recorded.serving, fresh=fresh, wake=resource.key
        )
        name = recorded.serving
        listed = [_revision(answer) for answer in answers]
        known = {revision.arn for revision in listed}
        self.registrations.listed(scope, name, known)
        lately = self.registrations.revisions(scope, name)
        unlisted = [revision for revision in lately if revision.arn not in known]
        listed += unlisted
        shown = shown_revisions(resource)
        hidden = frozenset(
            one.arn
            for one in shown
            if one.arn not in known
            and self.registrations.may_be_unlisted(scope, one.arn, one.registered)
        )
        inherited = self.registrations.doubt_left(scope, name) if is_open(resource) else 0.0
        in_doubt = self.registrations.in_doubt(scope, name) or inherited > 0
        if not listed and not in_doubt and not hidden:
            return None
        return Observed(
            tuple(sorted(listed, key=_number, reverse=True)),
            {one.arn: one.content_hash for one in shown},
            in_doubt,
            inherited,
            hidden,
            frozenset(revision.arn for revision in unlisted),
        )


def whose(observed: Observed, resource: Resource, owner: Owner) -> Ownership:
    """FOREIGN if the name is somebody else's: then not even a revision is added to it."""
    if observed.in_doubt or not observed.revisions:
        return Ownership.OURS  # one of ours may come to light, beside those of others
    found = {observed.owned(revision, owner) for revision in observed.revisions}
    for first in (Ownership.OURS, Ownership.RECREATED):
        if first in found:
            return first
    if _is_superseded(observed):
        return Ownership.OURS
    return adoptable(Ownership.FOREIGN, observed.tags, resource)


def _is_superseded(observed: Observed) -> bool:
    """Whether a name that was ours has only revisions left which nobody has marked.

    Tools that update a definition register a revision and deregister the one before, which may be
    ours. The status is written only for a name under which ours were found.
    """
    here = {_name_of(revision.arn) for revision in observed.revisions}
    ours_before = any(_name_of(arn) in here for arn in observed.recorded)
    return ours_before and all(unclaimed(revision.tags) for revision in observed.revisions)


def _name_of(arn: str) -> str:
    """The ARN without the revision at its end."""
    return arn.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Registering:
    """What is remembered of the calls. Implements infrastructure.Answers."""

    registrations: Registrations

    def answered(
        self, call: ApiCall, answer: Shape, scope: Scope, before: Observed | None
    ) -> Observed | None:
        """What was registered, at once: AWS's listing may lag behind."""
        if call.operation == "DeregisterJobDefinition":
            self.registrations.retired(scope, str(call.request["jobDefinition"]))
        if call.operation in {"TagResource", "UntagResource"}:
            tags, gone = call.request.get("tags", {}), call.request.get("tagKeys", ())
            self.registrations.tagged(scope, str(call.request["resourceArn"]), tags, gone)
        if call.operation != "RegisterJobDefinition":
            return None
        made = Revision(
            arn=str(answer["jobDefinitionArn"]),
            number=int(answer["revision"]),
            tags=call.request["tags"],
            content=_content(call.request),
        )
        self.registrations.answered(scope, str(call.request["jobDefinitionName"]), made)
        earlier = before or Observed(())
        revisions = (made, *earlier.revisions)
        return replace(earlier, revisions=revisions, unlisted=frozenset({made.arn}))

    def failed(self, call: ApiCall, scope: Scope, *, unknown: bool) -> None:
        if call.operation != "RegisterJobDefinition":
            return
        name = str(call.request["jobDefinitionName"])
        if unknown:
            self.registrations.unanswered(scope, name)
        else:
            self.registrations.refused(scope, name)


def _number(revision: Revision) -> int:
    return revision.number


def _revision(answer: Shape) -> Revision:
    return Revision(
        arn=str(answer["jobDefinitionArn"]),
        number=int(answer["revision"]),
        tags=answer.get("tags") or {},
        content=_content(answer),
    )


def _content(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a spec can say, of a request that registers or of what AWS describes."""
    return {name: value for name, value in said.items() if name not in _NOT_CONTENT}
