"""What AWS's words about an INVALID environment mean: a table of causes, with what helps (pure).

The words are those of public reports and of the user guide's page "INVALID compute environment".
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from awsbatch_operator.kinds.computeenvironment.observed import Observed


class Cause(Enum):
    """What an INVALID environment lacks."""

    ROLE = "Role"  # the service role is gone, or AWS Batch may not assume it
    PERMISSION = "Permission"  # the role may not do something
    CLUSTER = "Cluster"  # its ECS cluster was deleted
    NOBODY_JOINED = "NobodyJoined"  # no instance came into the ECS cluster
    PROFILE = "Profile"
    FLEET_ROLE = "FleetRole"
    INFRASTRUCTURE_ROLE = "InfrastructureRole"  # of a provider of managed instances
    SUBNET = "Subnet"
    SECURITY_GROUP = "SecurityGroup"
    IMAGE = "Image"
    IMAGE_NOT_ALLOWED = "ImageNotAllowed"
    KEY_PAIR = "KeyPair"
    PLACEMENT_GROUP = "PlacementGroup"
    USER_DATA = "UserData"  # of a launch template, not in MIME multipart form
    TEMPLATE = "Template"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Lack:
    """A row: words of AWS (all of one of the tuples, in lower case), and what they are about.

    `field` is the member to be corrected, "" if none is, and `correct` how, where naming something
    else there is not enough. `again` says what makes the environment VALID as it is, "" if nothing
    does; `looks`: AWS finds out by itself.
    """

    cause: Cause
    words: tuple[tuple[str, ...], ...]
    field: str = ""
    again: str = ""
    correct: str = ""
    looks: bool = True


_TEMPLATE = "computeResources.launchTemplate"
_ANOTHER_VERSION = (
    f"Make a version of the launch template that has {{}}, and name it in spec.{_TEMPLATE}.version"
)
_ROLE = Lack(Cause.ROLE, (("sts:assumerole",), ("assume", "role")))
_CLUSTER = Lack(
    Cause.CLUSTER, (("cluster", "blank"), ("cluster", "not found"), ("cluster", "inactive"))
)
_IMAGES = "computeResources.ec2Configuration"
_IMAGE = Lack(Cause.IMAGE, (("image id",), ("invalidami",), ("ami cannot be described",)), _IMAGES)
_FORBIDDEN_IMAGE = Lack(
    Cause.IMAGE_NOT_ALLOWED,
    (("not authorized for image",), ("marketplace",), ("optinrequired",), ("image", "not allowed")),
    _IMAGES,
    "Share the image with this account, or accept its terms in AWS Marketplace, and it becomes "
    "VALID by itself",
)
_PROVIDER = "managedInstancesProvider"
_INFRASTRUCTURE_ROLE = Lack(
    Cause.INFRASTRUCTURE_ROLE,
    (),
    f"computeResources.{_PROVIDER}.infrastructureRoleArn",
    "Make the infrastructure role, let ecs.amazonaws.com assume it, and it becomes VALID by itself",
)
# Where a provider of managed instances names what other environments name beside each other.
_OF_PROVIDER = {
    "computeResources.instanceRole": "ec2InstanceProfileArn",
    "computeResources.subnets": "networkConfiguration.subnets",
    "computeResources.securityGroupIds": "networkConfiguration.securityGroups",
}
_IN_TEMPLATE = Lack(
    Cause.TEMPLATE, (), _TEMPLATE, correct=_ANOTHER_VERSION.format("something that exists there")
)
_LACKS = (
    Lack(
        Cause.NOBODY_JOINED,
        (("instances", "joined"), ("joining", "cluster")),
        again=(
            "Let instances reach ECS from their subnets (by a route to the internet, or by VPC "
            "endpoints for ecs, ecs-agent and ecs-telemetry), give the role of their profile the "
            "policy AmazonEC2ContainerServiceforEC2Role, and let their image start the ECS agent. "
            "Then set spec.state to DISABLED, and back to ENABLED: AWS tries again after a change "
            "of the environment"
        ),
        looks=False,
    ),
    _CLUSTER,
    _ROLE,
    Lack(
        Cause.FLEET_ROLE,
        (("iamfleetrole",), ("fleet role",)),
        "computeResources.spotIamFleetRole",
        "Let spotfleet.amazonaws.com assume the role, give it the policy "
        "AmazonEC2SpotFleetTaggingRole, and it becomes VALID by itself",
    ),
    Lack(
        Cause.PROFILE,
        (("instance profile",),),
        "computeResources.instanceRole",
        "Make the instance profile, and it becomes VALID by itself",
    ),
    _FORBIDDEN_IMAGE,
    Lack(
        Cause.PERMISSION,
        (("not authorized",), ("access denied",)),
        again="Grant it to the role that AWS names",
    ),
    Lack(Cause.SUBNET, (("subnet",),), "computeResources.subnets"),
    Lack(
        Cause.SECURITY_GROUP,
        (("security group",), ("securitygroup",)),
        "computeResources.securityGroupIds",
    ),
    _IMAGE,
    Lack(
        Cause.KEY_PAIR,
        (("key pair",), ("keypair",)),
        "computeResources.ec2KeyPair",
        "Make or import a key pair of that name, and it becomes VALID by itself",
    ),
    Lack(
        Cause.PLACEMENT_GROUP,
        (("placement group",), ("placementgroup",)),
        "computeResources.placementGroup",
        "Make a placement group of that name, and it becomes VALID by itself",
    ),
    Lack(
        Cause.USER_DATA,
        (("mime",),),
        _TEMPLATE,
        correct=_ANOTHER_VERSION.format("its user data in MIME multipart form"),
    ),
    Lack(
        Cause.TEMPLATE,
        (("launch template", "template name"),),
        _TEMPLATE,
        "Make a launch template of that name, and it becomes VALID by itself",
    ),
    Lack(Cause.TEMPLATE, (("launch template",), ("launchtemplate",)), _TEMPLATE),
)
_UNKNOWN = Lack(Cause.UNKNOWN, ())
# What people have named may contain any word; and an ARN of an assumed role, or how Auto Scaling
# begins whatever EC2 says of the template that Batch has made, is not what is lacking.
_NOT_THE_LACK = re.compile(
    r"(?<!\w)'[^']*'|\"[^\"]*\"|\barn:\S+|(?<=\btemplate name )\S+|(?<=\bprofile name: )\S+"
    r"|you must use a valid fully-formed launch template"
)


def lack_of(observed: Observed) -> Lack:
    """The first row whose words AWS uses, about where this environment has what they are about."""
    said = _NOT_THE_LACK.sub("", observed.reason.lower())
    for lack in _LACKS:
        if any(all(word in said for word in words) for words in lack.words):
            return _where_it_is(lack, observed)
    return _UNKNOWN


def _where_it_is(lack: Lack, observed: Observed) -> Lack:
    """An image may be named in two members; and a launch template may name what they do not."""
    resources = observed.content.get("computeResources") or {}
    if provider := resources.get(_PROVIDER):
        return _in_provider(lack, observed, str(provider.get("infrastructureRoleArn") or ""))
    given = resources.get(lack.field.rpartition(".")[2])
    if lack in {_IMAGE, _FORBIDDEN_IMAGE}:
        if (image := resources.get("imageId")) and image in observed.reason:
            return replace(lack, field="computeResources.imageId")
        given = [each for each in given or () if each.get("imageIdOverride")]
    elsewhere = lack.field and not given and "launchTemplate" in resources
    return replace(_IN_TEMPLATE, cause=lack.cause) if elsewhere else lack


def _in_provider(lack: Lack, observed: Observed, infrastructure_role: str) -> Lack:
    """Of two roles that AWS cannot assume, it names the one that it is about."""
    if lack is _ROLE and infrastructure_role and infrastructure_role in observed.reason:
        same = infrastructure_role == observed.content.get("serviceRole")
        return lack if same else _INFRASTRUCTURE_ROLE
    if lack.field in _OF_PROVIDER:
        within = f"computeResources.{_PROVIDER}.instanceLaunchTemplate"
        return replace(lack, field=f"{within}.{_OF_PROVIDER[lack.field]}")
    return lack
