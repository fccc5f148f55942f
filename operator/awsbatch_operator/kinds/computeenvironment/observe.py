"""A compute environment as AWS has it, and which queues use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.lasting import Detail
from awsbatch_operator.kinds.queues import Use, uses

_RETURNED_ONLY = frozenset(
    {"computeEnvironmentName", "computeEnvironmentArn", "ecsClusterArn", "tags", "status"}
    | {"statusReason", "containerOrchestrationType", "uuid", "context"}
)


@dataclass(frozen=True, slots=True)
class Observed(Detail):
    """DescribeComputeEnvironments' detail. `queues` are read only when that matters."""

    queues: tuple[Use, ...] = ()

    @property
    def arn(self) -> str:
        """The environment's ARN."""
        return str(self.detail["computeEnvironmentArn"])

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
        if not resource.deleting:
            return Observed(detail)
        queues = await self.batch.job_queues(scope, fresh=fresh)
        return Observed(detail, uses(queues, detail["computeEnvironmentArn"]))
