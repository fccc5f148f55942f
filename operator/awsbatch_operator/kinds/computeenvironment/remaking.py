"""An environment that is INVALID for good is made anew, if no queue uses it (pure).

AWS cannot give an environment another subnet, group or instance profile without an infrastructure
update, and nothing brings a deleted ECS cluster back. Where no queue uses the environment, nothing
is lost: it is disabled, deleted and, once AWS has confirmed that it is gone, created under the same
name.

Which one is removed, and for which generation, stands in an annotation before the first call. A
process that dies on the way goes on with it, whatever AWS calls the environment by then: disabled,
it may well be VALID. And for one generation it happens once only: where AWS never shows what was
asked for, or where every new environment turns INVALID, it would go on for ever.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api.metadata import REMAKING, Resource


@dataclass(frozen=True, slots=True)
class Remaking:
    """What the annotation says: AWS's own mark of the environment that goes, and the generation."""

    environment: str = ""  # "" also once nothing goes any more
    generation: int = -1
    gone: bool = False  # AWS has confirmed the deletion, and that was told

    def is_of(self, mark: str) -> bool:
        """Whether the environment with that mark is the one that was to go."""
        return bool(mark) and self.environment == mark

    def begun(self, mark: str, generation: int) -> bool:
        """Whether it goes for what the spec still says; an edit has it decided anew."""
        return self.is_of(mark) and self.generation == generation

    def over(self) -> "Remaking":
        """No environment goes any more; of the generation, it is known that it had its turn."""
        return Remaking(generation=self.generation)

    def record(self) -> Mapping[str, str]:
        """The annotation."""
        body: dict[str, object] = {
            "environment": self.environment,
            "generation": self.generation,
        }
        if self.gone:
            body["gone"] = True
        return {REMAKING: json.dumps(body, separators=(",", ":"))}


def remaking_in(resource: Resource) -> Remaking:
    """What was recorded; nothing, too, if somebody has edited it into something else."""
    try:
        body = json.loads(resource.annotations.get(REMAKING, "{}"))
        environment, generation = str(body["environment"]), int(body["generation"])
        return Remaking(environment, generation, gone=body.get("gone") is True)
    except (ValueError, TypeError, KeyError, RecursionError):
        return Remaking()
