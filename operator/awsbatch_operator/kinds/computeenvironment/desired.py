"""What a ComputeEnvironment wants AWS to have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.computeenvironment.spec import ComputeEnvironmentSpec
from awsbatch_operator.kinds.lasting import reached_before
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags


@dataclass(frozen=True, slots=True)
class Desired:
    """`content` are AWS's members as the spec has them; `reached`: it was reached before."""

    owner: Owner
    name: str
    content: Mapping[str, Any]
    tags: WantedTags
    reached: bool

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
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=spec.aws,
        tags=wanted_tags(resource, owner.tags()),
        reached=reached_before(resource),
    )
