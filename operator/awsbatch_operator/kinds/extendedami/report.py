"""The status of an ExtendedAMI, as the API has it."""

from typing import Annotated, Any

from pydantic import Field

from awsbatch_operator.schema.fields import LIST_ATOMIC, Count, Fields, Line, Paragraph, Short, Time
from awsbatch_operator.schema.status import NamedStatus

IMAGES = 100  # of all regions together
TARGETS = 64
CONSOLE_LINES = 20
_USERS = 50


def _list(description: str, size: int) -> Any:
    return Field(
        None, description=description, max_length=size, json_schema_extra=dict(LIST_ATOMIC)
    )


class ImageStatus(Fields):
    """An image that was made, in one region."""

    region: Short = Field(description="Region that it is in.")
    image_id: Short = Field(description="Id in AWS.")
    build_hash: Short | None = Field(None, description="Changes with what the image is made of.")
    base_image_id: Short | None = Field(None, description="Image that it was made from.")
    created_time: Time | None = Field(None, description="When it was made.")
    state: Short | None = Field(
        None, description="Pending, Available, Rejected (it has not passed its test) or Superseded."
    )
    used_by: list[Line] | None = _list(
        "What uses it: objects, compute environments, launch templates and instances.", _USERS
    )


class TargetStatus(Fields):
    """Where a field of the spec goes."""

    field: Line = Field(description="The field, such as rootVolume.sizeGiB.")
    place: Short = Field(
        description="LaunchTemplate, Image, or JobDefinition, which is advice: it can do as much."
    )
    reason: Paragraph | None = Field(None, description="Why there.")


class BakeStatus(Fields):
    """Whether an image has to be made."""

    needed: bool = Field(
        description="Whether it has: without, the base is used with a launch template."
    )
    because: list[Short] | None = _list("Fields that need one.", TARGETS)
    targets: list[TargetStatus] | None = _list("Where each field goes, and why.", TARGETS)


class BuildStatus(Fields):
    """The build that is under way, or the last one if it has failed."""

    hash: Short = Field(description="Changes with what the image is made of.")
    attempt: Count | None = Field(None, description="Which attempt it is, from 1.")
    stage: Short | None = Field(
        None, description="What it is at: Launching, Building, Imaging, Verifying, or Failed."
    )
    step: Short | None = Field(
        None, description="Step of the script on the instance, or that which has failed."
    )
    started_time: Time | None = Field(None, description="When the attempt began.")
    instance_id: Short | None = Field(None, description="Instance that it runs on.")
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = Field(
        None, description="Exit code of the step that has failed."
    )
    console_tail: list[Line] | None = _list(
        "Last lines of the instance's console, with what looks like a secret masked.",
        CONSOLE_LINES,
    )


class LaunchTemplateStatus(Fields):
    """What carries that which no image can."""

    id: Short = Field(description="Id in AWS.")
    version: Count | None = Field(None, description="Version that is used.")


class Measured(Fields):
    """What an instance of the image has found of itself."""

    root_gib: Count | None = Field(
        None, alias="rootGiB", description="GiB of the root file system."
    )
    cpus: Count | None = Field(None, description="CPUs that Linux uses, on the instance tried.")
    mounts: list[Line] | None = _list("Paths at which something is mounted.", 64)
    agent_version: Short | None = Field(None, description="Version of the ECS agent.")
    docker_version: Short | None = Field(None, description="Version of Docker.")
    kernel: Short | None = Field(None, description="Version of Linux.")


class BaseStatus(Fields):
    """The base, and whether there is a newer one."""

    image_id: Short = Field(description="Base of the image in use.")
    version: Line | None = Field(None, description="Its name in AWS, which has its version.")
    family: Short | None = Field(
        None, description="Of spec.base, or of what the ExtendedAMI that is the base is made from."
    )
    variant: Short | None = Field(None, description="The same of the variant.")
    up_to_date: bool | None = Field(None, description="Whether there is no newer one.")


class ExtendedAmiStatus(NamedStatus):
    """How the image stands."""

    image_id: Short | None = Field(
        None, description="Image to use; the base itself where none has to be made."
    )
    architecture: Short | None = Field(
        None, description="Of the instances that it is for, as EC2 says: x86_64 or arm64."
    )
    images: list[ImageStatus] | None = _list("Images in AWS, newest first.", IMAGES)
    bake: BakeStatus | None = Field(None, description="Whether an image has to be made, and why.")
    build: BuildStatus | None = Field(None, description="The build under way, or that has failed.")
    launch_template: LaunchTemplateStatus | None = Field(
        None, description="Launch template for what no image carries."
    )
    measured: Measured | None = Field(None, description="What the boot test has measured.")
    base: BaseStatus | None = Field(None, description="What the image is made from.")
