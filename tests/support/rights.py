"""The operator's own policies of deploy/iam, in force in a simulated account."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from awsbatch_operator.aws.calls import CLUSTER_ID
from awsbatch_simulator.assembly import Simulator

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "iam"
PARTS = ("operator", "capacity")
# What tests have of their own, as the README of the policies says: roles that may be passed (a
# profile's is called as the profile is) and assumed, and log groups.
OWN_ROLES = ("other", "service-role/ours")
ACCOUNT_ROLES = ("ours",)
LOG_GROUPS = ("/climate",)
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
        "LogsGetLogEvents": [f"arn:aws:logs:*:*:log-group:{name}:*" for name in LOG_GROUPS],
    }
    for statement in found["Statement"]:
        if statement["Sid"] in own:
            statement["Resource"] += own[statement["Sid"]]
    return found


def enforce(simulator: Simulator, cluster: str, roles: Iterable[str] = OWN_ROLES) -> None:
    """Let the operator, and the roles that it assumes, do what the policies say and no more."""
    documents = [document(part, cluster, roles) for part in PARTS]
    policies = {simulator.key.principal: documents, ASSUMED: documents}
    settings = simulator.world.settings
    simulator.world.change(settings.patched({"policies": policies}))


def denied(simulator: Simulator) -> list[str]:
    """What the operator was not allowed, in words."""
    found = simulator.dispatcher.authorizer.report()["denied"]
    return [f"{each['action']} on {each['resource']}" for each in found]
