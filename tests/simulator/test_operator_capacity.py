"""The operator's ports of EC2 and ECS over the simulator: both mean the same AWS."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest
from tests.support.simulated_account import CLUSTER, ENVIRONMENT, Account
from tests.support.simulated_aws import any_image

from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.limits import PUBLISHED
from awsbatch_simulator.limits import request_buckets

TAGS = {**Owner(CLUSTER, ENVIRONMENT, "uid").tags(), "awsbatch.dev/intent": "token-1"}
QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"


@pytest.fixture(scope="module")
def loader() -> Any:
    return botocore.session.Session().get_component("data_loader")


@pytest.fixture
async def account(loader: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    made = Account(loader)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", made.simulator.key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made.simulator.key.secret_access_key)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    # The images that there are take a fifth of a second to read.
    monkeypatch.setattr(type(made.world.lookup), "public_image", any_image)
    pollers = asyncio.create_task(made.aws.run())
    yield made
    pollers.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pollers


def launch(*, count: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "ImageId": "ami-1",
        "InstanceType": "m5.large",
        "SubnetId": "subnet-1",
        "MinCount": count,
        "MaxCount": count,
        "ClientToken": "token-1",
        "TagSpecifications": [
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
            }
        ],
        **more,
    }


async def test_instances_come_to_be_and_go_and_their_owner_hears_of_it(account):
    ec2, scope = account.aws.ec2, account.scope
    assert not await ec2.instances(scope, "uid")
    await ec2.change(scope, "RunInstances", launch(count=2))
    first, second = await ec2.instances(scope, "uid")
    assert first["InstanceType"] == second["InstanceType"] == "m5.large"
    assert len(await ec2.launched_by(scope, "token-1")) == 2
    await account.clock.advance(60)
    assert ENVIRONMENT in account.woken
    states = {each["State"]["Name"] for each in await ec2.instances(scope, "uid")}
    assert states == {"running"}
    ids = [first["InstanceId"], second["InstanceId"]]
    await ec2.change(scope, "TerminateInstances", {"InstanceIds": ids})
    await account.clock.advance(60)
    states = {each["State"]["Name"] for each in await ec2.instances(scope, "uid")}
    assert states == {"terminated"}


async def test_a_token_launches_once_and_another_request_by_it_is_refused(account):
    ec2, scope = account.aws.ec2, account.scope
    request = launch()
    await ec2.change(scope, "RunInstances", request)
    await ec2.change(scope, "RunInstances", request)
    assert len(await ec2.launched_by(scope, "token-1")) == 1
    with pytest.raises(AwsError) as caught:
        await ec2.change(scope, "RunInstances", {**request, "InstanceType": "m5.xlarge"})
    assert (caught.value.kind, caught.value.code) == (
        ErrorKind.INVALID,
        "IdempotentParameterMismatch",
    )


async def test_a_trial_launches_nothing(account):
    ec2, scope = account.aws.ec2, account.scope
    await ec2.dry_run(scope, "RunInstances", launch())
    assert await ec2.launched_by(scope, "token-1") == []


async def test_a_spot_block_is_refused_as_ec2_refuses_it_since_2022(account):
    options = {"BlockDurationMinutes": 60}
    market = {"MarketType": "spot", "SpotOptions": options}
    request = launch(InstanceMarketOptions=market)
    with pytest.raises(AwsError, match="BlockDurationMinutes") as caught:
        await account.aws.ec2.change(account.scope, "RunInstances", request)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.INVALID, "InvalidParameterValue")


async def test_a_cluster_that_ecs_does_not_know_has_no_container_instances(account):
    arn = "arn:aws:ecs:eu-central-1:111122223333:cluster/none"
    assert not await account.aws.ecs.container_instances(account.scope, arn)
    with pytest.raises(AwsError) as caught:
        await account.aws.ecs.change(
            account.scope,
            "DeregisterContainerInstance",
            {"cluster": arn, "containerInstance": "a", "force": True},
        )
    assert caught.value.kind is ErrorKind.NOT_FOUND


async def test_in_a_queue_that_batch_does_not_know_nothing_waits(account):
    assert not await account.batch.waiting_jobs(account.scope, QUEUE)


def test_no_limit_of_ours_is_above_what_aws_allows():
    buckets = {name: (name.partition(":")[0], each) for name, each in request_buckets().items()}
    for call in CALLS:
        ours = next(
            limit
            for limit in PUBLISHED
            if limit.service == call.service
            and any(fnmatchcase(call.operation, glob) for glob in limit.operations)
        )
        allowed = [
            bucket
            for service, bucket in buckets.values()
            if service == call.service
            and any(fnmatchcase(call.operation, glob) for glob in bucket.operations)
            and bucket.only == "all"
        ]
        if allowed:
            assert ours.rate.per_second <= allowed[0].rate, call.name
            assert ours.rate.burst <= allowed[0].burst, call.name
