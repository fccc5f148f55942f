"""As much of IAM as the operator's policy uses: Allow statements with StringEquals and Null.

After "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide: one statement
that matches action and resource, and whose conditions all hold, allows; none, and it is denied.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any


def allows(
    document: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether the policy allows the action on the resource, with these condition keys."""
    return any(
        statement["Effect"] == "Allow"
        and action in statement["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        and all(
            _holds(test, key, values, context)
            for test, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        for statement in document["Statement"]
    )


def _holds(test: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    match test:
        case "StringEquals":
            return context.get(key) in values
        case "Null":
            return values == [str(key not in context).lower()]
    raise AssertionError(f"the policies here use no condition {test}")
