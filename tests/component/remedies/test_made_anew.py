"""An INVALID environment that no queue uses is made anew: once, whatever happens on the way."""

from typing import Any

import pytest
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, PROFILE, best_fit, environment
from tests.support.remedies.deeds import (
    MAKE_ROLE,
    OTHER_PROFILE,
    REMADE,
    ROLE,
    drop_cluster,
    with_role,
)
from tests.support.remedies.rows import made_again

from awsbatch_operator.api.metadata import PAUSED

CREATE = "batch:CreateComputeEnvironment"


async def test_an_environment_without_a_queue_whose_cluster_was_deleted_is_made_anew():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        there.calls.clear()
        await there.clock.run_until(lambda: len(there.changes()) == 3, within=600)
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == [f"batch:{operation}" for operation in REMADE]


async def test_no_environment_is_made_anew_over_and_over_for_one_and_the_same_spec():
    """Whatever the reason: here every new one loses its cluster at once."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        await there.clock.run_until(lambda: there.changes().count(CREATE) == 2, within=600)
        await drop_cluster(there)
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        await there.clock.advance(600)
        assert there.changes().count(CREATE) == 2
        assert "delete this object and create it again" in message
        await made_again(ENVIRONMENT, environment())(there)
        await there.until_ready(ENVIRONMENT)


@pytest.mark.parametrize("handover", [False, True], ids=["one operator", "then another"])
async def test_it_is_told_once_when_aws_has_confirmed_and_what_aws_refuses_then_is_said(handover):
    there = Installation()
    told = lambda: [note for reason, note in there.events(ENVIRONMENT) if reason == "Remade"]  # noqa: E731 - read again
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        for operation in ("DeleteComputeEnvironment", "CreateComputeEnvironment"):
            there.fault(effect="deny", service="batch", operation=operation)
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied", within=900)
        await there.clock.advance(1500)
        assert told() == []
        there.mend()
        there.fault(effect="deny", service="batch", operation="CreateComputeEnvironment")
        await there.clock.run_until(lambda: there.calls.count(CREATE) > 1, within=1800)
        await there.clock.advance(1)
        said = await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        assert "was deleted in AWS. AWS refuses to create it anew: AWS refuses batch:Create" in said
        assert "Grant the action" in said
        assert not {"arn", "awsStatus", "state", "ecsClusterArn"} & there.status(ENVIRONMENT).keys()
    async with there.running():
        await there.clock.advance(1500 if handover else 0)
        there.mend()
        await there.until_ready(ENVIRONMENT, within=1800)
    assert len(told()) == 1
    assert len(there.aws().describe_compute_environments()["computeEnvironments"]) == 1


async def test_what_is_being_made_anew_goes_on_after_a_crash_though_aws_calls_it_valid_by_then():
    """Disabled, it needs no subnet: AWS may well call it VALID. Only the record tells."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, best_fit(instanceRole=OTHER_PROFILE))
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        there.fault(effect="deny", service="batch", operation="DeleteComputeEnvironment")
        there.apply(ENVIRONMENT, best_fit())
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
    there.aws("iam").create_instance_profile(InstanceProfileName="other")
    await there.clock.advance(120)
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert (found["status"], found["state"]) == ("VALID", "DISABLED")
    there.mend()
    async with there.running():
        await there.until_ready(ENVIRONMENT)
    (made,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert made["computeResources"]["instanceRole"] == PROFILE
    assert made["uuid"] != found["uuid"]


async def test_a_queue_that_takes_the_environment_in_the_meantime_keeps_it():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, best_fit(instanceRole=OTHER_PROFILE))
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        there.fault(effect="deny", service="batch", operation="DeleteComputeEnvironment")
        there.apply(ENVIRONMENT, best_fit())
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        there.aws("iam").create_instance_profile(InstanceProfileName="other")
        await there.clock.advance(120)
        order = [{"order": 1, "computeEnvironment": there.status(ENVIRONMENT)["arn"]}]
        there.aws().create_job_queue(
            jobQueueName="theirs", priority=1, computeEnvironmentOrder=order
        )
        there.mend()
        there.calls.clear()
        await there.until(ENVIRONMENT, "Stalled", "ReplacementBlocked", within=900)
        await there.clock.advance(120)
    assert there.changes() == ["batch:UpdateComputeEnvironment"]
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert found["state"] == "ENABLED"


async def delete_by_hand(there: Installation) -> None:
    """Somebody deletes the environment, unseen by the operator."""
    there.kube.annotate(ENVIRONMENT, **{PAUSED: "true"})
    await there.clock.advance(30)
    name: dict[str, Any] = {"computeEnvironment": there.status(ENVIRONMENT)["awsName"]}
    there.aws().update_compute_environment(state="DISABLED", **name)
    await there.clock.advance(60)
    there.aws().delete_compute_environment(**name)
    await there.clock.advance(600)
    assert not there.aws().describe_compute_environments()["computeEnvironments"]


async def test_a_remaking_that_was_dropped_is_not_told_when_somebody_deletes_the_environment():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, best_fit(instanceRole=OTHER_PROFILE))
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        there.fault(effect="deny", service="batch", operation="DeleteComputeEnvironment")
        there.apply(ENVIRONMENT, best_fit())
        await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        there.aws("iam").create_instance_profile(InstanceProfileName="other")
        there.apply(ENVIRONMENT, best_fit(instanceRole=OTHER_PROFILE))
        await there.until_ready(ENVIRONMENT, within=1200)
        there.mend()
        await delete_by_hand(there)
        there.calls.clear()
        there.kube.annotate(ENVIRONMENT, **{PAUSED: None})
        await there.clock.run_until(lambda: CREATE in there.calls, within=600)
        await there.until_ready(ENVIRONMENT)
    assert "Remade" not in [reason for reason, _ in there.events(ENVIRONMENT)]


async def test_what_was_made_anew_once_is_not_called_invalid_when_somebody_deletes_it_later():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await drop_cluster(there)
        await there.clock.run_until(lambda: there.changes().count(CREATE) == 2, within=600)
        await there.until_ready(ENVIRONMENT)
        await there.clock.advance(600)
        await delete_by_hand(there)
        there.fault(effect="deny", service="batch", operation="CreateComputeEnvironment")
        there.kube.annotate(ENVIRONMENT, **{PAUSED: None})
        said = await there.until(ENVIRONMENT, "Stalled", "PermissionDenied", within=900)
    assert said.startswith("AWS refuses batch:CreateComputeEnvironment")


async def test_a_role_that_left_the_spec_stays_and_is_told():
    there = Installation()
    async with there.running():
        await MAKE_ROLE(there)
        there.apply(ENVIRONMENT, with_role())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        message = there.condition(ENVIRONMENT, "Ready")["message"]
        assert f"keeps {ROLE}" in message
        assert "Set the field again, or delete this object and create it again." in message
        await there.clock.advance(1)
        assert "LeftAsItIs" in [reason for reason, _ in there.events(ENVIRONMENT)]
        there.apply(ENVIRONMENT, with_role())
        await there.until_ready(ENVIRONMENT)
        assert "keeps" not in there.condition(ENVIRONMENT, "Ready")["message"]
        there.apply(ENVIRONMENT, environment())
        await made_again(ENVIRONMENT, environment())(there)
        await there.until_ready(ENVIRONMENT)
    assert "keeps" not in there.condition(ENVIRONMENT, "Ready")["message"]
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    assert "/aws-service-role/" in found["serviceRole"]
