"""What a ComputeEnvironment wants AWS to have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.computeenvironment.noops import without_noops
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking, remaking_in
from awsbatch_operator.kinds.computeenvironment.spec import ComputeEnvironmentSpec
from awsbatch_operator.kinds.lasting import reached_before
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags


@dataclass(frozen=True, slots=True)
class Desired:
    """`content` are AWS's members as the spec has them; `reached`: it was reached before.

    `retained`: what AWS has must not be removed. `was_deleting`: AWS was removing the environment
    when it was last looked at.
    """

    owner: Owner
    name: str
    content: Mapping[str, Any]
    tags: WantedTags
    reached: bool
    generation: int = 0
    retained: bool = False
    was_deleting: bool = False
    remaking: Remaking = field(default_factory=Remaking)

    @property
    def managed(self) -> bool:
        """Whether AWS Batch runs the instances."""
        return bool(self.content.get("type") == "MANAGED")

    @property
    def state(self) -> str:
        """ENABLED or DISABLED; AWS's default is ENABLED."""
        return str(self.content.get("state", "ENABLED"))


def desired_environment(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec; an environment refers to nothing but its account."""
    spec = ComputeEnvironmentSpec.model_validate(resource.spec)
    policy = resource.spec.get("deletionPolicy")
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=without_noops(spec.aws),
        tags=wanted_tags(resource, owner.tags()),
        reached=reached_before(resource),
        generation=resource.generation,
        retained=policy == "Retain" or (policy is None and targets.adopted),
        was_deleting=was_deleting(resource),
        remaking=remaking_in(resource),
    )


def was_deleting(resource: Resource) -> bool:
    """Whether AWS had taken a deletion when the environment was last looked at."""
    return bool(resource.status.get("awsStatus") == "DELETING")
