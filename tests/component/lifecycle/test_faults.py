"""Conformance: AWS throttles, fails, loses answers, lags and refuses; nothing doubles or leaks."""

import pytest
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import RECONCILE_AT

CREATING = [
    "CreateComputeEnvironment",
    "CreateJobQueue",
    "CreateSchedulingPolicy",
    "RegisterJobDefinition",
]
DELETING = [
    "UpdateComputeEnvironment",
    "DeleteComputeEnvironment",
    "UpdateJobQueue",
    "DeleteJobQueue",
    "DeleteSchedulingPolicy",
    "DeregisterJobDefinition",
]


def in_aws(there):
    aws = there.aws()
    return (
        len(aws.describe_compute_environments()["computeEnvironments"]),
        len(aws.describe_job_queues()["jobQueues"]),
        len(aws.list_scheduling_policies()["schedulingPolicies"]),
        len(aws.describe_job_definitions(status="ACTIVE")["jobDefinitions"]),
    )


async def applied(there):
    for key in LASTING:
        there.apply(key, SPECS[key])
    await there.until_ready(*LASTING, within=900)


async def removed(there):
    for key in LASTING:
        there.kube.remove(key)
    await there.until_gone(*LASTING, within=900)


@pytest.mark.parametrize("effect", ["drop_before", "drop_after", "error", "throttle"])
async def test_every_creation_may_go_wrong_once_and_ends_in_one_object(effect):
    there = Installation()
    for operation in CREATING:
        there.fault(effect=effect, service="batch", operation=operation, times=1)
    async with there.running():
        await applied(there)
    assert in_aws(there) == (1, 1, 1, 1)


@pytest.mark.parametrize("effect", ["drop_before", "drop_after"])
async def test_every_step_of_a_deletion_may_go_wrong_once_and_nothing_is_left(effect):
    there = Installation()
    async with there.running():
        await applied(there)
        for operation in DELETING:
            there.fault(effect=effect, service="batch", operation=operation, times=1)
        await removed(there)
    assert in_aws(there) == (0, 0, 0, 0)


async def test_every_read_may_fail_once_on_the_way():
    there = Installation()
    there.fault(effect="error", service="batch", operation="Describe*", times=20)
    there.fault(effect="drop_before", service="batch", operation="List*", times=5)
    async with there.running():
        await applied(there)
        await removed(there)
    assert in_aws(there) == (0, 0, 0, 0)


async def test_what_aws_does_not_show_at_once_is_not_made_twice():
    there = Installation()
    there.lagging.seconds = 12
    async with there.running():
        await applied(there)
        await there.clock.advance(60)
    assert there.lagging.hidden > 4
    assert in_aws(there) == (1, 1, 1, 1)
    assert there.status(DEFINITION)["revision"] == 1


async def test_a_deletion_waits_for_what_a_lost_answer_may_have_made():
    there = Installation()
    there.lagging.seconds = 12
    there.fault(effect="drop_after", service="batch", operation="CreateSchedulingPolicy", times=1)
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until(POLICY, "Reconciling", "OutcomeUnknown")
        there.kube.remove(POLICY)
        await there.until(POLICY, "Reconciling", "Settling")
        await there.until_gone(POLICY)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"] == []


async def test_a_deletion_waits_also_when_the_creation_was_refused_for_long_before_that():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until(POLICY, "Stalled", "PermissionDenied")
        await there.clock.advance(300)
        there.mend()
        there.lagging.seconds = 12
        lost = {"service": "batch", "operation": "CreateSchedulingPolicy", "times": 1}
        there.fault(effect="drop_after", **lost)
        there.kube.annotate(POLICY, **{RECONCILE_AT: "now"})
        await there.until(POLICY, "Reconciling", "OutcomeUnknown")
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
    assert there.aws().list_scheduling_policies()["schedulingPolicies"] == []


async def test_a_lost_answer_is_said_and_looked_up_before_anything_is_repeated():
    there = Installation()
    there.fault(effect="drop_after", service="batch", operation="CreateSchedulingPolicy", times=1)
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        message = await there.until(POLICY, "Reconciling", "OutcomeUnknown")
        assert "CreateSchedulingPolicy" in message
        await there.until_ready(POLICY)
        await there.clock.advance(1)
    assert there.changes() == ["batch:CreateSchedulingPolicy"]
    assert "OutcomeUnknown" in [reason for reason, _ in there.events(POLICY)]


async def test_a_denied_permission_names_action_and_identity_and_heals_by_itself():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        message = await there.until(POLICY, "Stalled", "PermissionDenied")
        assert "batch:CreateSchedulingPolicy" in message
        assert "to arn:aws:iam::111122223333:user/sandbox:" in message
        assert "deploy/iam" in message
        await there.clock.advance(1)
        assert there.events(POLICY)[-1][0] == "PermissionDenied"
        await there.clock.advance(1800)
        refused = len(there.changes())
        await there.clock.advance(500)
        assert len(there.changes()) <= refused + 2
        there.mend()
        await there.until_ready(POLICY, within=900)


async def test_a_denied_permission_is_tried_again_at_once_when_the_object_changes():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until(POLICY, "Stalled", "PermissionDenied")
        there.mend()
        there.kube.annotate(POLICY, **{"awsbatch.dev/reconcile-at": "now"})
        await there.until_ready(POLICY, within=1)


async def test_what_aws_finds_invalid_is_stalled_with_its_own_words_and_heals_with_the_spec():
    there = Installation()
    there.fault(
        effect="error",
        service="batch",
        operation="CreateSchedulingPolicy",
        code="ClientException",
        status=400,
        message="Share identifiers overlap",
        match={"fairsharePolicy.shareDecaySeconds": "600"},
    )
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        message = await there.until(POLICY, "Stalled", "InvalidRequest")
        assert message.startswith("CreateSchedulingPolicy: ")
        assert "Share identifiers overlap" in message
        assert "Correct the spec" in message
        there.apply(POLICY, {"fairsharePolicy": {"shareDecaySeconds": 60}})
        await there.until_ready(POLICY, within=10)


async def test_an_environment_that_aws_calls_invalid_says_why_and_can_be_deleted():
    there = Installation()
    spec = SPECS[ENVIRONMENT]
    wrong = {**spec, "computeResources": {**spec["computeResources"], "subnets": ["subnet-none"]}}
    async with there.running():
        there.apply(ENVIRONMENT, wrong)
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        assert "The subnet ID 'subnet-none' does not exist" in message
        there.kube.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert in_aws(there)[0] == 0


async def test_a_storm_of_throttling_leads_to_few_calls_and_passes():
    there = Installation()
    there.fault(effect="throttle", service="batch")
    async with there.running():
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until(POLICY, "Reconciling", "Throttled")
        there.calls.clear()
        await there.clock.advance(600)
        assert len(there.calls) < 600
        there.mend()
        await there.until_ready(*LASTING, within=900)
    assert in_aws(there) == (1, 1, 1, 1)


async def test_what_stands_keeps_its_ready_through_a_hiccup():
    there = Installation()
    async with there.running():
        await applied(there)
        await there.clock.advance(60)
        versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
        there.fault(effect="error", service="batch", operation="Describe*", times=4)
        there.fault(effect="error", service="batch", operation="List*", times=4)
        await there.clock.advance(700)
    after = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
    assert after == versions


async def test_lasting_trouble_is_told_even_of_what_stands():
    there = Installation()
    async with there.running():
        await applied(there)
        there.fault(effect="error", service="batch", operation="Describe*")
        await there.clock.advance(700)
        await there.until(DEFINITION, "Reconciling", "AWSUnavailable")
        assert not there.is_true(DEFINITION, "Ready")
        there.mend()
        await there.until_ready(*LASTING, within=900)


async def test_a_deletion_that_is_denied_is_blocked_and_goes_on_by_itself():
    there = Installation()
    async with there.running():
        await applied(there)
        there.fault(effect="deny", service="batch", operation="UpdateJobQueue")
        there.kube.remove(QUEUE)
        message = await there.until(QUEUE, "DeletionBlocked", "PermissionDenied")
        assert "batch:UpdateJobQueue" in message
        there.mend()
        await there.until_gone(QUEUE, within=900)
