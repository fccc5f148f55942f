"""The ExtendedAMI resource: what is wanted. Its status is in `report.py`."""

from typing import Annotated

from pydantic import Field

from awsbatch_operator.kinds.extendedami import rules
from awsbatch_operator.kinds.extendedami.forms import KERNEL_ARGUMENT, PACKAGE
from awsbatch_operator.kinds.extendedami.report import ExtendedAmiStatus
from awsbatch_operator.kinds.extendedami.spec_contents import ContainerImage, File, Script
from awsbatch_operator.kinds.extendedami.spec_making import (
    Builder,
    Publish,
    Rebuild,
    Retention,
    Verify,
)
from awsbatch_operator.kinds.extendedami.spec_parts import (
    DEVICES,
    NAMED,
    SET,
    Base,
    Cpu,
    Mount,
    RootVolume,
    Volume,
)
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.common import SCOPE_RULES, Lasting
from awsbatch_operator.schema.declare import AGE, READY, REASON, Column, CustomResource
from awsbatch_operator.schema.fields import LIST_ATOMIC, ruled
from awsbatch_operator.schema.hosts import AGENT_NAMES, ONE_LINE
from awsbatch_operator.schema.rules import Rule

_SETTING = 2_048

Region = Annotated[str, Field(max_length=32, json_schema_extra=ruled(forms.REGION))]


class ExtendedAmiSpec(Lasting):
    """What is wanted."""

    base: Base = Field(description="The image that it is made from.")
    root_volume: RootVolume | None = Field(
        None, description="The root volume. Unset: as the base has it."
    )
    volumes: list[Volume] | None = Field(
        None,
        description="Further volumes of every instance.",
        max_length=DEVICES,
        json_schema_extra=dict(NAMED),
    )
    mounts: list[Mount] | None = Field(
        None,
        description="Network file systems that every instance mounts.",
        max_length=DEVICES,
        json_schema_extra=dict(NAMED),
    )
    cpu: Cpu | None = Field(None, description="Which part of the CPU instances use. Unset: all.")
    packages: (
        list[Annotated[str, Field(max_length=128, json_schema_extra=ruled(PACKAGE))]] | None
    ) = Field(
        None,
        description="Packages of the base's repositories to install.",
        max_length=100,
        json_schema_extra=dict(SET),
    )
    files: list[File] | None = Field(
        None,
        description="Files to write, before scripts are run.",
        max_length=32,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["path"],
        },
    )
    scripts: list[Script] | None = Field(
        None,
        description="Scripts to run while the image is made, in this order.",
        max_length=16,
        json_schema_extra={**LIST_ATOMIC, **ruled(rules.SCRIPTS)},
    )
    kernel_arguments: (
        list[
            Annotated[
                str,
                Field(
                    max_length=256,
                    json_schema_extra=ruled(KERNEL_ARGUMENT, rules.KERNEL_ARGUMENT),
                ),
            ]
        ]
        | None
    ) = Field(
        None,
        description="Arguments to boot Linux with, in this order.",
        max_length=32,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    container_images: list[ContainerImage] | None = Field(
        None,
        description="Container images that are in the image, so that jobs do not wait for them.",
        max_length=32,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["image"],
        },
    )
    ecs_config: (
        dict[str, Annotated[str, Field(max_length=_SETTING, json_schema_extra=ruled(ONE_LINE))]]
        | None
    ) = Field(
        None,
        description="Settings of the ECS agent.",
        max_length=100,
        json_schema_extra=ruled(AGENT_NAMES, rules.CLUSTER),
    )
    builder: Builder | None = Field(
        None, description="The instance that it is made on, and the one that it is tried on."
    )
    verify: Verify | None = Field(
        None, description="How a new image is tried before anything uses it."
    )
    regions: list[Region] | None = Field(
        None,
        description="Further regions that it is copied to.",
        max_length=20,
        json_schema_extra=dict(SET),
    )
    publish: Publish | None = Field(None, description="Where others find it. Unset: nowhere.")
    rebuild: Rebuild | None = Field(None, description="When another image is made.")
    retention: Retention | None = Field(
        None, description="When an image goes that another has taken the place of."
    )
    pin: str | None = Field(
        None,
        description=(
            "An earlier image of this object to use, as status.images lists it; the newest is kept "
            "beside it."
        ),
        max_length=64,
        json_schema_extra=ruled(forms.IMAGE_ID),
    )


_ADOPTS_ONLY = Rule(
    id="adopt-makes-nothing",
    cel="""!has(self.adoptionPolicy) || self.adoptionPolicy != 'Adopt'
        || (!has(self.regions) && !has(self.publish))""",
    message=(
        "adoptionPolicy Adopt makes nothing, neither copies (regions) nor a parameter (publish). "
        "Set adoptionPolicy to AdoptOrCreate, or remove regions and publish."
    ),
    field=".adoptionPolicy",
)

RESOURCE = CustomResource(
    kind="ExtendedAMI",
    plural="extendedamis",
    short_name="awsami",
    summary="A machine image for ECS hosts: its disks, mounts, packages and container images.",
    spec=ExtendedAmiSpec,
    status=ExtendedAmiStatus,
    rules=(*SCOPE_RULES, *rules.SPEC, _ADOPTS_ONLY),
    selectable=(".status.imageId", ".status.base.upToDate"),
    columns=(
        Column(name="Image", path=".status.imageId", description="Image to use."),
        Column(name="Base", path=".status.base.imageId", description="What it is made from."),
        Column(
            name="UpToDate",
            path=".status.base.upToDate",
            type="boolean",
            description="Whether there is no newer base.",
        ),
        READY,
        REASON,
        Column(name="Stage", path=".status.build.stage", description="What the build is at."),
        AGE,
        Column(
            name="Step",
            path=".status.build.step",
            wide=True,
            description="Step of the script on the instance, or that which has failed.",
        ),
        Column(
            name="Attempt",
            path=".status.build.attempt",
            type="integer",
            wide=True,
            description="Which attempt the build is.",
        ),
        Column(
            name="Baked",
            path=".status.bake.needed",
            type="boolean",
            wide=True,
            description="Whether an image has to be made.",
        ),
    ),
)
