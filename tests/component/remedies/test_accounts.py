"""Each remedy that the message of an unusable AWSAccount gives is carried out, and heals."""

import os

import pytest
from tests.component.remedies.faults import happens_and_heals
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import POLICY
from tests.support.remedies.accounts import (
    ACCOUNTS,
    AGAIN,
    DENIALS,
    DENIED,
    OURS,
    TRUST_WITHOUT_EXTERNAL_ID,
    WRONG_ID,
    grant,
)
from tests.support.remedies.rows import table
from tests.support.research import RESEARCH, research

from awsbatch_operator.api.metadata import RECONCILE_AT


@table(ACCOUNTS)
async def test_an_account_that_cannot_be_used_is_mended_as_it_says(fault):
    await happens_and_heals(fault)


@table(DENIALS)
async def test_a_permission_that_is_granted_heals(fault):
    there = await happens_and_heals(fault)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"]


@pytest.mark.parametrize(
    ("key", "broken", "granted"),
    [(POLICY, DENIED, grant), (RESEARCH, WRONG_ID, TRUST_WITHOUT_EXTERNAL_ID)],
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
