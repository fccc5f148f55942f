"""The revisions of a job definition that AWS has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import CONTENT, Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort

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
    """All ACTIVE revisions of the name, newest first; whoever registered them."""

    revisions: tuple[Revision, ...]

    def ours(self, owner: Owner) -> tuple[Revision, ...]:
        """Those that this object, or an earlier one of its name, has registered."""
        return tuple(
            revision
            for revision in self.revisions
            if ownership(revision.tags, owner) is not Ownership.FOREIGN
        )


async def observe_definition(batch: BatchPort, recorded: Recorded, scope: Scope) -> Observed | None:
    """DescribeJobDefinitions by name; None if no revision is active. Raises AwsError."""
    answers = await batch.job_definitions(scope, recorded.aws_name)
    if not answers:
        return None
    revisions = sorted((_revision(answer) for answer in answers), key=_number, reverse=True)
    return Observed(tuple(revisions))


def whose(observed: Observed, owner: Owner) -> Ownership:
    """FOREIGN if the name is somebody else's: then not even a revision is added to it."""
    found = {ownership(revision.tags, owner) for revision in observed.revisions}
    if Ownership.OURS in found:
        return Ownership.OURS
    return Ownership.RECREATED if Ownership.RECREATED in found else Ownership.FOREIGN


def _number(revision: Revision) -> int:
    return revision.number


def _revision(answer: Shape) -> Revision:
    return Revision(
        arn=str(answer["jobDefinitionArn"]),
        number=int(answer["revision"]),
        tags=answer.get("tags") or {},
        content={name: value for name, value in answer.items() if name not in _NOT_CONTENT},
    )
