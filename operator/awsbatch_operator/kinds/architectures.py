"""For which architecture instances are, by the names of their types (pure)."""

import re
from collections.abc import Mapping

# Instance families of Arm: a g behind the generation (m7g, c6gn, x2gd, im4gn); a1 is older.
_ARM = re.compile(r"(a1|[a-z-]+\d+[a-z]*g[a-z]*)(\..*)?")
_BY_WORD: Mapping[str, str] = {
    "optimal": "x86_64",
    "default_x86_64": "x86_64",
    "default_arm64": "arm64",
}


def architecture_of(instance_type: str) -> str:
    """Of an instance type, a family, or one of AWS Batch's words for several."""
    word = _BY_WORD.get(instance_type)
    return word or ("arm64" if _ARM.fullmatch(instance_type) else "x86_64")
