"""AWSAccounts: how they are entered, and what becomes of what lives in them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, ENVIRONMENT, POLICY, QUEUE
from tests.support.research import REFERRING, RESEARCH, research

from awsbatch_operator.api.metadata import RESOLVED, ObjectKey

THEIRS = "222233334444"


async def test_an_account_whose_role_can_be_assumed_is_ready_and_shows_who_we_are():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        await there.until_ready(RESEARCH)
    status = there.status(RESEARCH)
    assert status["accountId"] == ACCOUNT
    assert status["identity"] == f"arn:aws:iam::{ACCOUNT}:role/batch-operator"


class AnewEachTime(Installation):
    """An operator whose own identity is a role, in a session that each process names anew."""

    processes = 0

    @contextmanager
    def credentials(self) -> Iterator[None]:
        with super().credentials():
            role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/batch-operator"}
            self.processes += 1
            name = f"botocore-session-170000000{self.processes}"
            session = self.aws("sts").assume_role(**role, RoleSessionName=name)["Credentials"]
            ours = {
                "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
                "AWS_SESSION_TOKEN": session["SessionToken"],
            }
            with mock.patch.dict(os.environ, ours):
                yield


async def test_a_restart_in_another_session_of_the_operators_role_writes_nothing():
    """Neither the identity that is shown, nor who it is that AWS refuses something to."""
    there = AnewEachTime()
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        there.apply(POLICY, manifests.policy())
        await there.until_ready(DEFAULT_ACCOUNT)
        message = await there.until(POLICY, "Stalled", "PermissionDenied")
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/batch-operator"
    assert there.status(DEFAULT_ACCOUNT)["identity"] == role
    assert f"{role} " in message
    assert "session" not in message
    before = [there.kube.see(key)["metadata"] for key in (DEFAULT_ACCOUNT, POLICY)]
    async with there.running():
        await there.clock.advance(700)
    assert there.processes == 2
    assert [there.kube.see(key)["metadata"] for key in (DEFAULT_ACCOUNT, POLICY)] == before


async def test_an_account_without_a_role_is_the_operators_own():
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        await there.until_ready(DEFAULT_ACCOUNT)
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
    assert there.status(POLICY)["accountId"] == ACCOUNT


async def test_a_role_that_cannot_be_assumed_stalls_the_account_and_heals_by_itself():
    there = Installation()
    there.fault(effect="deny", service="sts", operation="AssumeRole")
    async with there.running():
        there.apply(RESEARCH, research())
        message = await there.until(RESEARCH, "Stalled", "PermissionDenied")
        assert "sts:AssumeRole" in message
        there.apply(POLICY, manifests.policy(**REFERRING))
        await there.until(POLICY, "Stalled", "AccountUnavailable")
        there.mend()
        await there.until_ready(RESEARCH, POLICY, within=60)


async def test_an_object_waits_for_the_account_that_it_names_and_goes_on_at_once():
    there = Installation()
    async with there.running():
        there.apply(POLICY, manifests.policy(**REFERRING))
        message = await there.until(POLICY, "Reconciling", "ReferenceNotFound")
        assert "There is no AWSAccount research yet." in message
        assert "create it again with another accountRef" in message, "it cannot be corrected"
        there.apply(RESEARCH, research())
        await there.until_ready(POLICY, within=1)


async def test_an_account_stays_while_something_lives_in_it_and_names_it():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        there.apply(POLICY, manifests.policy(**REFERRING))
        await there.until_ready(POLICY)
        there.kube.remove(RESEARCH)
        message = await there.until(RESEARCH, "DeletionBlocked", "StillInUse")
        assert "SchedulingPolicy science/fair" in message
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, RESEARCH, within=5)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"] == []


async def test_an_account_that_nobody_uses_goes_at_once_even_if_it_cannot_be_entered():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        await there.until_ready(RESEARCH)
        there.fault(effect="deny", service="sts")
        there.kube.remove(RESEARCH)
        await there.until_gone(RESEARCH, within=1)


async def test_deletion_in_an_account_that_cannot_be_used_is_blocked_until_it_can():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        there.apply(POLICY, manifests.policy(**REFERRING))
        await there.until_ready(POLICY)
        there.apply(RESEARCH, research(allowedNamespaces={"names": ["other"]}))
        there.kube.remove(POLICY)
        message = await there.until(POLICY, "DeletionBlocked", "AccountUnavailable")
        assert "does not serve the namespace" in message
        there.apply(RESEARCH, research())
        await there.until_gone(POLICY, within=5)


async def test_nothing_new_is_made_in_an_account_that_is_going():
    there = Installation()
    second = ObjectKey("SchedulingPolicy", NAMESPACE, "second")
    async with there.running():
        there.apply(RESEARCH, research())
        there.apply(POLICY, manifests.policy(**REFERRING))
        await there.until_ready(POLICY)
        there.kube.remove(RESEARCH)
        await there.until(RESEARCH, "DeletionBlocked")
        there.calls.clear()
        there.apply(second, manifests.policy(**REFERRING))
        message = await there.until(second, "Reconciling", "ReferenceNotReady")
        assert "AWSAccount research is being deleted" in message
        assert there.changes() == []


async def test_nothing_is_deleted_where_the_account_leads_elsewhere_now():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research())
        there.apply(POLICY, manifests.policy(**REFERRING))
        await there.until_ready(POLICY)
        there.apply(RESEARCH, research(roleArn=f"arn:aws:iam::{THEIRS}:role/batch-operator"))
        await there.until_ready(RESEARCH)
        there.kube.remove(POLICY)
        message = await there.until(POLICY, "DeletionBlocked", "AccountUnavailable")
        assert f"lives in the AWS account {ACCOUNT}" in message
        assert THEIRS in message
        there.apply(RESEARCH, research())
        await there.until_gone(POLICY, within=5)


async def test_another_account_region_or_name_later_is_stalled_without_a_call():
    there = Installation()
    async with there.running():
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        # A role in another account under the name that everybody without an accountRef uses.
        there.apply(DEFAULT_ACCOUNT, {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"})
        await there.until_ready(DEFAULT_ACCOUNT)
        message = await there.until(POLICY, "Stalled", "ScopeChanged")
        assert f"account {ACCOUNT}, today it would be {THEIRS}" in message
        there.calls.clear()
        await there.clock.advance(100)
        assert there.changes() == []  # polls go on: others may live there
        there.kube.remove(DEFAULT_ACCOUNT)
        await there.until_ready(POLICY)


async def test_what_was_made_as_ourselves_is_deleted_as_ourselves_whatever_the_default_is_today():
    there = Installation()
    async with there.running():
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        there.apply(DEFAULT_ACCOUNT, {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"})
        await there.until(POLICY, "Stalled", "ScopeChanged")
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"] == []


async def test_a_reference_into_another_account_is_refused():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(roleArn=f"arn:aws:iam::{THEIRS}:role/batch-operator"))
        there.apply(ENVIRONMENT, manifests.environment())
        there.apply(QUEUE, manifests.queue() | REFERRING)
        message = await there.until(QUEUE, "Stalled", "ReferenceElsewhere")
    assert f"ComputeEnvironment {NAMESPACE}/pool is in account {ACCOUNT}" in message


async def test_an_edited_record_stalls_the_object_and_is_made_good_by_removing_it():
    there = Installation()
    async with there.running():
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        there.kube.annotate(POLICY, **{"awsbatch.dev/resolved": '{"account": 7}'})
        await there.until(POLICY, "Stalled", "InvalidRecord")
        there.kube.annotate(POLICY, **{"awsbatch.dev/resolved": None})
        await there.until_ready(POLICY)


async def test_a_record_edited_to_another_account_opens_nothing():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(allowedNamespaces={"names": ["other"]}))
        there.apply(POLICY, manifests.policy())
        await there.until_ready(RESEARCH, POLICY)
        record = (
            '{"account":"research","accountId":"111122223333","region":"eu-central-1",'
            '"awsName":"victim"}'
        )
        there.aws().create_scheduling_policy(name="victim", fairsharePolicy={})
        there.kube.annotate(POLICY, **{"awsbatch.dev/resolved": record})
        await there.until(POLICY, "Stalled", "ScopeChanged")
        there.kube.remove(POLICY)
        await there.until(POLICY, "DeletionBlocked", "AccountUnavailable")
    names = [
        policy["arn"].rpartition("/")[2]
        for policy in there.aws().list_scheduling_policies()["schedulingPolicies"]
    ]
    assert "victim" in names


async def test_what_lost_its_record_is_deleted_to_the_end_in_the_account_that_its_status_shows():
    """A deletion takes several turns, and the first of them writes the record again."""
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"})
        profile = f"arn:aws:iam::{THEIRS}:instance-profile/ecsInstanceRole"
        there.apply(ENVIRONMENT, manifests.environment(instanceRole=profile))
        await there.until_ready(DEFAULT_ACCOUNT, ENVIRONMENT, within=900)
    there.kube.annotate(ENVIRONMENT, **{RESOLVED: None})
    there.kube.remove(ENVIRONMENT)
    async with there.running():
        await there.until_gone(ENVIRONMENT, within=900)


async def test_an_account_stays_while_what_lost_its_record_may_live_in_it():
    there = Installation()
    async with there.running():
        there.apply(RESEARCH, research(roleArn=f"arn:aws:iam::{THEIRS}:role/batch-operator"))
        there.apply(DEFAULT_ACCOUNT, {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"})
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        body = there.kube.objects.get(POLICY)
        there.kube.objects.save(POLICY, {**body, "spec": {"unheard": 1}})  # ends each of its turns
        await there.until(POLICY, "Stalled", "InvalidSpec")
        there.kube.annotate(POLICY, **{RESOLVED: None})
        there.kube.remove(DEFAULT_ACCOUNT)
        message = await there.until(DEFAULT_ACCOUNT, "DeletionBlocked", "StillInUse")
        assert "SchedulingPolicy science/fair" in message
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, DEFAULT_ACCOUNT)


async def test_kubectl_replace_does_not_let_what_stands_elsewhere_be_made_anew():
    """It takes the record and the finalizer; what it was made in stands in the status."""
    there = Installation()
    async with there.running():
        there.apply(POLICY, manifests.policy())
        await there.until_ready(POLICY)
        there.apply(DEFAULT_ACCOUNT, {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"})
        await there.until(POLICY, "Stalled", "ScopeChanged")
        there.kube.annotate(POLICY, **{RESOLVED: None})
        there.kube.strip_finalizers(POLICY)
        await there.clock.advance(60)
        assert there.is_true(POLICY, "Stalled", "ScopeChanged")
        assert there.calls.count("batch:CreateSchedulingPolicy") == 1
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"] == []
