"""A compute environment as AWS has it, and which queues use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.computeenvironment.remaking import remaking_in
from awsbatch_operator.kinds.lasting import Detail
from awsbatch_operator.kinds.queues import Use, uses

_RETURNED_ONLY = frozenset(
    {"computeEnvironmentName", "computeEnvironmentArn", "ecsClusterArn", "tags", "status"}
    | {"statusReason", "containerOrchestrationType", "uuid", "context"}
)


@dataclass(frozen=True, slots=True)
class Observed(Detail):
    """DescribeComputeEnvironments' detail. `queues` are read only when that matters.

    It does when the environment is to go: with its object, or because it is INVALID.
    """

    queues: tuple[Use, ...] = ()

    @property
    def arn(self) -> str:
        """The environment's ARN."""
        return str(self.detail["computeEnvironmentArn"])

    @property
    def mark(self) -> str:
        """What tells it from an earlier or later environment of the same name: AWS's own uuid.

        The ARN is made of the name, and so is the same for all of them.
        """
        return str(self.detail.get("uuid") or self.detail.get("ecsClusterArn") or "")

    @property
    def content(self) -> Mapping[str, Any]:
        """The members that a spec can have."""
        return {name: value for name, value in self.detail.items() if name not in _RETURNED_ONLY}


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at compute environments. Raises AwsError and NoTokenError."""

    batch: BatchPort

    async def __call__(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The environment by name; with the queues that use it if it is to go."""
        detail = await self.batch.compute_environment(
            scope, recorded.serving, fresh=fresh, wake=resource.key
        )
        if detail is None:
            return None
        going = resource.deleting or detail.get("status") == "INVALID"
        found = Observed(detail)
        if not going and not remaking_in(resource).is_of(found.mark):
            return found
        queues = await self.batch.job_queues(scope, fresh=fresh)
        return Observed(detail, uses(queues, detail["computeEnvironmentArn"]))
