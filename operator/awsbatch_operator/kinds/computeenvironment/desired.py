"""What a ComputeEnvironment wants AWS to have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
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
    when it was last looked at. `notes` are about the spec alone, and in nobody's way.
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
    notes: tuple[Finding, ...] = ()

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
        notes=_old_names(spec),
    )


def _old_names(spec: ComputeEnvironmentSpec) -> tuple[Finding, ...]:
    """blockDurationMinutes, which manifests from AWS's own time of spot blocks have."""
    blocks = {
        pool.name: pool.spot_block.block_duration_minutes
        for pool in (spec.capacity.pools if spec.capacity else ())
        if pool.spot_block
    }
    return tuple(
        Finding(
            catalogue.OLD_NAME,
            f"spec.capacity.pools[name={name}].spotBlock.blockDurationMinutes is an old name.",
            f"Write durationSeconds: {minutes * 60} instead; the block stays as it is.",
        )
        for name, minutes in blocks.items()
        if minutes is not None
    )


def was_deleting(resource: Resource) -> bool:
    """Whether AWS had taken a deletion when the environment was last looked at."""
    return bool(resource.status.get("awsStatus") == "DELETING")
