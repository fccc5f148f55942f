"""Everything of EC2 that is our own, in one account and region."""

from dataclasses import dataclass, field
from typing import Any

from awsbatch_simulator.ec2.model import Instance, LaunchTemplate, PlacementGroup, Tagged


@dataclass(frozen=True, slots=True)
class Launch:
    """What a client token has already brought: the request, and the instances."""

    parameters: str  # canonical JSON of the request
    answer: dict[str, Any]
    instance_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client token of another operation has already brought."""

    parameters: str  # canonical JSON of the request
    answer: dict[str, Any]


@dataclass(slots=True)
class Ec2Store:
    """Instances and launch templates by id, placement groups by name, and what tokens brought."""

    instances: dict[str, Instance] = field(default_factory=dict)
    managed: dict[str, dict[str, Instance]] = field(default_factory=dict)  # by cluster ARN; living
    launches: dict[str, Launch] = field(default_factory=dict)
    templates: dict[str, LaunchTemplate] = field(default_factory=dict)
    placement_groups: dict[str, PlacementGroup] = field(default_factory=dict)
    answered: dict[tuple[str, str], Answered] = field(default_factory=dict)  # operation, token
    addresses: int = 0  # how many private addresses were given out

    def template_named(self, name: str) -> LaunchTemplate | None:
        """The launch template of that name; names are unique."""
        return next((each for each in self.templates.values() if each.name == name), None)

    def group_of_id(self, group_id: str) -> PlacementGroup | None:
        """The placement group of that id."""
        return next((each for each in self.placement_groups.values() if each.id == group_id), None)

    def tagged(self, resource: str) -> Tagged | None:
        """What can have tags, by its id."""
        return (
            self.instances.get(resource)
            or self.templates.get(resource)
            or self.group_of_id(resource)
        )
