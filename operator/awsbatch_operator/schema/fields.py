"""The base of our pydantic models, and the kinds of text and number that they are made of.

Python names are snake_case, the API's are camelCase; `Fields` translates.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from awsbatch_operator.schema.rules import RULES, Rule

LIST_ATOMIC: Mapping[str, Any] = {"x-kubernetes-list-type": "atomic"}
INT32 = 2**31 - 1
INT64 = 2**53 - 1  # the API server reads bounds as floats, which are exact up to here
EPOCH_YEARS = 10 * 365 * 24 * 3600  # ten years: longer than anything here is meant to wait


def ruled(*rules: Rule) -> dict[str, Any]:
    """What a field says in its schema to obey these rules."""
    return {RULES: [rule.as_schema() for rule in rules]}


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
