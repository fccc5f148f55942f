"""A revision of a job definition, as AWS has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.tags import CONTENT


@dataclass(frozen=True, slots=True)
class Revision:
    """One ACTIVE revision. `content` are the members that were registered, as AWS returns them."""

    arn: str
    number: int
    tags: Mapping[str, str]
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """The hash that we tagged it with; "" if it has none."""
        return self.tags.get(CONTENT, "")
