"""What a SchedulingPolicy wants AWS to have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.lasting import reached_before
from awsbatch_operator.kinds.schedulingpolicy.spec import SchedulingPolicySpec
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags
from awsbatch_operator.kinds.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Desired:
    """`content` is fairsharePolicy or quotaSharePolicy, under that name."""

    owner: Owner
    name: str
    content: Mapping[str, Any]
    tags: WantedTags
    reached: bool
    terms: Terms = field(default_factory=Terms)


def desired_policy(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec; a policy refers to nothing but its account."""
    spec = SchedulingPolicySpec.model_validate(resource.spec)
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=spec.aws,
        tags=wanted_tags(resource, owner.tags()),
        reached=reached_before(resource),
        terms=terms_of(resource),
    )
