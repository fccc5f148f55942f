"""The operator's own policies of deploy/iam, in force in a simulated account."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from awsbatch_operator.aws.calls import CLUSTER_ID
from awsbatch_simulator.assembly import Simulator

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "iam"
IMAGES = ("image", "image-verify", "image-copies", "image-publish", "image-adoption")
PARTS = ("operator", "capacity", *IMAGES)
# What tests have of their own, as the README of the policies says: roles that may be passed (a
# profile's is called as the profile is) and assumed, log groups, and parameters.
OWN_ROLES = ("other", "service-role/ours")
ACCOUNT_ROLES = ("ours",)
LOG_GROUPS = ("/climate",)
PARAMETERS = ("images/*",)  # in which images are published
ASSUMED = "arn:aws:iam::*:role/batch-operator"  # that AWSAccounts name


def given_out(part: str, cluster: str) -> dict[str, Any]:
    """A policy as it is given out, with a cluster's id."""
    text = (FOLDER / f"{part}-policy.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace(CLUSTER_ID, cluster))
    return found


def document(part: str, cluster: str, roles: Iterable[str] = OWN_ROLES) -> dict[str, Any]:
    """The same with what its README says to add."""
    found = given_out(part, cluster)
    own = {
        "IamPassRole": [f"arn:aws:iam::*:role/{name}" for name in roles],
        "StsAssumeRole": [f"arn:aws:iam::*:role/{name}" for name in ACCOUNT_ROLES],
        "SsmGetParameter": [f"arn:aws:ssm:*:*:parameter/{name}" for name in PARAMETERS],
        "LogsGetLogEvents": [f"arn:aws:logs:*:*:log-group:{name}:*" for name in LOG_GROUPS],
    }
    for statement in found["Statement"]:
        if statement.get("Sid") in own:
            statement["Resource"] += own[statement["Sid"]]
    return found


def enforce(
    simulator: Simulator,
    cluster: str,
    roles: Iterable[str] = OWN_ROLES,
    parts: Iterable[str] = PARTS,
    *,
    besides: str = "",
) -> None:
    """Let the operator, and the roles that it assumes, do what the policies say and no more.

    `besides`: one more policy, which is given out for those who want it.
    """
    parts = (*parts, *([besides] if besides else ()))
    documents = [document(part, cluster, roles) for part in parts]
    policies = {simulator.key.principal: documents, ASSUMED: documents}
    settings = simulator.world.settings
    simulator.world.change(settings.patched({"policies": policies}))


def unused(simulator: Simulator, cluster: str, *parts: str) -> set[tuple[str, str, str]]:
    """What these policies give and nothing has taken: action, resource, keys of the condition."""
    used = {
        (each["statement"], each["action"], each["resource"])
        for each in simulator.dispatcher.authorizer.report()["allowed"]
    }
    return {
        (action, resource, _condition(statement))
        for part in parts
        for number, statement in enumerate(given_out(part, cluster)["Statement"], start=1)
        for action in statement["Action"]
        for resource in _listed(statement["Resource"])
        if (statement.get("Sid", f"statement {number}"), action, resource) not in used
    }


def _condition(statement: Mapping[str, Any]) -> str:
    """By which keys a statement is narrowed."""
    keys = {key for tests in statement.get("Condition", {}).values() for key in tests}
    return " ".join(sorted(key.partition("/")[0] for key in keys))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def denied(simulator: Simulator) -> list[str]:
    """What the operator was not allowed, in words."""
    found = simulator.dispatcher.authorizer.report()["denied"]
    return [f"{each['action']} on {each['resource']}" for each in found]
