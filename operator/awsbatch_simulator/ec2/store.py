"""Everything of EC2 that is our own, in one account and region."""

from dataclasses import dataclass, field
from typing import Any

from awsbatch_simulator.ec2.model import Instance


@dataclass(frozen=True, slots=True)
class Launch:
    """What a client token has already brought: the request, and the instances."""

    parameters: str  # canonical JSON of the request
    answer: dict[str, Any]
    instance_ids: tuple[str, ...]


@dataclass(slots=True)
class Ec2Store:
    """Instances by id, and the launches by client token."""

    instances: dict[str, Instance] = field(default_factory=dict)
    managed: dict[str, dict[str, Instance]] = field(default_factory=dict)  # by cluster ARN; living
    launches: dict[str, Launch] = field(default_factory=dict)
    addresses: int = 0  # how many private addresses were given out
