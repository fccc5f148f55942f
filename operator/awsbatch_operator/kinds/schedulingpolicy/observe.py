"""A scheduling policy as AWS has it, and which queues use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.queues import Use, uses

_RETURNED_ONLY = frozenset({"name", "arn", "tags"})


@dataclass(frozen=True, slots=True)
class Observed:
    """DescribeSchedulingPolicies' detail. `queues` are read only when that matters."""

    detail: Shape
    queues: tuple[Use, ...] = ()

    @property
    def arn(self) -> str:
        """The policy's ARN."""
        return str(self.detail["arn"])

    @property
    def tags(self) -> Mapping[str, str]:
        """All tags, ours and others'."""
        return self.detail.get("tags") or {}

    @property
    def content(self) -> Mapping[str, Any]:
        """The members that a spec can have."""
        return {name: value for name, value in self.detail.items() if name not in _RETURNED_ONLY}


async def observe_policy(
    batch: BatchPort, recorded: Recorded, scope: Scope, *, deleting: bool
) -> Observed | None:
    """The policy by name; AWS describes policies by ARN only, so that is looked up first."""
    arn = await batch.scheduling_policy_arn(scope, recorded.aws_name)
    detail = None if arn is None else await batch.scheduling_policy(scope, arn)
    if detail is None:
        return None
    if not deleting:
        return Observed(detail)
    return Observed(detail, uses(await batch.job_queues(scope), str(detail["arn"])))
