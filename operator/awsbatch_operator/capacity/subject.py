"""Whose capacity a look is about."""

from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api.metadata import RECONCILE_AT, Resource, Shape
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.model import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose capacity is looked at.

    `bodies` are the pools as the spec has them. `cluster` is the ARN of the ECS cluster, "" if the
    environment is not there; `serves`: Batch would start jobs in it now.
    """

    resource: Resource
    owner: Owner
    scope: Scope
    wish: Wish
    bodies: Mapping[str, Shape]
    record: Launches
    environment: str  # ARN
    cluster: str
    serves: bool

    @property
    def cluster_name(self) -> str:
        """Name of the ECS cluster."""
        return self.cluster.rpartition("/")[2]

    @property
    def mark(self) -> str:
        """Another one for each spec, and for each time that a person asks for a look.

        A deletion that waits for finalizers counts as a generation (Kubernetes' BeforeDelete), and
        is no reason for a pool that was stopped to go on. Another image of an ExtendedAMI is one,
        as an edit is.
        """
        asked = self.resource.annotations.get(RECONCILE_AT, "")
        generation = self.resource.generation - self.resource.deleting
        return "/".join((str(generation), asked, *self._images()))

    def _images(self) -> list[str]:
        """The images that ExtendedAMIs have made for pools."""
        named = [body.get("image") or {} for body in self.bodies.values()]
        return sorted({each["amiId"] for each in named if AMI_REF in each and "amiId" in each})
