"""Which instance a container instance is, and what that is: asked once, for many in a call."""

from typing import Any

import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError

SCOPE = Scope("111122223333", "eu-central-1")


def arn(number: int, cluster: str = "a") -> str:
    return f"arn:aws:ecs:eu-central-1:111122223333:container-instance/{cluster}/{number}"


def described(request: dict[str, Any]) -> dict[str, Any]:
    attributes = [
        {"name": "ecs.instance-type", "value": "m7i.large"},
        {"name": "ecs.capability.x", "value": ""},
    ]
    return {
        "containerInstances": [
            {
                "containerInstanceArn": each,
                "ec2InstanceId": f"i-{each[-1]}",
                "attributes": attributes,
            }
            for each in request["containerInstances"]
            if not each.endswith("/9")
        ]
    }


async def test_container_instances_are_described_by_cluster_once_for_a_day(bench):
    bench.stub.answers["DescribeContainerInstances"] = described
    ports = bench.aws.ecs
    wanted = [arn(1), arn(2), arn(1, "b"), arn(9)]
    found = await ports.container_instances_by_arn(SCOPE, wanted)
    assert {each: host["ec2InstanceId"] for each, host in found.items()} == {
        arn(1): "i-1", arn(2): "i-2", arn(1, "b"): "i-1"}  # fmt: skip
    assert [each["name"] for each in found[arn(1)]["attributes"]] == ["ecs.instance-type"]
    asked = [
        (request["cluster"], len(request["containerInstances"])) for _, request in bench.stub.sent
    ]
    assert asked == [("a", 3), ("b", 1)]
    await ports.container_instances_by_arn(SCOPE, wanted)
    assert len(bench.stub.sent) == 2


async def test_a_cluster_that_has_gone_takes_nobody_elses_answer_away(bench):
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["cluster"] == "a":
            raise Refused("ClusterNotFoundException")
        return described(request)

    bench.stub.answers["DescribeContainerInstances"] = answer
    found = await bench.aws.ecs.container_instances_by_arn(SCOPE, [arn(1), arn(1, "b")])
    assert set(found) == {arn(1, "b")}


async def test_an_arn_of_the_form_without_a_cluster_is_not_asked_about(bench):
    old = "arn:aws:ecs:eu-central-1:111122223333:container-instance/1"
    assert await bench.aws.ecs.container_instances_by_arn(SCOPE, [old]) == {}
    assert bench.stub.sent == []


async def test_instances_are_found_by_a_filter_that_bears_ids_which_are_gone(bench):
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        (by_id,) = request["Filters"]
        assert by_id["Name"] == "instance-id"
        found = [{"InstanceId": each, "InstanceType": "m7i.large", "KeyName": "k"}
                 for each in by_id["Values"] if each != "i-gone"]  # fmt: skip
        return {"Reservations": [{"Instances": found}]}

    bench.stub.answers["DescribeInstances"] = answer
    found = await bench.aws.ec2.instances_by_id(SCOPE, ["i-1", "i-gone"])
    assert found == {"i-1": {"InstanceType": "m7i.large"}}


async def test_what_is_denied_is_an_error(bench):
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise Refused("AccessDeniedException")

    bench.stub.answers["DescribeContainerInstances"] = refuse
    with pytest.raises(AwsError):
        await bench.aws.ecs.container_instances_by_arn(SCOPE, [arn(1)])
