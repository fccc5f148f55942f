"""Each remedy that the message of an unusable AWSAccount gives is carried out, and heals."""

import json
import os

import pytest
from tests.component.lifecycle.research import REFERRING, RESEARCH, ROLE, research
from tests.component.remedies.faults import (
    Fault,
    apply,
    made_again,
    one_after_another,
    table,
)
from tests.support import manifests
from tests.support.installation import ACCOUNT, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, POLICY

from awsbatch_operator.api.metadata import RECONCILE_AT

OURS = f"arn:aws:iam::{ACCOUNT}:role/ours"
AGAIN = "at once when the annotation awsbatch.dev/reconcile-at"
TRUSTED = (
    "spec.roleArn of the AWSAccount",
    "trust policy name this identity",
    "spec.externalId",
    AGAIN,
)
OBJECT = research()
POLICY_THERE = manifests.policy(**REFERRING)


def role(external_id: str = "") -> str:
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    )


async def make_role(there: Installation) -> None:
    there.aws("iam").create_role(RoleName="ours", AssumeRolePolicyDocument=role())


async def make_role_with_external_id(there: Installation) -> None:
    there.aws("iam").create_role(RoleName="ours", AssumeRolePolicyDocument=role("agreed"))


async def trust_without_external_id(there: Installation) -> None:
    there.aws("iam").update_assume_role_policy(RoleName="ours", PolicyDocument=role())


async def deny(there: Installation) -> None:
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")


async def grant(there: Installation) -> None:
    there.mend()


WRONG_ID = one_after_another(
    make_role_with_external_id, apply(RESEARCH, research(roleArn=OURS, externalId="wrong"))
)
NO_ROLE = apply(RESEARCH, research(roleArn=OURS))
DENIED = one_after_another(deny, apply(POLICY, manifests.policy()))


@table(
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
        remedy=make_role,
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
        remedy=trust_without_external_id,
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
async def test_an_account_that_cannot_be_used_is_mended_as_it_says(fault):
    await fault.happens_and_heals()


@table(
    Fault(
        id="by-itself",
        of=POLICY,
        broken=DENIED,
        reason="PermissionDenied",
        says=("Grant the action to the identity; deploy/iam", AGAIN),
        remedy=grant,
    ),
)
async def test_a_permission_that_is_granted_heals(fault):
    there = await fault.happens_and_heals()
    assert there.aws().list_scheduling_policies()["schedulingPolicies"]


@pytest.mark.parametrize(
    ("key", "broken", "granted"),
    [(POLICY, DENIED, grant), (RESEARCH, WRONG_ID, trust_without_external_id)],
    ids=["permission", "trust-policy"],
)
async def test_the_annotation_that_the_message_names_helps_at_once(key, broken, granted):
    there = Installation()
    async with there.running():
        await broken(there)
        assert AGAIN in await there.until(key, "Stalled", "PermissionDenied")
        await there.clock.advance(400)
        await granted(there)
        there.kube.annotate(key, **{RECONCILE_AT: "now"})
        await there.until_ready(key, within=1)


@pytest.mark.parametrize("operation", ["CreateSchedulingPolicy", "DescribeSchedulingPolicies"])
async def test_who_grants_a_permission_soon_waits_no_longer_than_it_took(operation):
    there = Installation()
    there.fault(effect="deny", service="batch", operation=operation)
    async with there.running():
        there.apply(POLICY, manifests.policy())
        await there.until(POLICY, "Stalled", "PermissionDenied")
        await there.clock.advance(120)
        there.mend()
        assert await there.until_ready(POLICY, within=900) <= 120


async def test_a_role_that_lets_nobody_in_is_asked_for_more_and_more_rarely():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(roleArn=OURS))
        await there.until(RESEARCH, "Stalled", "PermissionDenied")
        await there.clock.advance(3600)
        there.calls.clear()
        await there.clock.advance(3600)
        assert 0 < there.calls.count("sts:AssumeRole") <= 8


async def test_an_operator_without_credentials_starts_explains_itself_and_goes_on_with_them():
    there = Installation()
    with pytest.MonkeyPatch.context() as patch:
        async with there.running():
            kept = {
                name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            }
            for name in kept:
                patch.delenv(name)
            there.apply(POLICY, manifests.policy())
            there.apply(RESEARCH, research())
            for key in (POLICY, RESEARCH):
                message = await there.until(key, "Stalled", "NoCredentials")
                assert "The operator has no AWS credentials" in message
                assert "Give the operator's ServiceAccount an AWS role" in message
            assert there.calls == []
            for name, text in kept.items():
                patch.setenv(name, text)
            await there.until_ready(POLICY, RESEARCH, within=120)
