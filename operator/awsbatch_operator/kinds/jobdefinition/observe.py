"""The revisions of a job definition that AWS has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import CONTENT, Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.lasting import ApiCall, adoptable

_NOT_CONTENT = frozenset(
    {"jobDefinitionName", "jobDefinitionArn", "revision", "status", "tags"}
    | {"containerOrchestrationType"}
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One ACTIVE revision. `content` are the members that were registered, as AWS returns them."""

    arn: str
    number: int
    tags: Mapping[str, str]
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """The hash that we tagged it with; "" if it has none."""
        return self.tags.get(CONTENT, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """All ACTIVE revisions of the name, newest first; whoever registered them.

    `recorded` are the ARNs that the object's status lists as its own.
    """

    revisions: tuple[Revision, ...]
    recorded: frozenset[str] = frozenset()

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the newest revision."""
        return self.revisions[0].tags if self.revisions else {}

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

    async def __call__(
        self, resource: Resource, recorded: Recorded, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The ACTIVE revisions of the name; None if there is none."""
        answers = await self.batch.job_definitions(
            scope, recorded.serving, fresh=fresh, wake=resource.key
        )
        if not answers:
            return None
        revisions = sorted((_revision(answer) for answer in answers), key=_number, reverse=True)
        listed = resource.status.get("revisions", ())
        return Observed(tuple(revisions), frozenset(str(entry["arn"]) for entry in listed))


def whose(observed: Observed, resource: Resource, owner: Owner) -> Ownership:
    """FOREIGN if the name is somebody else's: then not even a revision is added to it."""
    found = {observed.owned(revision, owner) for revision in observed.revisions}
    for first in (Ownership.OURS, Ownership.RECREATED):
        if first in found:
            return first
    newest = observed.revisions[0]
    return adoptable(Ownership.FOREIGN, newest.tags, resource)


def answered(call: ApiCall, answer: Shape, before: Observed | None) -> Observed | None:
    """What was registered, at once: AWS's listing may lag behind."""
    if call.operation != "RegisterJobDefinition":
        return None
    made = Revision(
        arn=str(answer["jobDefinitionArn"]),
        number=int(answer["revision"]),
        tags=call.request["tags"],
    )
    earlier = before or Observed(())
    return Observed((made, *earlier.revisions), earlier.recorded)


def _number(revision: Revision) -> int:
    return revision.number


def _revision(answer: Shape) -> Revision:
    return Revision(
        arn=str(answer["jobDefinitionArn"]),
        number=int(answer["revision"]),
        tags=answer.get("tags") or {},
        content={name: value for name, value in answer.items() if name not in _NOT_CONTENT},
    )
