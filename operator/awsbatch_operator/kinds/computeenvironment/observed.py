"""A compute environment as AWS has it, which queues use it, and its instances (values)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.kinds.computeenvironment.instances import Capacity
from awsbatch_operator.kinds.lasting import Detail
from awsbatch_operator.kinds.queues import Use

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
    capacity: Capacity | None = None  # None: no instances are launched for it, nor ever were

    @property
    def present(self) -> bool:
        """Whether AWS has the environment. If not, only its instances are left of it."""
        return "computeEnvironmentName" in self.detail

    @property
    def arn(self) -> str:
        """The environment's ARN."""
        return str(self.detail.get("computeEnvironmentArn", ""))

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
