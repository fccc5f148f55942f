"""What is wrong with AWSAccounts and rights, and each remedy that the message gives."""

import json

from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.manifests import DEFAULT_ACCOUNT, POLICY
from tests.support.remedies.deeds import iam
from tests.support.remedies.rows import (
    Fault,
    There,
    apply,
    made_again,
    one_after_another,
)
from tests.support.research import REFERRING, RESEARCH, ROLE, research

OURS = f"arn:aws:iam::{ACCOUNT}:role/ours"
AGAIN = "at once when the annotation awsbatch.dev/reconcile-at"
TRUSTED = (
    "spec.roleArn of the AWSAccount",
    "trust policy name this identity",
    "spec.externalId",
    AGAIN,
)
POLICY_THERE = manifests.policy(**REFERRING)


def role(external_id: str = "") -> str:
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    )


MAKE_ROLE = iam("create_role", RoleName="ours", AssumeRolePolicyDocument=role())
MAKE_ROLE_WITH_EXTERNAL_ID = iam(
    "create_role", RoleName="ours", AssumeRolePolicyDocument=role("agreed")
)
TRUST_WITHOUT_EXTERNAL_ID = iam("update_assume_role_policy", RoleName="ours", PolicyDocument=role())


async def deny(there: There) -> None:
    names = {"name": there.named(f"{NAMESPACE}-*")}
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy", match=names)


async def grant(there: There) -> None:
    there.mend()


WRONG_ID = one_after_another(
    MAKE_ROLE_WITH_EXTERNAL_ID, apply(RESEARCH, research(roleArn=OURS, externalId="wrong"))
)
NO_ROLE = apply(RESEARCH, research(roleArn=OURS))
DENIED = one_after_another(deny, apply(POLICY, manifests.policy()))


ACCOUNTS: tuple[Fault, ...] = (
    Fault(
        id="wrong-role-corrected",
        of=RESEARCH,
        broken=NO_ROLE,
        reason="PermissionDenied",
        says=TRUSTED,
        without=("Grant the action",),
        remedy=apply(RESEARCH, research(roleArn=ROLE)),
    ),
    Fault(
        id="the-role-is-made",
        of=RESEARCH,
        broken=NO_ROLE,
        reason="PermissionDenied",
        says=TRUSTED,
        remedy=MAKE_ROLE,
    ),
    Fault(
        id="external-id-corrected",
        of=RESEARCH,
        broken=WRONG_ID,
        reason="PermissionDenied",
        says=TRUSTED,
        remedy=apply(RESEARCH, research(roleArn=OURS, externalId="agreed")),
    ),
    Fault(
        id="trust-policy-corrected",
        of=RESEARCH,
        broken=WRONG_ID,
        reason="PermissionDenied",
        says=TRUSTED,
        remedy=TRUST_WITHOUT_EXTERNAL_ID,
    ),
    Fault(
        id="no-region",
        of=DEFAULT_ACCOUNT,
        settings={"region": ""},
        broken=apply(DEFAULT_ACCOUNT, {}),
        reason="IdentityUnknown",
        says=("Set spec.region.",),
        remedy=apply(DEFAULT_ACCOUNT, {"region": "eu-central-1"}),
    ),
    *(
        Fault(
            id=f"no-region-of-an-object-{name}",
            of=POLICY,
            settings={"region": ""},
            broken=apply(POLICY, manifests.policy()),
            reason="IdentityUnknown",
            says=(
                "neither the spec nor the operator's configuration names one",
                "delete this object and create it again with a spec.region",
                "make an AWSAccount named default with a region",
            ),
            remedy=remedy,
        )
        for name, remedy in (
            ("again", made_again(POLICY, manifests.policy(region="eu-central-1"))),
            ("account", apply(DEFAULT_ACCOUNT, {"region": "eu-central-1"})),
        )
    ),
    Fault(
        id="namespace-not-served",
        of=POLICY,
        broken=apply(
            RESEARCH, research(allowedNamespaces={"names": ["other"]}), (POLICY, POLICY_THERE)
        ),
        reason="NotAllowed",
        says=("Add the namespace to spec.allowedNamespaces of AWSAccount research",),
        remedy=apply(RESEARCH, research()),
    ),
    Fault(
        id="namespace-not-served-elsewhere",
        of=POLICY,
        broken=apply(
            RESEARCH, research(allowedNamespaces={"names": ["other"]}), (POLICY, POLICY_THERE)
        ),
        reason="NotAllowed",
        says=("or delete this object and create it again with another accountRef",),
        remedy=made_again(POLICY, manifests.policy()),
    ),
    Fault(
        id="region-not-allowed",
        of=POLICY,
        broken=apply(RESEARCH, research(), (POLICY, {**POLICY_THERE, "region": "us-east-1"})),
        reason="NotAllowed",
        says=("Add it to spec.allowedRegions of AWSAccount research",),
        remedy=apply(RESEARCH, research(allowedRegions=["us-east-1"])),
    ),
    Fault(
        id="account-missing",
        of=POLICY,
        condition="Reconciling",
        broken=apply(POLICY, POLICY_THERE),
        reason="ReferenceNotFound",
        says=("There is no AWSAccount research yet. Create it",),
        remedy=apply(RESEARCH, research()),
    ),
)


DENIALS: tuple[Fault, ...] = (
    Fault(
        id="by-itself",
        of=POLICY,
        broken=DENIED,
        reason="PermissionDenied",
        says=("Grant the action to the identity; deploy/iam", AGAIN),
        remedy=grant,
    ),
)
