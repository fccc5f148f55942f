"""What the specs of several kinds share, written down once."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from awsbatch_operator.schema.fields import AwsFields, ruled
from awsbatch_operator.schema.forms import AWS_NAME, REGION
from awsbatch_operator.schema.references import AccountRef
from awsbatch_operator.schema.rules import Rule, immutable


class DeletionPolicy(StrEnum):
    """What happens in AWS when the object is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class AdoptionPolicy(StrEnum):
    """Whether an AWS object that exists already, and is not ours, may be taken over."""

    CREATE = "Create"
    ADOPT_OR_CREATE = "AdoptOrCreate"
    ADOPT = "Adopt"


class DriftPolicy(StrEnum):
    """What happens when AWS differs from the spec."""

    CORRECT = "Correct"
    REPORT = "Report"


TAG_RULES = (
    Rule(
        id="tags-reserved",
        cel="self.all(k, !k.lowerAscii().startsWith('aws:') && !k.startsWith('awsbatch.dev/'))",
        message=(
            "Tag keys that begin with aws: belong to AWS, and those that begin with awsbatch.dev/ "
            "tell this operator what is its own. Rename the tag."
        ),
    ),
    Rule(
        id="tags-key-length",
        cel="self.all(k, size(k) >= 1 && size(k) <= 128)",
        message=(
            "AWS takes tag keys of 1 to 128 characters. Shorten a longer key, and give an empty "
            "one a name."
        ),
    ),
)
TAGS_LIMIT = 40

TagMap = Annotated[
    dict[str, Annotated[str, Field(max_length=256)]],
    Field(
        max_length=TAGS_LIMIT,
        json_schema_extra=ruled(*TAG_RULES),
    ),
]

SCOPE_RULES = (
    immutable(
        "accountRef",
        "The account is recorded when the object is made, because its AWS object stays there. "
        "Delete this object and create it again with the other accountRef.",
    ),
    immutable(
        "region",
        "The region is recorded when the object is made, because its AWS object stays there. "
        "Delete this object and create it again in the other region.",
    ),
)
AWS_NAME_RULE = immutable(
    "awsName",
    "AWS cannot rename what exists. Delete this object and create it again with the other awsName.",
)


class Scoped(AwsFields):
    """Where the AWS object of a resource lives, how it is tagged, and what deletion means."""

    account_ref: AccountRef | None = Field(
        None,
        description=(
            "AWSAccount to act in. Unset: the AWSAccount named default if there is one, else the "
            "operator's own identity. Immutable."
        ),
    )
    region: str | None = Field(
        None,
        description=(
            "AWS region, such as eu-central-1. Unset: the account's, else the operator's. "
            "Immutable."
        ),
        max_length=32,
        json_schema_extra=ruled(REGION),
    )
    tags: TagMap | None = Field(
        None, description="Tags for the AWS object, besides the operator's own. At most 40."
    )
    deletion_policy: DeletionPolicy | None = Field(
        None,
        description=(
            "What happens in AWS when this object is deleted: Delete or Retain. Unset: Delete for "
            "what the operator created, Retain for what it adopted."
        ),
    )


class Lasting(Scoped):
    """What the kinds share that have something in AWS for as long as the resource is there."""

    adoption_policy: AdoptionPolicy | None = Field(
        None,
        description=(
            "What to do when AWS already has an object of this name that nobody has marked as its "
            "own. Create (default): refuse. AdoptOrCreate: take it over, where the account allows "
            "it. Adopt: the same, and never create: wait until there is one."
        ),
    )
    drift_policy: DriftPolicy | None = Field(
        None,
        description=(
            "What to do when somebody has changed AWS elsewhere. Correct (default): change it "
            "back. Report: change nothing, and list it in the condition Drifted. A change of the "
            "spec is applied in any case."
        ),
    )


class Infrastructure(Lasting):
    """What the kinds share whose AWS object has one name for all of its life."""

    aws_name: str | None = Field(
        None,
        description=(
            "Name in AWS. Unset: namespace, name and a hash that keeps clusters apart. Immutable."
        ),
        max_length=128,
        json_schema_extra=ruled(AWS_NAME),
    )
