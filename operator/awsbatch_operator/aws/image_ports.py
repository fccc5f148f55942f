"""What the operator needs of AWS for machine images, call by call.

The rules of `capacity_ports.py` hold here as well. The instances that images are made of are read,
launched and ended through Ec2Port, whose feed follows them.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Protocol

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Permit, Scope


class ImagePort(Protocol):
    """Images and snapshots of one's own in EC2, the cluster of verification, parameters."""

    async def own_images(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """The account's images with our cluster's tag, deprecated and disabled ones too.

        The oldest first; IMAGE_MEMBERS (images.py) of each. All objects of an account and region
        read them together. Five minutes, or until we change one.
        """

    async def image_named(self, scope: Scope, name: str) -> Shape | None:
        """The account's image of that name, whoever made it; always asked of AWS."""

    async def images_named_like(self, scope: Scope, pattern: str) -> Sequence[Shape]:
        """The account's images whose names fit, with * for anything; always asked of AWS."""

    async def own_snapshots(self, scope: Scope) -> Sequence[Shape]:
        """The account's snapshots with our cluster's tag; always asked of AWS."""

    async def snapshots_in_use(self, scope: Scope, ids: Sequence[str]) -> Collection[str]:
        """Those of them that an image of the account has, whoever has made it; always asked."""

    async def references(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        """What of the account refers to these images, by their ids, as ARNs. Five minutes.

        Instances that were not ended, launch templates and parameters, whoever has made them
        (DescribeImageReferences).
        """

    async def cluster(self, scope: Scope, name: str) -> bool:
        """Whether ECS has an ACTIVE cluster of that name; always asked of AWS."""

    async def verify_clusters(self, scope: Scope) -> Sequence[Shape]:
        """The ACTIVE clusters of verification with our cluster's tag; always asked of AWS.

        ClusterName and Tags of each, the latter as EC2 has them.
        """

    async def parameter(self, scope: Scope, name: str, *, fresh: bool = False) -> Shape | None:
        """A parameter of one's own: Value, and Tags by key. None: there is none. Ten minutes."""

    async def send(self, scope: Scope, call: str, request: Shape) -> Shape:
        """One call that makes, changes or ends something; once on the wire.

        `call`: ec2:CreateImage, ec2:CopyImage, ec2:DeregisterImage, ec2:EnableImageDeprecation,
        ec2:DisableImageDeprecation, ec2:DeleteSnapshot, ec2:CreateTags, ec2:DeleteTags,
        ecs:CreateCluster, ecs:DeleteCluster, ssm:PutParameter, ssm:DeleteParameter,
        ssm:AddTagsToResource or ssm:RemoveTagsFromResource.
        """

    def permit(self, scope: Scope, call: str, holder: Hashable) -> Permit:
        """A rate token of a mutating operation, kept back for its call, as BatchPort's."""
