"""The parts of an ExtendedAMI's spec: base, disks, mounts and CPU.

No member has a default in the schema; a description says what an unset one means.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from awsbatch_operator.kinds.extendedami import forms as own_forms
from awsbatch_operator.kinds.extendedami import rules
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.references import AmiRef
from awsbatch_operator.schema.rules import Rule

PATH = 512
DISK_GIB = 65_536
DEVICES = 16
BUILD_SECONDS = 12 * 3600
NAMED: Mapping[str, Any] = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
SET: Mapping[str, Any] = {"x-kubernetes-list-type": "set"}


def part_name(what: str) -> Any:
    """By which name a part is known."""
    return Field(
        description=f"Name of the {what}.",
        max_length=63,
        json_schema_extra=ruled(own_forms.PART_NAME),
    )


def mount_path(description: str, *, required: bool) -> Any:
    """Where something is mounted on the host."""
    return Field(
        ... if required else None,
        description=description,
        max_length=PATH,
        json_schema_extra=ruled(own_forms.MOUNT_PATH, rules.HOST_PATH),
    )


class Base(Fields):
    """The image that another is made from."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.BASE

    family: Literal["AL2023", "AL2", "AL1", "Bottlerocket"] | None = Field(
        None,
        description=(
            "The newest ECS-optimized image of AL2023 (Amazon Linux 2023). The others are refused, "
            "and the message says why."
        ),
    )
    variant: Literal["standard", "gpu", "neuron"] | None = Field(
        None,
        description="Of the family: standard (default), gpu with NVIDIA's or neuron with AWS's "
        "drivers.",
    )
    architecture: Literal["x86_64", "arm64"] | None = Field(
        None, description="Of the family. Default: x86_64."
    )
    ssm_parameter: str | None = Field(
        None,
        description="Parameter in Systems Manager that holds the id of the base.",
        max_length=1024,
        json_schema_extra=ruled(forms.PARAMETER_NAME),
    )
    ami_id: str | None = Field(
        None,
        description="The base by its id.",
        max_length=64,
        json_schema_extra=ruled(forms.IMAGE_ID),
    )
    ami_ref: AmiRef | None = Field(
        None, description="The image of another ExtendedAMI; a newer one of it is a newer base."
    )


class Disk(Fields):
    """What a volume is like."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.DISK

    iops: int | None = Field(
        None, description="IOPS of a gp3, io1 or io2 volume.", ge=100, le=256_000
    )
    throughput: int | None = Field(
        None, description="MiB a second of a gp3 volume.", ge=125, le=2_000
    )
    encrypted: bool | None = Field(
        None, description="Whether the volume is encrypted. Default: as the account has it."
    )
    kms_key_id: str | None = Field(
        None,
        description=(
            "KMS key to encrypt the volume with, by its id or ARN; where there are regions, a "
            "multi-Region key. Default: that of EBS."
        ),
        max_length=256,
        json_schema_extra=ruled(forms.KMS_KEY),
    )


class RootVolume(Disk):
    """The root volume; what is unset is as the base has it."""

    size_gib: int | None = Field(
        None,
        alias="sizeGiB",
        description="GiB. Default: that of the base. The file system grows with it.",
        ge=1,
        le=DISK_GIB,
    )
    type: Literal["gp3", "gp2", "io1", "io2"] | None = Field(
        None, description="Type of the volume. Default: that of the base."
    )
    initialization_rate_mib_ps: int | None = Field(
        None,
        alias="initializationRateMiBps",
        description=(
            "MiB a second at which the volume is loaded from its snapshot when an instance starts, "
            "at a price of its own. Unset: when it is first read, which makes starts of containers "
            "from large images slow."
        ),
        ge=100,
        le=300,
    )


class Volume(Disk):
    """A further volume, empty at first."""

    RULES: ClassVar[tuple[Rule, ...]] = (*rules.DISK, *rules.VOLUME)

    name: str = part_name("volume")
    device_name: str = Field(
        description="Device in EC2's words, such as /dev/sdf.",
        max_length=32,
        json_schema_extra=ruled(own_forms.DEVICE),
    )
    size_gib: int = Field(alias="sizeGiB", description="GiB.", ge=1, le=DISK_GIB)
    type: Literal["gp3", "gp2", "io1", "io2", "st1", "sc1"] | None = Field(
        None, description="Type of the volume. Default: gp3."
    )
    file_system: Literal["xfs", "ext4"] | None = Field(
        None,
        description="File system to make on it. Unset: none; the volume is only there.",
    )
    mount_path: str | None = mount_path(
        "Where every instance mounts it. Unset: nowhere.", required=False
    )


class Mount(Fields):
    """A network file system that every instance mounts when it boots."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.MOUNT

    name: str = part_name("mount")
    type: Literal["efs", "nfs"] = Field(
        description="efs: Amazon EFS, by its own helper. nfs: any NFS server, by NFS 4.1."
    )
    source: str = Field(
        description="File system: the id of one of EFS, or the host of an NFS server.",
        max_length=253,
        json_schema_extra=ruled(own_forms.MOUNT_SOURCE),
    )
    path: str | None = Field(
        None,
        description="Folder in it that is mounted. Default: /.",
        max_length=PATH,
        json_schema_extra=ruled(own_forms.INNER_PATH),
    )
    mount_path: str = mount_path("Where every instance mounts it.", required=True)
    access_point_id: str | None = Field(
        None,
        description="EFS access point to go through.",
        max_length=64,
        json_schema_extra=ruled(own_forms.ACCESS_POINT_ID),
    )
    iam: bool | None = Field(
        None,
        description=(
            "Whether EFS asks IAM what the role of the instance may do there. Default: false."
        ),
    )
    tls: bool | None = Field(
        None, description="Whether the connection to EFS is encrypted. Default: true."
    )
    options: (
        list[
            Annotated[
                str,
                Field(
                    max_length=256,
                    json_schema_extra=ruled(own_forms.MOUNT_OPTION, rules.OPTION_OF_A_FIELD),
                ),
            ]
        ]
        | None
    ) = Field(
        None,
        description="Further mount options, one an entry.",
        max_length=32,
        json_schema_extra=dict(LIST_ATOMIC),
    )


class Cpu(Fields):
    """Which part of the CPU instances use."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.CPU,)

    threads_per_core: int | None = Field(
        None,
        description=(
            "Threads of a core: 1 switches hyper-threading off, on instances of any size. ECS then "
            "counts half of the vCPUs. Default: 2, as the type has."
        ),
        ge=1,
        le=2,
    )
    max_cpus: int | None = Field(
        None,
        description=(
            "CPUs that Linux uses at most (nr_cpus). Which threads these are differs with the "
            "instance type: to switch hyper-threading off, use threadsPerCore."
        ),
        ge=1,
        le=1024,
    )
