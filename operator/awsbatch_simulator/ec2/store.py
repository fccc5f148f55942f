"""Everything of EC2 that is our own, in one account and region."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from awsbatch_simulator.ec2.capacity_model import (
    CapacityReservation,
    Fleet,
    SpotRequest,
    Tagged,
    Volume,
)
from awsbatch_simulator.ec2.image_model import Image, Snapshot
from awsbatch_simulator.ec2.model import Instance, Interface, LaunchTemplate, PlacementGroup

if TYPE_CHECKING:
    from awsbatch_simulator.ec2.addresses import SubnetAddresses


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
    """Everything by its id (placement groups by name), what is counted, and what tokens brought.

    Instances come and go by `add` and `forget`, and tags of theirs change by `tag` and `untag`: so
    `by_tag` stays true.
    """

    instances: dict[str, Instance] = field(default_factory=dict)
    by_tag: dict[tuple[str, str], dict[str, Instance]] = field(default_factory=dict)
    managed: dict[str, dict[str, Instance]] = field(default_factory=dict)  # by cluster ARN; living
    volumes: dict[str, Volume] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)  # the account's own
    image_names: dict[str, Image] = field(default_factory=dict)  # of the same, which are unique
    deregistered: dict[str, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    spot_requests: dict[str, SpotRequest] = field(default_factory=dict)
    fleets: dict[str, Fleet] = field(default_factory=dict)
    reservations: dict[str, CapacityReservation] = field(default_factory=dict)
    interfaces: dict[str, Interface] = field(default_factory=dict)
    launches: dict[tuple[str, str], Launch] = field(default_factory=dict)  # zone or "", token
    templates: dict[str, LaunchTemplate] = field(default_factory=dict)
    placement_groups: dict[str, PlacementGroup] = field(default_factory=dict)
    answered: dict[tuple[str, str], Answered] = field(default_factory=dict)  # operation, token
    subnets: dict[str, "SubnetAddresses"] = field(default_factory=dict)
    sold: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # market, type, zone
    vcpus: Counter[str] = field(default_factory=Counter)  # by quota code

    def register(self, image: Image) -> None:
        """A new image of the account's own."""
        self.images[image.id] = self.image_names[image.name] = image

    def deregister(self, image: Image) -> None:
        """Its name is free again; instances of it may live on."""
        self.images.pop(image.id, None)
        self.image_names.pop(image.name, None)
        self.deregistered[image.id] = image

    def add(self, instance: Instance) -> None:
        """A new instance, with its tags."""
        self.instances[instance.id] = instance
        for tag in instance.tags.items():
            self.by_tag.setdefault(tag, {})[instance.id] = instance

    def forget(self, instance: Instance) -> None:
        """An instance is not listed any more."""
        self.untag(instance, tuple(instance.tags))
        self.instances.pop(instance.id, None)

    def tag(self, thing: Tagged, tags: Mapping[str, str], *, now: float) -> None:
        """Give tags to what there is."""
        if isinstance(thing, Instance):
            self.untag(thing, tags)
            for tag in tags.items():
                self.by_tag.setdefault(tag, {})[thing.id] = thing
            thing.tagged_at = now
        thing.tags.update(tags)
        if isinstance(thing, Instance):
            thing.changed()

    def untag(self, thing: Tagged, keys: Iterable[str]) -> None:
        """Take the tags of those keys away."""
        for key in keys:
            value = thing.tags.pop(key, None)
            if value is not None and isinstance(thing, Instance):
                found = self.by_tag.get((key, value), {})
                thing.changed()
                found.pop(thing.id, None)
                if not found:
                    self.by_tag.pop((key, value), None)

    def template_named(self, name: str) -> LaunchTemplate | None:
        """The launch template of that name; names are unique."""
        return next((each for each in self.templates.values() if each.name == name), None)

    def group_of_id(self, group_id: str) -> PlacementGroup | None:
        """The placement group of that id."""
        return next((each for each in self.placement_groups.values() if each.id == group_id), None)

    def tagged(self, resource: str) -> Tagged | None:
        """What can have tags, by its id."""
        for things in self.kinds().values():
            if (found := things.get(resource)) is not None:
                return found
        return self.group_of_id(resource)

    def kinds(self) -> Mapping[str, Mapping[str, Tagged]]:
        """What can have tags and is kept by id, by its resource type."""
        return {
            "instance": self.instances,
            "launch-template": self.templates,
            "volume": self.volumes,
            "spot-instances-request": self.spot_requests,
            "fleet": self.fleets,
            "capacity-reservation": self.reservations,
            "network-interface": self.interfaces,
            "image": self.images,
            "snapshot": self.snapshots,
        }
