"""How an image is made, tried, published, made anew and kept: what is not in it."""

from typing import Annotated, Literal

from pydantic import Field

from awsbatch_operator.kinds.extendedami import rules
from awsbatch_operator.kinds.extendedami.spec_parts import BUILD_SECONDS, SET
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import LIST_ATOMIC, Fields, ruled

_DAYS = 3_650


class Builder(Fields):
    """The instance that an image is made on: without a key, and nothing can connect to it."""

    instance_types: (
        list[Annotated[str, Field(max_length=32, json_schema_extra=ruled(forms.INSTANCE_TYPE))]]
        | None
    ) = Field(
        None,
        description=(
            "Instance types to try, in this order. Default: small ones of the base's architecture. "
            "Never on Spot."
        ),
        min_length=1,
        max_length=16,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    subnets: (
        list[Annotated[str, Field(max_length=64, json_schema_extra=ruled(forms.SUBNET_ID))]] | None
    ) = Field(
        None,
        description=(
            "Subnets to try, in this order; packages and images have to be reachable from there. "
            "Default: one of the default VPC."
        ),
        min_length=1,
        max_length=16,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    security_group_ids: (
        list[Annotated[str, Field(max_length=64, json_schema_extra=ruled(forms.SECURITY_GROUP_ID))]]
        | None
    ) = Field(
        None,
        description=(
            "Security groups; nothing has to be let in. Default: the VPC's default one, which lets "
            "its own members in."
        ),
        min_length=1,
        max_length=16,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    instance_profile: str | None = Field(
        None,
        description=(
            "ARN of the instance profile, needed to pull images from Amazon ECR and, for the boot "
            "test, to join an ECS cluster. Unset: the instance has no rights in AWS."
        ),
        max_length=2048,
        json_schema_extra=ruled(forms.PROFILE_ARN),
    )
    timeout_seconds: int | None = Field(
        None,
        description="Seconds after which a build that has not ended has failed. Default: 3600.",
        ge=300,
        le=BUILD_SECONDS,
    )
    on_failure: Literal["Terminate", "Keep"] | None = Field(
        None,
        description=(
            "What becomes of the instance when a build has failed. Terminate (default), or Keep: "
            "it is left stopped to be looked at, until the next attempt or the time limit."
        ),
    )


class VerifyContainer(Fields):
    """A container that has to run on an instance of the image, and to exit with 0."""

    image: str = Field(
        description="Name of its image.", max_length=1024, json_schema_extra=ruled(forms.IMAGE)
    )
    command: list[Annotated[str, Field(max_length=1024)]] | None = Field(
        None,
        description="Its command. Default: the image's own.",
        max_length=64,
        json_schema_extra=dict(LIST_ATOMIC),
    )


class Verify(Fields):
    """How a new image is tried before anything uses it."""

    enabled: bool | None = Field(
        None,
        description=(
            "Whether an instance of it has to boot, to join an ECS cluster and to report. Default: "
            "true."
        ),
    )
    timeout_seconds: int | None = Field(
        None, description="Seconds that this may take. Default: 900.", ge=120, le=7_200
    )
    container: VerifyContainer | None = Field(
        None, description="A container that has to run there, too."
    )


class Publish(Fields):
    """Where others find the image."""

    ssm_parameter: str = Field(
        description="Parameter in Systems Manager, of the type aws:ec2:image, that gets its id.",
        max_length=1011,
        json_schema_extra=ruled(forms.PARAMETER_NAME, rules.PARAMETER),
    )


class Rebuild(Fields):
    """When another image is made."""

    when: list[Literal["SpecChange", "BaseChange"]] | None = Field(
        None,
        description=(
            "SpecChange: the spec asks for another image. BaseChange: there is a newer base. "
            "Default: SpecChange; a newer base is only told."
        ),
        max_length=2,
        json_schema_extra=dict(SET),
    )
    max_age_days: int | None = Field(
        None, description="Days after which an image is made anew. Unset: never.", ge=1, le=_DAYS
    )


class Retention(Fields):
    """When an image goes that another has taken the place of; never while it is used."""

    keep: int | None = Field(
        None,
        description="Images that are kept in each region, the one in use included. Default: 2.",
        ge=1,
        le=20,
    )
    min_age_days: int | None = Field(
        None, description="Days that an image is kept in any case. Default: 7.", ge=0, le=_DAYS
    )
