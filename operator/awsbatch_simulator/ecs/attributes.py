"""Attributes and tags of container instances: what ECS takes. Source: Attribute and Tag."""

import re
from collections.abc import Mapping, Sequence

from awsbatch_simulator.errors import AwsFailure

_NAME = re.compile(r"[a-zA-Z0-9_./\\-]{1,128}")
_VALUE = re.compile(r"(?:[a-zA-Z0-9_.@:/\\ -]{1,128})?")
TAGS, KEY_CHARACTERS, VALUE_CHARACTERS = 50, 128, 256


def check_attributes(attributes: Sequence[Mapping[str, str]]) -> None:
    """Raise InvalidParameterException where a name or a value has other characters or too many."""
    for each in attributes:
        name, value = each.get("name", ""), each.get("value") or ""
        if _NAME.fullmatch(name) is None:
            raise _invalid(
                f"Attribute names have 1 to 128 letters, digits and _-./\\: {name!r:.99}"
            )
        if _VALUE.fullmatch(value) is None or value != value.strip(" "):
            raise _invalid(
                f"The value of the attribute {name} has 1 to 128 letters, digits, inner spaces "
                "and _-.@:/\\"
            )


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise InvalidParameterException for tags that no resource may have."""
    if len(tags) > TAGS:
        raise _invalid(f"A resource has up to {TAGS} tags.")
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_CHARACTERS or len(value) > VALUE_CHARACTERS:
            raise _invalid("A tag's key has 1 to 128 characters, its value up to 256.")
        if key.lower().startswith("aws:"):
            raise _invalid("Tags that begin with aws: are reserved for AWS.")


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterException", message)
