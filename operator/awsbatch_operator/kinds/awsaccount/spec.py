"""The AWSAccount resource: an AWS account, how it is entered, and who may use it for what."""

from typing import Annotated, ClassVar

from pydantic import Field

from awsbatch_operator.schema.declare import AGE, READY, REASON, Column, CustomResource
from awsbatch_operator.schema.fields import LIST_ATOMIC, Fields, Short, ruled
from awsbatch_operator.schema.forms import (
    ARN_GLOB,
    EXTERNAL_ID,
    NAMESPACE,
    REGION,
    RESOURCE_GLOB,
    ROLE_ARN,
)
from awsbatch_operator.schema.rules import Rule, exactly_one
from awsbatch_operator.schema.status import Status

Namespace = Annotated[str, Field(max_length=63, json_schema_extra=ruled(NAMESPACE))]
LabelValue = Annotated[str, Field(max_length=63)]
ArnGlob = Annotated[str, Field(max_length=2048, json_schema_extra=ruled(ARN_GLOB))]
ResourceGlob = Annotated[str, Field(max_length=2048, json_schema_extra=ruled(RESOURCE_GLOB))]
Region = Annotated[str, Field(max_length=32, json_schema_extra=ruled(REGION))]


class AllowedNamespaces(Fields):
    """Which namespaces may use the account."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "namespaces-by-name-or-label",
            ("names", "matchLabels"),
            "Namespaces are allowed either by name or by label. Set exactly one of names and "
            "matchLabels.",
        ),
    )

    names: list[Namespace] | None = Field(
        None,
        description="Names of namespaces.",
        min_length=1,
        max_length=1000,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    match_labels: dict[str, LabelValue] | None = Field(
        None,
        description="Labels that a namespace must have, all of them.",
        min_length=1,
        max_length=20,
    )


class AwsAccountSpec(Fields):
    """What is wanted of an AWSAccount."""

    role_arn: str | None = Field(
        None,
        description="Role to assume in the account. Unset: the operator's own identity.",
        max_length=2048,
        json_schema_extra=ruled(ROLE_ARN),
    )
    external_id: str | None = Field(
        None,
        description="External id that the role's trust policy asks for.",
        max_length=1224,
        json_schema_extra=ruled(EXTERNAL_ID),
    )
    region: str | None = Field(
        None,
        description="Region of objects that name none. Unset: the operator's.",
        max_length=32,
        json_schema_extra=ruled(REGION),
    )
    allowed_namespaces: AllowedNamespaces | None = Field(
        None,
        description=(
            "Namespaces whose objects may use the account. Unset: none, except that the account "
            "named default serves all."
        ),
    )
    allowed_role_arns: list[ArnGlob] | None = Field(
        None,
        description=(
            "Roles and instance profiles that objects may name; * matches any characters. Unset: "
            "whatever IAM lets the operator pass."
        ),
        max_length=100,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    allowed_external_arns: list[ResourceGlob] | None = Field(
        None,
        description=(
            "AWS objects of others that objects may name wherever in a spec: by ARN, by id "
            "(subnet-, sg-, lt-, ami-, fs-, fsap-), or as type/name (such as "
            "serviceaccount/NAME, parameter/NAME, secret:NAME); * matches any characters. Unset: "
            "none. Subnets, security groups, launch templates, images, key pairs, placement "
            "groups, log groups and EKS namespaces are free until an entry names their type."
        ),
        max_length=100,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    allowed_regions: list[Region] | None = Field(
        None,
        description="Regions that objects may be in, besides the account's own. Unset: none.",
        max_length=50,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    allow_adoption: bool | None = Field(
        None,
        description=(
            "Whether objects may take over what exists in the account (spec.adoptionPolicy). "
            "Default: false."
        ),
    )


class AwsAccountStatus(Status):
    """What the operator found out about the account."""

    account_id: Short | None = Field(None, description="Number of the AWS account.")
    identity: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="ARN of the role or user that the operator acts as."
    )


RESOURCE = CustomResource(
    kind="AWSAccount",
    plural="awsaccounts",
    short_name="awsa",
    summary="An AWS account that objects can be in, how it is entered, and what it allows.",
    spec=AwsAccountSpec,
    status=AwsAccountStatus,
    namespaced=False,
    rules=(
        Rule(
            id="external-id-needs-role",
            cel="!has(self.externalId) || has(self.roleArn)",
            message=(
                "An external id is given when a role is assumed. Set roleArn, or remove externalId."
            ),
            field=".externalId",
        ),
    ),
    columns=(
        Column(name="Account", path=".status.accountId", description="Number of the account."),
        Column(name="Region", path=".spec.region", description="Default region."),
        READY,
        REASON,
        AGE,
        Column(name="Role", path=".spec.roleArn", wide=True, description="Role to assume."),
        Column(name="Identity", path=".status.identity", wide=True, description="Acting identity."),
    ),
)
