"""The parts of a pool in `spec.capacity` that are ours: requirements, image, user data, block."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from awsbatch_operator.kinds.computeenvironment import capacity_rules as rules
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import INT32, LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.hosts import AGENT_NAMES, ONE_LINE
from awsbatch_operator.schema.references import AmiRef
from awsbatch_operator.schema.rules import Rule

TYPES = 60  # what one launch offers to EC2
_RESERVED_INSTANCES = 1_000  # CreateCapacityReservation, InstanceCount
_BLOCK_MINUTES = 30 * 24 * 60
_SCRIPT = 65_536  # characters; EC2 takes 16 KiB, which so many may fit into when compressed
_SETTING = 2_048


class Range(Fields):
    """A range, either end of which may be open."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.RANGE,)

    min: int | None = Field(None, description="At least so many.", ge=0, le=INT32)
    max: int | None = Field(None, description="At most so many.", ge=0, le=INT32)


class InstanceRequirements(Fields):
    """Instance types by what they have."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.REQUIREMENTS,)

    vcpus: Range | None = Field(None, alias="vCPUs", description="vCPUs of an instance.")
    memory_mib: Range | None = Field(
        None, alias="memoryMiB", description="Memory of an instance in MiB."
    )
    architecture: Literal["x86_64", "arm64"] | None = Field(
        None, description="Architecture of the CPU. Default: either, as the image has it."
    )
    accelerator_count: int | None = Field(
        None, description="GPUs of an instance, at least. Default: 0, types without.", ge=0, le=64
    )
    families: (
        list[Annotated[str, Field(max_length=32, json_schema_extra=ruled(forms.INSTANCE_FAMILY))]]
        | None
    ) = Field(
        None,
        description="Families, such as r7i. Default: all.",
        min_length=1,
        max_length=TYPES,
        json_schema_extra=dict(LIST_ATOMIC),
    )


class Image(Fields):
    """The machine image that instances start from."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.IMAGE,)

    ami_ref: AmiRef | None = Field(None, description="The image that an ExtendedAMI has made.")
    ami_id: str | None = Field(
        None,
        description="Machine image by its id.",
        max_length=64,
        json_schema_extra=ruled(forms.IMAGE_ID),
    )
    ssm_parameter: str | None = Field(
        None,
        description="Parameter in Systems Manager that holds the id of the image.",
        max_length=1024,
        json_schema_extra=ruled(forms.PARAMETER_NAME),
    )


class UserData(Fields):
    """What instances run at their start, besides what makes them join the cluster."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.USER_DATA,)

    script: str | None = Field(
        None, description="A shell script, run once as root.", max_length=_SCRIPT
    )
    cloud_config: str | None = Field(
        None, description="A #cloud-config document, as text.", max_length=_SCRIPT
    )
    mime: str | None = Field(
        None,
        description="A whole multipart MIME message, instead of script and cloudConfig.",
        max_length=_SCRIPT,
    )
    ecs_config: (
        dict[str, Annotated[str, Field(max_length=_SETTING, json_schema_extra=ruled(ONE_LINE))]]
        | None
    ) = Field(
        None,
        description="Settings of the ECS agent, beside those that the operator makes.",
        max_length=100,
        json_schema_extra=ruled(AGENT_NAMES, rules.CLUSTER),
    )


class SpotBlock(Fields):
    """So many instances, for at least so long."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.DURATION, rules.REQUEST, rules.LADDER)

    duration_seconds: int | None = Field(
        None, description="How long the block lasts, at least.", ge=300, le=_BLOCK_MINUTES * 60
    )
    block_duration_minutes: int | None = Field(
        None,
        description=(
            "As AWS called it while it had spot blocks, of any length here; durationSeconds is "
            "the name to use."
        ),
        ge=5,
        le=_BLOCK_MINUTES,
    )
    instance_count: int = Field(description="Instances of the block.", ge=1, le=_RESERVED_INSTANCES)
    start: Literal["OnDemand", "Immediately"] | None = Field(
        None,
        description=(
            "When the block begins. OnDemand (default): when a job first waits for it. "
            "Immediately: as soon as it is asked for."
        ),
    )
    request: int | None = Field(
        None,
        description=(
            "A block is made once for each number, ever: raise it to get another one. Default: 1."
        ),
        ge=1,
        le=INT32,
    )
    renew: Literal["Never", "WhileDemand"] | None = Field(
        None,
        description=(
            "Whether another block follows. Never (default), or WhileDemand: as long as jobs wait."
        ),
    )
    release_when_idle: bool | None = Field(
        None, description="Whether the block ends early when it has no jobs. Default: false."
    )
    fallback: (
        list[Literal["OwnReservation", "NewReservation", "OnDemandUntilDeadline", "Spot"]] | None
    ) = Field(
        None,
        description=(
            "AWS has no spot blocks any more; these ways to one are tried in this order. Default: "
            "OwnReservation, NewReservation, OnDemandUntilDeadline. Spot, which guarantees no "
            "duration, only if it is listed."
        ),
        min_length=1,
        max_length=8,
        json_schema_extra=dict(LIST_ATOMIC),
    )
