"""What AWSAccounts and flags allow: refused before any call, and named."""

import pytest
from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE
from tests.support.research import REFERRING, RESEARCH, ROLE, research

from awsbatch_operator.api.metadata import ObjectKey


@pytest.mark.parametrize(
    ("account", "allowed"),
    [
        ({"allowedNamespaces": {"names": [NAMESPACE]}}, True),
        ({"allowedNamespaces": {"names": ["other"]}}, False),
        ({"allowedNamespaces": {"matchLabels": {"team": "climate"}}}, True),
        ({"allowedNamespaces": {"matchLabels": {"team": "ocean"}}}, False),
        ({}, False),
    ],
)
async def test_an_account_serves_only_the_namespaces_that_it_allows(account, allowed):
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, {"roleArn": ROLE, **account})
        await there.until_ready(RESEARCH)
        there.calls.clear()
        there.apply(POLICY, manifests.policy(**REFERRING))
        if allowed:
            await there.until_ready(POLICY)
            return
        message = await there.until(POLICY, "Stalled", "NotAllowed")
    assert f"AWSAccount research does not serve the namespace {NAMESPACE}" in message
    assert not any(call.startswith("batch:") for call in there.calls)


async def test_the_labels_of_a_namespace_are_read_once_a_minute_at_most(monkeypatch):
    there = Installation()
    asked = []
    labels_of = there.kube.namespace_labels

    async def counted(name):
        asked.append(name)
        return await labels_of(name)

    monkeypatch.setattr(there.kube, "namespace_labels", counted)
    second = ObjectKey("SchedulingPolicy", NAMESPACE, "second")
    async with there.running():
        there.apply(RESEARCH, research(allowedNamespaces={"matchLabels": {"team": "climate"}}))
        there.apply(POLICY, manifests.policy(**REFERRING))
        there.apply(second, manifests.policy(**REFERRING))
        await there.until_ready(POLICY, second)
        assert asked == [NAMESPACE]
        there.kube.namespaces[NAMESPACE]["team"] = "ocean"
        await there.clock.advance(61)
        there.kube.annotate(POLICY, **{"awsbatch.dev/reconcile-at": "now"})
        await there.until(POLICY, "Stalled", "NotAllowed")


async def test_a_role_that_the_account_does_not_allow_is_refused_before_any_call():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(allowedRoleArns=[f"arn:aws:iam::{ACCOUNT}:role/batch-*"]))
        await there.until_ready(RESEARCH)
        there.calls.clear()
        there.apply(ENVIRONMENT, manifests.environment() | REFERRING)
        message = await there.until(ENVIRONMENT, "Stalled", "NotAllowed")
        assert "spec.computeResources.instanceRole" in message
        assert manifests.PROFILE in message
        assert there.calls == []
        there.apply(RESEARCH, research())
        await there.until_ready(ENVIRONMENT)


async def test_an_aws_object_by_arn_needs_to_be_allowed():
    there = Installation()
    environment = f"arn:aws:batch:eu-central-1:{ACCOUNT}:compute-environment/theirs"
    queue = manifests.queue() | REFERRING
    queue["computeEnvironmentOrder"] = [{"order": 1, "computeEnvironmentRef": {"arn": environment}}]
    there.aws().create_compute_environment(computeEnvironmentName="theirs", **manifests.unmanaged())
    async with there.running():
        await there.clock.advance(20)  # until theirs is VALID
        there.apply(RESEARCH, research())
        there.apply(QUEUE, queue)
        message = await there.until(QUEUE, "Stalled", "NotAllowed")
        assert environment in message
        there.apply(RESEARCH, research(allowedExternalArns=["arn:aws:batch:*:*:*/theirs"]))
        await there.until_ready(QUEUE)


async def test_an_operator_of_single_namespaces_has_no_accounts_and_says_so():
    there = Installation(namespaces=(NAMESPACE,))
    async with there.running():
        there.apply(POLICY, manifests.policy(**REFERRING))
        message = await there.until(POLICY, "Stalled", "NotAllowed")
        assert "create it again without spec.accountRef" in message
        assert there.calls == []


async def test_flags_limit_what_objects_without_an_account_may_name():
    there = Installation(allowed_role_arns=("arn:aws:iam::*:role/batch-*",))
    async with there.running():
        there.apply(ENVIRONMENT, manifests.environment())
        message = await there.until(ENVIRONMENT, "Stalled", "NotAllowed")
    assert "The operator's configuration does not allow these roles" in message


async def test_a_region_that_the_account_does_not_allow_is_refused_before_any_call():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        await there.until_ready(RESEARCH)
        there.calls.clear()
        there.apply(POLICY, manifests.policy(**REFERRING, region="us-east-1"))
        message = await there.until(POLICY, "Stalled", "NotAllowed")
        assert "does not allow the region us-east-1" in message
        assert there.calls == []
        there.apply(RESEARCH, research(allowedRegions=["us-east-1"]))
        await there.until_ready(POLICY)


async def test_what_is_in_a_region_that_is_no_longer_allowed_can_still_be_deleted():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(allowedRegions=["us-east-1"]))
        there.apply(POLICY, manifests.policy(**REFERRING, region="us-east-1"))
        await there.until_ready(POLICY)
        there.apply(RESEARCH, research())
        await there.until(POLICY, "Stalled", "NotAllowed")
        there.kube.objects.delete(POLICY)
        await there.until_gone(POLICY)
