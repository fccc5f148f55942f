"""Trust policies that IAM refuses and moto takes.

Sources of the words: public reports of CreateRole ("This policy contains invalid Json", "Missing
required field …"); the members that a statement has: "IAM JSON policy elements" in IAM's user
guide; a trust policy has no Resource, for the role that it is attached to is the resource.
"""

import json
from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.protocol.models import Operation

_DOCUMENTS = {
    "CreateRole": "AssumeRolePolicyDocument",
    "UpdateAssumeRolePolicy": "PolicyDocument",
}


def check(operation: Operation, parameters: Mapping[str, Any]) -> None:
    """Raise MalformedPolicyDocument for a role's trust policy that IAM would not keep."""
    member = _DOCUMENTS.get(operation.name) if operation.service == "iam" else None
    if member is not None:
        _check_policy(_parsed(str(parameters[member])))


def _parsed(document: str) -> dict[str, Any]:
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError):
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(policy, dict):
        raise _malformed("This policy contains invalid Json")
    return policy


def _check_policy(policy: dict[str, Any]) -> None:
    statements = policy.get("Statement")
    if statements is None:
        raise _malformed("Missing required field Statement")
    if not statements:
        raise _malformed("Could not parse the policy: Statement is empty!")
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            raise _malformed("Syntax errors in policy.")
        _check_statement(statement)


def _check_statement(statement: dict[str, Any]) -> None:
    for name in ("Effect", "Principal", "Action"):
        if name not in statement and f"Not{name}" not in statement:
            raise _malformed(f"Missing required field {name}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement.get('Effect')}")
    principal = statement.get("Principal", "*")
    if principal != "*" and not (
        isinstance(principal, dict) and all(_words(each) for each in principal.values())
    ):
        raise _malformed("Invalid principal in policy")
    if not _words(statement.get("Action", "*")):
        raise _malformed("Syntax errors in policy.")
    if "Resource" in statement or "NotResource" in statement:
        raise _malformed("Has prohibited field Resource")
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict) or not all(
        isinstance(each, dict) for each in conditions.values()
    ):
        raise _malformed("Syntax errors in policy.")


def _words(value: object) -> bool:
    """Whether it is a string, or a list of strings: IAM writes one thing with or without a list."""
    return all(isinstance(each, str) for each in (value if isinstance(value, list) else [value]))


def _malformed(message: str) -> AwsFailure:
    return AwsFailure("MalformedPolicyDocument", message)
