"""EC2's shapes in `spec.capacity`: block devices, metadata, placement and CPU of an instance.

They have EC2's names in camelCase. Written by hand with AWS's limits, because to read EC2's model
for twenty members would cost every operator 20 MiB; a test compares them with that model, and gives
for each member that is left out the reason. Source of the limits: RequestLaunchTemplateData in the
EC2 API reference.
"""

from typing import ClassVar, Literal

from pydantic import Field

from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import Fields, ruled
from awsbatch_operator.schema.hosts import volume_rules
from awsbatch_operator.schema.rules import Rule, at_most_one, exactly_one

OnOff = Literal["enabled", "disabled"]


class EbsBlockDevice(Fields):
    """A volume."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        *volume_rules("volume", size="volumeSize", kind="volumeType"),
        Rule(
            id="volume-ends-with-instance",
            cel="!has(self.deleteOnTermination) || self.deleteOnTermination",
            message=(
                "Instances come and go with the jobs, and a volume that outlives its instance is "
                "paid for ever. Remove deleteOnTermination, or set it to true."
            ),
            field=".deleteOnTermination",
        ),
    )

    delete_on_termination: bool | None = Field(
        None, description="Always true: a volume ends with its instance."
    )
    encrypted: bool | None = Field(None, description="Whether the volume is encrypted.")
    iops: int | None = Field(
        None, description="IOPS of a gp3, io1 or io2 volume.", ge=100, le=256000
    )
    kms_key_id: str | None = Field(
        None,
        description="KMS key to encrypt the volume with, by its id or ARN. Default: that of EBS.",
        max_length=256,
        json_schema_extra=ruled(forms.KMS_KEY),
    )
    snapshot_id: str | None = Field(
        None,
        description="Snapshot that the volume is made from.",
        max_length=64,
        json_schema_extra=ruled(forms.SNAPSHOT_ID),
    )
    throughput: int | None = Field(
        None, description="MiB a second of a gp3 volume.", ge=125, le=2000
    )
    volume_initialization_rate: int | None = Field(
        None,
        description="MiB a second at which the snapshot's data are loaded, at a price of its own.",
        ge=100,
        le=300,
    )
    volume_size: int | None = Field(
        None, description="GiB. Default: that of the snapshot.", ge=1, le=65536
    )
    volume_type: Literal["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"] | None = Field(
        None, description="Type of the volume. Default: what the image says, else gp2."
    )


class BlockDeviceMapping(Fields):
    """A volume of the instance, under a device name."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "block-device-is-one-thing",
            ("ebs", "virtualName", "noDevice"),
            "A device is a volume of EBS (ebs) or of the instance store (virtualName), or one that "
            "the image has and the instance shall not get (noDevice: ''). Set exactly one of ebs, "
            "virtualName and noDevice.",
        ),
    )

    device_name: str = Field(
        description="Name of the device, such as /dev/xvda for the root volume of Amazon Linux.",
        min_length=1,
        max_length=64,
    )
    ebs: EbsBlockDevice | None = Field(None, description="A volume of EBS.")
    virtual_name: str | None = Field(
        None,
        description="A volume of the instance store, such as ephemeral0.",
        max_length=16,
        json_schema_extra=ruled(forms.EPHEMERAL),
    )
    no_device: Literal[""] | None = Field(
        None, description="The empty text: the device that the image has is left out."
    )


class MetadataOptions(Fields):
    """How instances reach their metadata."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            id="metadata-endpoint",
            cel="!has(self.httpEndpoint) || self.httpEndpoint == 'enabled'",
            message=(
                "The ECS agent has its credentials from the instance's metadata, so an instance "
                "without them never joins the cluster. Remove httpEndpoint, or set it to enabled."
            ),
            field=".httpEndpoint",
        ),
    )

    http_endpoint: OnOff | None = Field(
        None, description="Always enabled: the ECS agent needs the metadata."
    )
    http_protocol_ipv6: OnOff | None = Field(
        None, description="Whether the metadata has an IPv6 address too. Default: disabled."
    )
    http_put_response_hop_limit: int | None = Field(
        None,
        description="Hops that a session token may take; containers need 2. Default: 2.",
        ge=1,
        le=64,
    )
    http_tokens: Literal["required", "optional"] | None = Field(
        None, description="Whether a session token is needed (IMDSv2). Default: required."
    )
    instance_metadata_tags: OnOff | None = Field(
        None, description="Whether instances can read their tags there. Default: disabled."
    )


class Placement(Fields):
    """Where in a zone instances are placed; the subnet says the zone."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            "placement-group-named-once",
            ("groupName", "groupId"),
            "A placement group is found either by its name or, where it is shared, by its id. Set "
            "one of groupName and groupId.",
        ),
        Rule(
            id="partition-of-a-group",
            cel="!has(self.partitionNumber) || has(self.groupName) || has(self.groupId)",
            message=(
                "A partition is one of a placement group with that strategy. Set groupName or "
                "groupId, or remove partitionNumber."
            ),
            field=".partitionNumber",
        ),
    )

    group_id: str | None = Field(
        None,
        description="Placement group by its id, as one that another account shares has to be.",
        max_length=64,
        json_schema_extra=ruled(forms.PLACEMENT_GROUP_ID),
    )
    group_name: str | None = Field(
        None, description="Placement group by its name.", min_length=1, max_length=255
    )
    partition_number: int | None = Field(
        None, description="Partition of the group, where it has any.", ge=1, le=7
    )
    tenancy: Literal["default", "dedicated"] | None = Field(
        None, description="Whether the hardware is shared with other accounts. Default: default."
    )


class CpuOptions(Fields):
    """Which part of the CPU is used; the number of cores is filled in by type."""

    threads_per_core: int | None = Field(
        None,
        description="Threads of a core: 1 switches hyper-threading off. Default: as the type has.",
        ge=1,
        le=2,
    )
