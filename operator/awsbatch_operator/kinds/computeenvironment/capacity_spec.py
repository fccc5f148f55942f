"""`spec.capacity` of an UNMANAGED ComputeEnvironment: which instances the operator launches.

No member has a default in the schema; a description says what an unset one means.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from awsbatch_operator.kinds.computeenvironment import capacity_rules as rules
from awsbatch_operator.kinds.computeenvironment.capacity_parts import (
    TYPES,
    Image,
    InstanceRequirements,
    SpotBlock,
    UserData,
)
from awsbatch_operator.kinds.computeenvironment.ec2_shapes import (
    BlockDeviceMapping,
    CpuOptions,
    MetadataOptions,
    Placement,
)
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import INT32, LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.rules import Rule

POOLS = 16
_INSTANCES = 10_000
_WEEK = 7 * 24 * 3600
_PRICE = 16  # characters


class Limits(Fields):
    """What all pools together never exceed."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.LIMITS,)

    max_vcpus: int | None = Field(
        None, alias="maxvCpus", description="vCPUs of all instances together.", ge=1, le=INT32
    )
    max_instances: int | None = Field(
        None, description="Instances of all pools together.", ge=1, le=INT32
    )
    max_hourly_cost: str | None = Field(
        None,
        description="US dollars an hour of all instances together, such as '12.50'.",
        max_length=_PRICE,
        json_schema_extra=ruled(forms.PRICE),
    )


class Pool(Fields):
    """Instances that are bought, launched and kept by the same rules."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.POOL

    name: str = Field(
        description="Name of the pool.", max_length=63, json_schema_extra=ruled(forms.POOL_NAME)
    )
    priority: int | None = Field(
        None,
        description="Lower ones go first, equal ones by price per fitted job. Default: 1.",
        ge=0,
        le=INT32,
    )
    market: Literal["OnDemand", "Spot", "SpotBlock"] = Field(
        description="How instances are bought: OnDemand, Spot, or SpotBlock (guaranteed duration)."
    )
    instance_types: (
        list[Annotated[str, Field(max_length=32, json_schema_extra=ruled(forms.INSTANCE_TYPE))]]
        | None
    ) = Field(
        None,
        description="Instance types that may be launched, such as r7i.large.",
        min_length=1,
        max_length=TYPES,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    instance_requirements: InstanceRequirements | None = Field(
        None, description="Instance types that may be launched, by what they have."
    )
    max_price_per_hour: str | None = Field(
        None,
        description="US dollars an hour of one instance, at most; of Spot and SpotBlock.",
        max_length=_PRICE,
        json_schema_extra=ruled(forms.PRICE),
    )
    min_instances: int | None = Field(
        None,
        description="Instances that are kept even without jobs. Default: 0. Not with SpotBlock.",
        ge=0,
        le=_INSTANCES,
    )
    max_instances: int | None = Field(
        None,
        description="Instances that the pool may have. Default: as limits say. Not with SpotBlock.",
        ge=0,
        le=_INSTANCES,
    )
    idle_seconds: int | None = Field(
        None,
        description="An instance without jobs goes after so long. Default: 300.",
        ge=0,
        le=_WEEK,
    )
    registration_timeout_seconds: int | None = Field(
        None,
        description=(
            "An instance that has not joined the cluster so long after its launch is replaced. "
            "Default: 600."
        ),
        ge=60,
        le=24 * 3600,
    )
    drain_timeout_seconds: int | None = Field(
        None,
        description=(
            "How long jobs may go on on an instance that has to go; 0: not at all. Default: 120."
        ),
        ge=0,
        le=_WEEK,
    )
    on_rebalance: Literal["Ignore", "Drain", "Replace"] | None = Field(
        None,
        description=(
            "What EC2's rebalance recommendation does. Ignore (default), Drain: no new jobs there. "
            "Replace: another instance first, then drain."
        ),
    )
    replace_policy: Literal["WhenIdle", "Never"] | None = Field(
        None,
        description=(
            "What becomes of instances when image, user data or type changed. WhenIdle (default): "
            "they go when they have no jobs. Never: they stay until they are not needed."
        ),
    )
    subnets: list[
        Annotated[str, Field(max_length=64, json_schema_extra=ruled(forms.SUBNET_ID))]
    ] = Field(
        description="Subnets to launch in; they say the zones.",
        min_length=1,
        max_length=16,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    security_group_ids: (
        list[Annotated[str, Field(max_length=64, json_schema_extra=ruled(forms.SECURITY_GROUP_ID))]]
        | None
    ) = Field(
        None,
        description="Security groups of the instances. Default: the VPC's default one.",
        min_length=1,
        max_length=16,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    instance_profile: str = Field(
        description="ARN of the instance profile, by which the ECS agent may join the cluster.",
        max_length=2048,
        json_schema_extra=ruled(forms.PROFILE_ARN),
    )
    key_name: str | None = Field(
        None, description="Key pair to log in with.", min_length=1, max_length=255
    )
    image: Image | None = Field(
        None,
        description=(
            "Machine image. Default: the ECS-optimized one of Amazon Linux 2023 for the "
            "architecture."
        ),
    )
    block_device_mappings: list[BlockDeviceMapping] | None = Field(
        None,
        description="Volumes of the instances, as EC2 has them. Default: those of the image.",
        max_length=32,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    cpu_options: CpuOptions | None = Field(None, description="Which part of the CPU is used.")
    placement: Placement | None = Field(None, description="Where in a zone instances are placed.")
    metadata_options: MetadataOptions | None = Field(
        None, description="How instances reach their metadata. Default: IMDSv2, two hops."
    )
    user_data: UserData | None = Field(None, description="What instances run at their start.")
    spot_block: SpotBlock | None = Field(
        None, description="The block of a pool with market SpotBlock, and of no other."
    )


class Capacity(Fields):
    """Instances that the operator launches for waiting jobs."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.CAPACITY

    limits: Limits = Field(description="What all pools together never exceed; at least one.")
    overflow_seconds: int | None = Field(
        None,
        description=(
            "Where this environment is not the first of a queue, only jobs count that have waited "
            "longer than this. Default: 120."
        ),
        ge=0,
        le=_WEEK,
    )
    pools: list[Pool] = Field(
        description="Instances of one sort each.",
        min_length=1,
        max_length=POOLS,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )
