"""Somebody removes in AWS what an object has there, and it cannot be made again."""

import pytest
from tests.component.batchjob.runs import ready
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, POLICY, QUEUE, SPECS

OF_AWS = {"arn", "awsStatus", "state", "statusReason", "revision", "contentHash"}
UNSEEN_SECONDS = 20.0  # AWS does it at once, as far as the operator's clock goes


def remove_policy(there: Installation) -> None:
    there.aws().delete_scheduling_policy(arn=there.status(POLICY)["arn"])


def remove_queue(there: Installation) -> None:
    name = there.status(QUEUE)["awsName"]
    there.aws().update_job_queue(jobQueue=name, state="DISABLED")
    there.simulator.world.advance(UNSEEN_SECONDS)
    there.aws().delete_job_queue(jobQueue=name)
    there.simulator.world.advance(UNSEEN_SECONDS)


def remove_definition(there: Installation) -> None:
    arn = there.status(DEFINITION)["arn"]
    there.aws().deregister_job_definition(jobDefinition=arn)


@pytest.mark.parametrize(
    ("key", "remove", "operation"),
    [
        (POLICY, remove_policy, "CreateSchedulingPolicy"),
        (QUEUE, remove_queue, "CreateJobQueue"),
        (DEFINITION, remove_definition, "RegisterJobDefinition"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_nothing_is_shown_of_what_aws_does_not_have_any_more(key, remove, operation):
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        await there.clock.advance(60)
        there.fault(effect="deny", service="batch", operation=operation)
        remove(there)
        await there.until(key, "Stalled", "PermissionDenied", within=900)
        assert not OF_AWS & there.status(key).keys()
        there.mend()
        await there.until_ready(key, within=900)
        assert "arn" in there.status(key)
