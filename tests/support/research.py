"""An AWSAccount by the name of research, for the tests beside this file that live in one."""

from typing import Any

from tests.support.installation import ACCOUNT, NAMESPACE

from awsbatch_operator.api.metadata import ObjectKey

RESEARCH = ObjectKey("AWSAccount", "", "research")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch-operator"
REFERRING: dict[str, Any] = {"accountRef": {"name": "research"}}
SERVES = {"allowedNamespaces": {"names": [NAMESPACE]}}


def research(**changes: Any) -> dict[str, Any]:
    """Its spec: it serves the tests' namespace, whatever else is asked of it."""
    return {"roleArn": ROLE, **SERVES, **changes}
