"""What a spec names in AWS, and in an EKS cluster, by ARN, id or name (pure).

A spec passes AWS's own members through, so a team can name another team's secret, file system or
cluster in it. This is the table of all members that name something, and the walk that finds them.
A test compares the table with botocore's model: a newer boto3 brings no unguarded member.

Why some are guarded always and some only when listed: docs/decisions/0010-what-a-spec-may-name.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from awsbatch_operator.api.metadata import Shape

# Members that name a role or an instance profile; AWSAccount.spec.allowedRoleArns guards them.
ROLE_FIELDS = frozenset(
    {"serviceRole", "spotIamFleetRole", "jobRoleArn", "executionRoleArn", "taskRoleArn"}
    | {"infrastructureRoleArn"}
)
PROFILE_FIELDS = frozenset({"instanceRole", "ec2InstanceProfileArn", "instanceProfile"})

# Maps whose keys are the user's words, so that a key there means no member of AWS's; and ours.
FREE_MAPS = frozenset(
    {"annotations", "capacityTags", "labels", "limits", "options", "parameters", "requests", "tags"}
)


class Guard(Enum):
    """When naming something needs an entry in allowedExternalArns."""

    ALWAYS = "Always"  # whoever names it gets data, credentials, an identity, or paid capacity
    WHEN_LISTED = "WhenListed"  # where something runs: once the list has an entry of its type


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of thing that a spec can name."""

    name: str  # as ARNs or kubectl write it, e.g. "security-group"
    guard: Guard
    service: str = ""  # in its ARN; "": a name without an ARN, or a member that only takes ARNs
    prefix: str = ""  # of its ids, e.g. "sg-"; "" if it is named freely
    separator: str = "/"  # between type and name in its ARN
    has_account: bool = True  # whether the account's number stands in its ARN
    by_name: bool = False  # whether the member takes a name, although there are ids of that prefix
    public: str = ""  # what the names begin with that are AWS's own, and for everybody

    def forms(self, value: str, *, account_id: str, region: str, partition: str) -> tuple[str, ...]:
        """Every way in which an entry of allowedExternalArns can write the thing."""
        if value.strip().lower().startswith("arn:"):
            return (value,)
        # The name of a parameter may begin with the slash that separates it from its type.
        slash = self.separator if not value.startswith(self.separator) else ""
        written = f"{self.name}{slash}{value}"
        is_id = self.prefix and not self.by_name and value.startswith(self.prefix)
        forms = (value,) if is_id else (written,)
        if not self.service:
            return forms
        owner = account_id if self.has_account else ""
        return (*forms, f"arn:{partition}:{self.service}:{region}:{owner}:{written}")

    def listed(self, entry: str) -> bool:
        """Whether the entry is meant for this type: it begins with it, or is an ARN with it."""
        words = f"{self.name}{self.separator}"
        return (
            bool(self.prefix and entry.startswith(self.prefix))
            or entry.startswith(words)
            or (entry.startswith("arn:") and f":{words}" in entry)
        )


def _always(name: str, service: str = "", **more: Any) -> ResourceType:
    return ResourceType(name, Guard.ALWAYS, service, **more)


def _when_listed(name: str, service: str = "", **more: Any) -> ResourceType:
    return ResourceType(name, Guard.WHEN_LISTED, service, **more)


REFERENCE = _always("")  # `…Ref.arn`
_ARN_ONLY = _always("")
_PARAMETER = _always("parameter", "ssm")  # a bare name means a parameter of the same region
_IMAGE = _when_listed("image", "ec2", prefix="ami-", has_account=False)
_IMAGE_PARAMETER = _always("parameter", "ssm", public="/aws/service/")
_FILE_SYSTEM = _always("file-system", "elasticfilesystem", prefix="fs-")
_KEY_PAIR = _when_listed("key-pair", "ec2")
_PLACEMENT_GROUP = _when_listed("placement-group", "ec2", prefix="pg-", by_name=True)
_SECURITY_GROUP = _when_listed("security-group", "ec2", prefix="sg-")
# No member names one: a spot block looks for those of the account that fit.
RESERVATION = _always("capacity-reservation", "ec2", prefix="cr-")
_KUBERNETES_SECRET = _always("secret")
_NAMESPACE = _when_listed("namespace")

# By the member's name, or by its parent's and its own where the name alone says too little.
RESOURCE_FIELDS: Mapping[str, ResourceType] = {
    "secrets.valueFrom": _PARAMETER,
    "secretOptions.valueFrom": _PARAMETER,
    "credentialsParameter": _always("secret", "secretsmanager", separator=":"),
    "fileSystemId": _FILE_SYSTEM,
    "accessPointId": _always("access-point", "elasticfilesystem", prefix="fsap-"),
    # The host of an NFS server, too: that of an EFS file system is one, and gives the same data.
    "mounts.source": _FILE_SYSTEM,
    "fileSystemArn": _ARN_ONLY,
    "accessPointArn": _ARN_ONLY,
    "consumableResource": _always("consumable-resource", "batch"),
    "reservationGroupArn": _ARN_ONLY,
    "eksClusterArn": _ARN_ONLY,
    "serviceAccountName": _always("serviceaccount"),
    "secretName": _KUBERNETES_SECRET,
    "imagePullSecrets.name": _KUBERNETES_SECRET,
    "claimName": _always("persistentvolumeclaim"),
    "kubernetesNamespace": _NAMESPACE,
    "metadata.namespace": _NAMESPACE,
    "subnets": _when_listed("subnet", "ec2", prefix="subnet-"),
    "securityGroupIds": _SECURITY_GROUP,
    "securityGroups": _SECURITY_GROUP,
    "launchTemplateId": _when_listed("launch-template", "ec2", prefix="lt-"),
    "launchTemplateName": _when_listed("launch-template", prefix="lt-", by_name=True),
    "ec2KeyPair": _KEY_PAIR,
    "keyName": _KEY_PAIR,
    "placementGroup": _PLACEMENT_GROUP,
    "placement.groupName": _PLACEMENT_GROUP,
    "placement.groupId": _when_listed("placement-group", "ec2", prefix="pg-"),
    "imageId": _IMAGE,
    "imageIdOverride": _IMAGE,
    "amiId": _IMAGE,
    "ssmParameter": _IMAGE_PARAMETER,
    "snapshotId": _always("snapshot", "ec2", prefix="snap-", has_account=False),
    "kmsKeyId": _when_listed("key", "kms"),
    "options.awslogs-group": _when_listed("log-group", "logs", separator=":"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A string in a spec: where it stands, under which names, and what it says."""

    path: str
    parent: str
    name: str
    value: str

    @property
    def resource_type(self) -> ResourceType | None:
        """The type of what it names in allowedExternalArns' sense, if it names anything."""
        if self.name == "arn" and self.parent.endswith("Ref"):
            return REFERENCE
        found = RESOURCE_FIELDS.get(f"{self.parent}.{self.name}") or (
            None if self.parent in FREE_MAPS else RESOURCE_FIELDS.get(self.name)
        )
        if found is not None and found.public and self.value.startswith(found.public):
            return None
        return found

    @property
    def names_role(self) -> bool:
        """Whether it names a role or an instance profile."""
        return self.parent not in FREE_MAPS and self.name in ROLE_FIELDS | PROFILE_FIELDS


def members(value: Any, path: str = "spec", parent: str = "", name: str = "") -> Iterator[Member]:
    """Every string below; of a list, under the name of the list."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from members(inner, f"{path}.{key}", name, str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from members(inner, f"{path}[{index}]", parent, name)
    elif isinstance(value, str):
        yield Member(path, parent, name, value)


def roles(spec: Shape, *, account_id: str, partition: str) -> Iterator[tuple[str, str]]:
    """(path, ARN) of every role and instance profile that the spec names.

    AWS Batch also takes a bare name in some fields; it means that name in the object's account.
    """
    for member in members(spec):
        if not member.names_role:
            continue
        if member.value.strip().lower().startswith("arn:"):
            yield member.path, member.value
        else:
            sort = "instance-profile" if member.name in PROFILE_FIELDS else "role"
            yield member.path, f"arn:{partition}:iam::{account_id}:{sort}/{member.value}"
