"""Job definitions: revisions, look-up, limits."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, serverless

SIZES = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
CONTAINER = {"image": "busybox", "resourceRequirements": SIZES}
NODES = {
    "numNodes": 2,
    "mainNode": 0,
    "nodeRangeProperties": [{"targetNodes": "0:1", "container": CONTAINER}],
}


def found(cloud: Cloud, **request: Any) -> list[str]:
    definitions = cloud("DescribeJobDefinitions", **request)["jobDefinitions"]
    return [f"{each['jobDefinitionName']}:{each['revision']}" for each in definitions]


def test_each_registration_is_a_revision_even_of_the_same_content():
    cloud = Cloud()
    arns = [cloud.definition(), cloud.definition()]
    prefix = "arn:aws:batch:eu-central-1:111122223333:job-definition/simulate"
    assert arns == [f"{prefix}:1", f"{prefix}:2"]


def test_revisions_are_never_counted_back():
    cloud = Cloud()
    arn = cloud.definition()
    cloud("DeregisterJobDefinition", jobDefinition=arn)
    cloud.step(181 * 86_400)
    assert found(cloud) == []
    assert cloud.definition().endswith(":2")


def test_definitions_are_found_by_every_selector():
    cloud = Cloud()
    arns = [cloud.definition("a"), cloud.definition("a"), cloud.definition("b")]
    cloud("DeregisterJobDefinition", jobDefinition="a:1")
    assert sorted(found(cloud, jobDefinitionName="a")) == ["a:1", "a:2"]
    assert found(cloud, jobDefinitionName="a", status="ACTIVE") == ["a:2"]
    assert found(cloud, status="INACTIVE") == ["a:1"]
    assert found(cloud, jobDefinitions=["b:1", arns[0], "a:9"]) == ["b:1", "a:1"]
    assert found(cloud, jobDefinitionName="nobody") == []
    refusal = cloud.refused("DescribeJobDefinitions", jobDefinitions=["a:1"], status="ACTIVE")
    assert "can't be used with other parameters" in refusal


def revisions(cloud: Cloud, size: int) -> list[int]:
    """All revisions of `a` in the order in which pages of that size have them."""
    request: dict[str, Any] = {"jobDefinitionName": "a", "maxResults": size}
    seen: list[int] = []
    while True:
        answer = cloud("DescribeJobDefinitions", **request)
        assert len(answer["jobDefinitions"]) <= size
        seen += [each["revision"] for each in answer["jobDefinitions"]]
        if "nextToken" not in answer:
            return seen
        request["nextToken"] = answer["nextToken"]


def test_definitions_come_in_pages_and_in_no_order_that_anybody_could_rely_on():
    """DescribeJobDefinitions names no order."""
    cloud = Cloud()
    for _ in range(9):
        cloud.definition("a")
    whole = revisions(cloud, 100)
    assert sorted(whole) == list(range(1, 10))
    assert whole not in (sorted(whole), sorted(whole, reverse=True))
    assert revisions(cloud, 2) == whole


def test_a_bare_name_means_the_newest_revision_to_submissions_and_nothing_to_all_others():
    """As SubmitJob, DescribeJobDefinitions and DeregisterJobDefinition say of their members.

    boto/boto3#2908 met it: jobDefinitions finds nothing by a name without a revision.
    """
    cloud = serverless()
    arn = cloud.definition("a")
    cloud.submit(definition="a")
    cloud.submit(definition=arn.rpartition(":")[0])
    assert found(cloud, jobDefinitions=["a", arn.rpartition(":")[0]]) == []
    assert found(cloud, jobDefinitions=["a:1"]) == found(cloud, jobDefinitions=[arn]) == ["a:1"]
    assert found(cloud, jobDefinitionName="a") == ["a:1"]
    assert found(cloud, jobDefinitionName="a:1") == found(cloud, jobDefinitionName=arn) == []
    for bare in ("a", arn.rpartition(":")[0]):
        assert "does not exist" in cloud.refused("DeregisterJobDefinition", jobDefinition=bare)


def rule(**fields: str) -> dict[str, Any]:
    return {"attempts": 2, "evaluateOnExit": [{"action": "EXIT"} | fields]}


def register(cloud: Cloud, **fields: Any) -> str:
    request = {"jobDefinitionName": "a", "type": "container", "containerProperties": CONTAINER}
    given = {name: value for name, value in (request | fields).items() if value is not None}
    return cloud.refused("RegisterJobDefinition", **given)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"jobDefinitionName": "a.b"}, "jobDefinitionName can be up to 128"),
        ({"type": "odd"}, "satisfy enum value set: [container, multinode]"),
        ({"type": "multinode"}, "multinode cannot have containerProperties"),
        ({"containerProperties": None}, "Exactly one of"),
        ({"nodeProperties": NODES}, "Exactly one of"),
        ({"retryStrategy": {"attempts": 11}}, "between 1 and 10"),
        ({"retryStrategy": {"evaluateOnExit": [{"action": "EXIT", "onReason": "*"}]}},
         "attempts must be specified"),
        ({"retryStrategy": rule(action="stop", onReason="")}, "enum value set: [RETRY, EXIT]"),
        ({"retryStrategy": rule(onExitCode="x")}, "onExitCode does not match"),
        ({"timeout": {"attemptDurationSeconds": 59}}, "at least 60 seconds"),
        ({"schedulingPriority": 10_000}, "between 0 and 9999"),
        ({"parameters": {"p": "x" * 25_000}}, "must be less than 24 KiB, got 25 KiB"),
        ({"containerProperties": {"resourceRequirements": SIZES}}, "image must be specified"),
        ({"containerProperties": {"image": "b"}}, "vCPU is not provided."),
        ({"containerProperties": CONTAINER | {"vcpus": 1}}, "vcpus and resourceRequirements VCPU"),
        ({"containerProperties": CONTAINER | {"environment": [{"name": "AWS_BATCH_X"}]}},
         "cannot start with AWS_BATCH"),
        ({"platformCapabilities": ["FARGATE"]}, "need an executionRoleArn"),
        ({"type": "multinode", "containerProperties": None,
          "nodeProperties": NODES | {"mainNode": 2}}, "mainNode must be smaller"),
    ],
)  # fmt: skip
def test_what_registration_refuses(fields, message):
    assert message in register(Cloud(), **fields)


def test_a_job_uses_the_latest_active_revision_unless_it_names_one():
    cloud = serverless()
    cloud.definition(container={"command": ["two"]})
    cloud.definition(container={"command": ["three"]})
    cloud("DeregisterJobDefinition", jobDefinition="simulate:3")
    commands = [
        cloud.job(cloud.submit(definition=reference))["container"]["command"]
        for reference in ("simulate", "simulate:1")
    ]
    assert commands == [["two"], ["echo", "hello"]]
    for reference, message in (("simulate:3", "is INACTIVE"), ("nobody", "not found")):
        request = {"jobName": "a", "jobQueue": "main", "jobDefinition": reference}
        assert message in cloud.refused("SubmitJob", **request)
