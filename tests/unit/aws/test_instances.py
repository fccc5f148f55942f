"""Instances as EC2 sees them: one walk a minute for all, faster while something moves."""

import asyncio
import base64
import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.stub_aws import Refused
from tests.unit.aws.capacity_requests import FLEET, LAUNCH, TAGS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws import instances
from awsbatch_operator.aws.ec2 import CONSOLE_LIMIT
from awsbatch_operator.aws.errors import AwsError, ErrorKind

SCOPE = Scope("111122223333", "eu-central-1")
OWNER = ObjectKey("ComputeEnvironment", "ns", "e")
LAUNCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def instance(number: int, *, uid: str = "u", state: str = "running", **more: Any) -> dict:
    tags = {**Owner("c1", OWNER, uid).tags(), "awsbatch.dev/intent": "t"}
    return {
        "InstanceId": f"i-{number}",
        "State": {"Name": state},
        "LaunchTime": LAUNCHED,
        "KeyName": "not kept",
        "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
        **more,
    }


class Ec2:
    """What EC2 has, which a test changes, and the operator's AWS side over it."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.clock, self.port = bench, bench.clock, bench.aws.ec2
        self.instances: list[dict] = []
        bench.stub.answers["DescribeInstances"] = self._describe

    def _describe(self, asked: dict) -> dict:
        filters = {each["Name"]: each["Values"] for each in asked["Filters"]}
        assert filters.pop("tag:awsbatch.dev/cluster") == ["c1"]
        found = [
            each
            for each in self.instances
            if all(
                any(f"tag:{tag['Key']}" == name and tag["Value"] in values for tag in each["Tags"])
                for name, values in filters.items()
            )
        ]
        at = int(asked.get("NextToken", 0))
        page, size = found[at : at + asked["MaxResults"]], asked["MaxResults"]
        answer = {"Reservations": [{"Instances": [each]} for each in page]}
        return answer | ({"NextToken": str(at + size)} if at + size < len(found) else {})

    async def calls_in(self, seconds: float) -> int:
        self.bench.stub.sent.clear()
        await self.clock.advance(seconds)
        return len(self.bench.stub.sent)


@pytest.fixture
async def ec2(bench: Any):
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield Ec2(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def read(ec2: Ec2) -> None:
    await ec2.port.instances(SCOPE, "u")
    await ec2.clock.advance(60)
    ec2.bench.stub.sent.clear()
    ec2.bench.woken.clear()


async def test_at_rest_all_instances_of_a_scope_are_read_by_one_call_a_minute(ec2):
    ec2.instances = [instance(number, uid=f"u{number % 20}") for number in range(40)]
    await read(ec2)
    for number in range(20):
        assert len(await ec2.port.instances(SCOPE, f"u{number}")) == 2
    assert not await ec2.port.instances(SCOPE, "nobody")
    assert len(await ec2.port.all_instances(SCOPE)) == 40
    assert ec2.bench.stub.sent == []
    assert await ec2.calls_in(180) == 3


async def test_more_instances_than_a_page_are_read_page_by_page(ec2, monkeypatch):
    monkeypatch.setattr(instances, "PAGE", 10)
    ec2.instances = [instance(number) for number in range(21)]
    await read(ec2)
    assert len(await ec2.port.instances(SCOPE, "u")) == 21
    assert await ec2.calls_in(60) == 3


async def test_many_pages_are_read_less_often_whatever_goes_on(ec2, monkeypatch):
    monkeypatch.setattr(instances, "PAGE", 1)
    ec2.instances = [instance(number, state="pending") for number in range(5)]
    await read(ec2)
    assert await ec2.calls_in(30) == 5 * 3


@pytest.mark.parametrize("state", ["pending", "stopping", "shutting-down"])
async def test_while_ec2_works_on_an_instance_they_are_read_every_five_seconds(ec2, state):
    ec2.instances = [instance(1, state=state)]
    await read(ec2)
    assert await ec2.calls_in(20) == 4
    ec2.instances = [instance(1, state="terminated")]
    await ec2.clock.advance(60)
    assert await ec2.calls_in(120) == 2


async def test_what_is_expected_is_looked_for_often_and_only_for_so_long(ec2):
    await read(ec2)
    ec2.port.expect(SCOPE, 40)
    assert await ec2.calls_in(40) == 8
    assert await ec2.calls_in(60) == 1


async def test_the_owner_hears_when_its_instance_ends_or_is_seen_first(ec2):
    await read(ec2)
    ec2.instances = [instance(1)]
    await ec2.clock.advance(60)
    assert ec2.bench.woken == [OWNER]
    ec2.bench.woken.clear()
    ec2.instances = [instance(1, KeyName="differs, and is nothing to us")]
    await ec2.clock.advance(60)
    assert ec2.bench.woken == []
    reason = {"Code": "Server.SpotInstanceTermination", "Message": "taken away"}
    ec2.instances = [instance(1, state="terminated", StateReason=reason)]
    await ec2.clock.advance(60)
    assert ec2.bench.woken == [OWNER]
    [shown] = await ec2.port.instances(SCOPE, "u")
    assert shown["StateReason"] == reason
    assert shown["LaunchTime"] == "2026-01-02T03:04:05Z"
    assert "KeyName" not in shown


@pytest.mark.parametrize(
    ("operation", "request_", "asks"),
    [
        ("CreateFleet", {**FLEET, "TagSpecifications": TAGS}, {"u"}),
        ("RunInstances", LAUNCH, {"u"}),
        ("CreateFleet", FLEET, {"u", "v"}),
        ("TerminateInstances", {"InstanceIds": ["i-1"]}, {"u"}),
        ("TerminateInstances", {"InstanceIds": ["i-1", "i-2"]}, {"u", "v"}),
        ("TerminateInstances", {"InstanceIds": ["i-1", "i-unknown"]}, {"u", "v"}),
        ("DeleteLaunchTemplate", {"LaunchTemplateId": "lt-1"}, set()),
    ],
)
async def test_after_a_change_aws_is_asked_about_what_it_touched(ec2, operation, request_, asks):
    ec2.instances = [instance(1), instance(2, uid="v")]
    await read(ec2)
    await ec2.port.change(SCOPE, operation, request_)
    ec2.bench.stub.sent.clear()
    asked = set()
    for uid in ("u", "v"):
        await ec2.port.instances(SCOPE, uid)
        asked |= {uid} if ec2.bench.stub.sent else set()
        ec2.bench.stub.sent.clear()
    assert asked == asks


async def test_the_instances_of_an_intent_are_always_asked_of_aws(ec2):
    ec2.instances = [instance(1), {**instance(2), "Tags": instance(2)["Tags"][:-1]}]
    await read(ec2)
    found = await ec2.port.launched_by(SCOPE, "t")
    assert [each["InstanceId"] for each in found] == ["i-1"]
    assert await ec2.port.launched_by(SCOPE, "another") == []
    assert ec2.bench.stub.operations() == ["DescribeInstances"] * 2


@pytest.mark.parametrize(
    "operation",
    ["RunInstances", "CreateFleet", "CreateLaunchTemplate", "CreateCapacityReservation"],
)
async def test_nothing_is_made_without_a_client_token_of_ours(ec2, operation):
    with pytest.raises(ValueError, match="ClientToken"):
        await ec2.port.change(SCOPE, operation, {})
    assert ec2.bench.stub.sent == []


async def test_what_a_fleet_could_not_get_is_told_by_code_and_offer(ec2):
    said = "none left (Service: AmazonEC2; Request ID: 6c6b1a5f-9d3e-4c55-8c0b-0f2f7b1f3a11)"
    offer = {"Overrides": {"InstanceType": "m5.large", "SubnetId": "subnet-1"}}
    error = {
        "LaunchTemplateAndOverrides": offer,
        "ErrorCode": "InsufficientInstanceCapacity",
        "ErrorMessage": said,
    }
    ec2.bench.stub.answers["CreateFleet"] = lambda _: {"FleetId": "f", "Errors": [error]}
    [told] = (await ec2.port.change(SCOPE, "CreateFleet", FLEET))["Errors"]
    assert told["ErrorCode"] == "InsufficientInstanceCapacity"
    assert told["LaunchTemplateAndOverrides"] == offer
    assert "6c6b1a5f" not in told["ErrorMessage"]


async def test_where_there_is_no_capacity_nothing_was_launched_whatever_the_status(ec2):
    """EC2 answers this with a 500."""

    def refused(_):
        raise Refused("InsufficientInstanceCapacity", "We have none", 500)

    ec2.bench.stub.answers["RunInstances"] = refused
    with pytest.raises(AwsError) as caught:
        await ec2.port.change(SCOPE, "RunInstances", LAUNCH)
    assert caught.value.kind is ErrorKind.CAPACITY
    assert caught.value.code == "InsufficientInstanceCapacity"
    assert not caught.value.outcome_unknown


USER = "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: "


@pytest.mark.parametrize(
    ("named", "action"), [(f"{USER}iam:PassRole. ", "iam:PassRole"), ("", "ec2:CreateFleet")]
)
async def test_a_denied_trial_names_the_action_or_how_to_learn_it(ec2, named, action):
    def denied(number):
        def refused(_):
            blob = f"{number}MxWq-_" * 50
            raise Refused(
                "UnauthorizedOperation",
                f"You are not authorized to perform this operation. {named}"
                f"Encoded authorization failure message: {blob}",
                403,
            )

        return refused

    told = []
    for number in (1, 2):
        ec2.bench.stub.answers["CreateFleet"] = denied(number)
        with pytest.raises(AwsError) as caught:
            await ec2.port.dry_run(SCOPE, "CreateFleet", FLEET)
        assert caught.value.kind is ErrorKind.DENIED
        assert caught.value.action == action
        assert "MxWq" not in caught.value.message
        assert ("aws sts decode-authorization-message" in caught.value.message) is (not named)
        told.append(caught.value.message)
    assert told[0] == told[1]


async def test_a_trial_that_was_carried_out_is_no_yes(ec2):
    ec2.bench.stub.answers["CreateFleet"] = lambda _: {"FleetId": "f"}
    with pytest.raises(AwsError, match="only a trial"):
        await ec2.port.dry_run(SCOPE, "CreateFleet", FLEET)


async def test_the_console_is_shown_without_secrets_and_not_whole(ec2):
    def said(text: str) -> None:
        output = base64.b64encode(text.encode()).decode()
        ec2.bench.stub.answers["GetConsoleOutput"] = lambda _: {"Output": output}

    said("booting\nexport DB_PASSWORD=hunter22hunter22\nready\n")
    shown = await ec2.port.console_output(SCOPE, "i-1")
    assert "hunter22" not in shown
    assert shown.startswith("booting\n")
    assert shown.endswith("ready\n")
    said("old\n" + "x" * 80 + "\n" + "line\n" * CONSOLE_LIMIT)
    shown = await ec2.port.console_output(SCOPE, "i-1")
    assert len(shown) <= CONSOLE_LIMIT
    assert shown.startswith("line\n")
    ec2.bench.stub.answers["GetConsoleOutput"] = lambda _: {}
    assert await ec2.port.console_output(SCOPE, "i-1") == ""


async def test_of_the_console_the_latest_is_asked_for_or_where_there_is_none_what_is_posted(ec2):
    def answered(request: dict[str, Any]) -> dict[str, Any]:
        if request.get("Latest"):
            raise Refused("UnsupportedOperation", "Not on this type", 400)
        return {"Output": base64.b64encode(b"posted\n").decode()}

    ec2.bench.stub.answers["GetConsoleOutput"] = answered
    assert await ec2.port.console_output(SCOPE, "i-1") == "posted\n"
