"""The parts of a spec or status that several kinds share, as pydantic models.

Python names are snake_case, the API's are camelCase; `Fields` translates.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from awsbatch_operator.schema.rules import Rule, immutable

LIST_ATOMIC: Mapping[str, Any] = {"x-kubernetes-list-type": "atomic"}
INT32 = 2**31 - 1
INT64 = 2**53 - 1  # the API server reads bounds as floats, which are exact up to here
EPOCH_YEARS = 10 * 365 * 24 * 3600  # ten years: longer than anything here is meant to wait

REGION_PATTERN = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$"
AWS_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"


class Fields(BaseModel):
    """A structure of ours: camelCase outside, closed, never changed."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )
    RULES: ClassVar[tuple[Rule, ...]] = ()


class AwsFields(Fields):
    """A spec that AWS's own members stand in too, beside ours; they are kept as they are."""

    model_config = ConfigDict(extra="allow")

    @property
    def aws(self) -> Mapping[str, Any]:
        """AWS's members in AWS's names and shape."""
        return self.__pydantic_extra__ or {}


# --- strings of the status ---


def _clip(limit: int) -> BeforeValidator:
    def clip(value: object) -> object:
        if isinstance(value, str) and len(value) > limit:
            return value[: limit - 1] + "…"
        return value

    return BeforeValidator(clip)


# What AWS says may be longer than we store: it is cut, never refused, because a status write
# that the API server refuses would hide everything else too.
Short = Annotated[str, Field(max_length=256), _clip(256)]
Line = Annotated[str, Field(max_length=1024), _clip(1024)]
Paragraph = Annotated[str, Field(max_length=2048), _clip(2048)]
Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
Count = Annotated[int, Field(ge=0, le=INT32)]

# --- enums of ours ---


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


# --- references ---


class AccountRef(Fields):
    """An AWSAccount."""

    name: str = Field(
        description="Name of the AWSAccount, which is cluster-scoped.",
        min_length=1,
        max_length=253,
        pattern=NAME_PATTERN,
    )


_ONE_OF_NAME_AND_ARN = Rule(
    id="ref-name-or-arn",
    cel="has(self.name) != has(self.arn)",
    message=(
        "A reference names either an object of this namespace or an AWS object by its ARN, because "
        "both at once could contradict each other. Set exactly one of name and arn."
    ),
)


class NameOrArn(Fields):
    """An object of the same namespace by name, or an AWS object made elsewhere by ARN."""

    RULES: ClassVar[tuple[Rule, ...]] = (_ONE_OF_NAME_AND_ARN,)

    name: str | None = Field(
        None,
        description="Name of the object in the same namespace.",
        min_length=1,
        max_length=253,
        pattern=NAME_PATTERN,
    )
    arn: str | None = Field(
        None,
        description="ARN of an AWS object that is not managed here.",
        min_length=20,
        max_length=2048,
    )


def _arn_of(resource: str) -> Any:
    return Field(
        None,
        description=f"ARN of a {resource} in AWS that no object here manages.",
        min_length=20,
        max_length=2048,
        pattern=rf"^arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{{12}}:{resource}/[A-Za-z0-9_:-]+$",
    )


class ComputeEnvironmentRef(NameOrArn):
    """A ComputeEnvironment, or a compute environment in AWS."""

    arn: str | None = _arn_of("compute-environment")


class SchedulingPolicyRef(NameOrArn):
    """A SchedulingPolicy, or a scheduling policy in AWS."""

    arn: str | None = _arn_of("scheduling-policy")


class JobQueueRef(NameOrArn):
    """A JobQueue, or a job queue in AWS."""

    arn: str | None = _arn_of("job-queue")


class JobDefinitionRef(NameOrArn):
    """A JobDefinition, or a job definition in AWS."""

    arn: str | None = _arn_of("job-definition")


# --- what every kind with an AWS object has ---

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
        message="AWS takes tag keys of 1 to 128 characters. Shorten the key.",
    ),
)
TAGS_LIMIT = 40

TagMap = Annotated[
    dict[str, Annotated[str, Field(max_length=256)]],
    Field(
        max_length=TAGS_LIMIT,
        json_schema_extra={"x-kubernetes-validations": [rule.as_schema() for rule in TAG_RULES]},
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
        min_length=9,
        max_length=32,
        pattern=REGION_PATTERN,
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


class Infrastructure(Scoped):
    """What the kinds share whose AWS object lives as long as the resource."""

    aws_name: str | None = Field(
        None,
        description=(
            "Name in AWS. Unset: namespace, name and a hash that keeps clusters apart. Immutable."
        ),
        min_length=1,
        max_length=128,
        pattern=AWS_NAME_PATTERN,
    )
    adoption_policy: AdoptionPolicy | None = Field(
        None,
        description=(
            "What to do when AWS already has an object of this name that is not ours. Create "
            "(default): refuse. AdoptOrCreate: take it over. Adopt: take it over, never create."
        ),
    )
    drift_policy: DriftPolicy | None = Field(
        None,
        description=(
            "What to do when AWS differs from this spec. Correct (default): change AWS back. "
            "Report: say so in a condition."
        ),
    )


# --- status ---


class Condition(Fields):
    """One aspect of the object's state, as metav1.Condition."""

    type: str = Field(description="Name of the aspect, such as Ready.", min_length=1, max_length=64)
    status: str = Field(
        description="True, False or Unknown.",
        max_length=7,
        json_schema_extra={"enum": ["True", "False", "Unknown"]},
    )
    observed_generation: int = Field(
        description="metadata.generation that this was found for.", ge=0, le=INT64
    )
    last_transition_time: Time = Field(description="When the status last changed.")
    reason: str = Field(
        description="One word for why, listed in the documentation.",
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    )
    message: str = Field(
        description="What is so, why, and how to mend it where it is wrong.", max_length=32768
    )


CONDITIONS: Any = Field(
    default_factory=list,
    description="How the object stands; one entry for each aspect.",
    max_length=16,
    json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
)


class Status(Fields):
    """What every kind reports."""

    observed_generation: int = Field(
        -1,
        description="metadata.generation that the rest was found for; -1 until it was looked at.",
        ge=-1,
        le=INT64,
        json_schema_extra={"default": -1},
    )
    conditions: list[Condition] = CONDITIONS

    def body(self) -> dict[str, Any]:
        """The status as it is written, without what is unset."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class AwsStatus(Status):
    """What every kind with an AWS object reports."""

    arn: Line | None = Field(None, description="ARN of the AWS object.")
    account_id: Short | None = Field(None, description="AWS account that the object is in.")
    region: Short | None = Field(None, description="AWS region that the object is in.")
    deletion_policy: Short | None = Field(
        None, description="What deletion of this object will mean: Delete or Retain."
    )


class NamedStatus(AwsStatus):
    """What every kind with a lasting AWS object reports."""

    aws_name: Short | None = Field(None, description="Name of the AWS object.")
