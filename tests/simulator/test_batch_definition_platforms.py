"""What RegisterJobDefinition refuses, by platform and by kind of definition.

Sources: [bc] the text of botocore's model, shape and member; [tf] the acceptance tests of
hashicorp/terraform-provider-aws against the real service; [gh] an error quoted in a public report.
"""

import re
from typing import Any

import pytest
from tests.simulator.cloud import TASK_ROLE, Cloud, service_model
from tests.simulator.test_batch_definition_answers import (
    CONTAINER,
    FARGATE,
    NODES,
    SERVERLESS,
    SIZES,
    registration,
    stored,
)

from awsbatch_simulator.batch.container_rules import FARGATE_MEMORY


def sizes(vcpus: str, memory: str) -> list[dict[str, str]]:
    return [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]


def refused(properties: str, content: dict[str, Any], **fields: Any) -> str:
    return Cloud().refused("RegisterJobDefinition", **registration(properties, content, **fields))


def documented_sizes() -> dict[float, set[int]]:
    """[bc] ResourceRequirement.value, the part about VCPU."""
    member = service_model("batch").shape_for("ResourceRequirement").members["value"]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", member.documentation))
    text = text.partition('type="VCPU"')[2]
    rows = re.findall(r"value = ([\d.]+) +MEMORY = ([\d, or]+)", text)
    return {float(vcpus): {int(each) for each in re.findall(r"\d+", row)} for vcpus, row in rows}


def test_the_sizes_of_fargate_are_those_that_aws_documents():
    assert documented_sizes() == FARGATE_MEMORY
    assert max(FARGATE_MEMORY) == 32


@pytest.mark.parametrize(
    ("vcpus", "memory", "words"),
    [
        ("0.25", "512", None),
        ("1.0", "2048", None),  # [tf] ECSProperties_update sends "1.0"
        ("32", "249856", None),
        # [gh] terraform-aws-modules/terraform-aws-batch#6, Netflix/metaflow#749
        ("1", "1024", "Fargate resource requirements (1.00 vCPU, 1024 MiB) not valid."),
        ("1", "4000", "Fargate resource requirements (1.00 vCPU, 4000 MiB) not valid."),
        ("3", "8192", "Fargate resource requirements (3.00 vCPU, 8192 MiB) not valid."),
        ("nan", "2048", "Value nan for type VCPU in resourceRequirement is not valid."),
        ("1e0", "2048", "Value 1e0 for type VCPU"),
    ],
)  # fmt: skip
def test_sizes_on_fargate(vcpus, memory, words):
    content = SERVERLESS | {"resourceRequirements": sizes(vcpus, memory)}
    if words is None:
        stored("containerProperties", content, **FARGATE)
    else:
        assert words in refused("containerProperties", content, **FARGATE)


@pytest.mark.parametrize(
    ("vcpus", "memory", "words"),
    [
        # [gh] kestra-io/plugin-aws#504
        ("1.0", "512", "Value 1.0 for type VCPU in resourceRequirement is not valid. Please prov"),
        ("0.25", "512", "Value 0.25 for type VCPU"),
        ("nan", "512", "Value nan for type VCPU"),
        ("-1", "512", "Value -1 for type VCPU"),
        ("9" * 5000, "512", "Value 999"),
        ("²", "512", "Value ² for type VCPU"),
        ("1", "1_000", "Value 1_000 for type MEMORY"),
        ("1", "2GB", "Value 2GB for type MEMORY"),
        ("0", "512", "VCPU must be at least 1"),
        ("1", "3", "MEMORY must be at least 4 MiB"),  # [bc] ResourceRequirement.value
    ],
)  # fmt: skip
def test_sizes_on_ec2_are_whole_numbers(vcpus, memory, words):
    content = CONTAINER | {"resourceRequirements": sizes(vcpus, memory)}
    assert words in refused("containerProperties", content)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        # [gh] insitro/redun#95; [bc] ContainerProperties.vcpus and .memory
        ({"vcpus": 1}, "vcpus is not applicable for Fargate. Use resource requirements instead."),
        ({"memory": 2048}, "memory is not applicable for Fargate."),
        # [bc] ResourceRequirement.value, GPU
        ({"resourceRequirements": [*SIZES, {"type": "GPU", "value": "1"}]}, "GPU is not applic"),
        ({"instanceType": "c5.large"}, "instanceType is not applicable for Fargate."),
        ({"privileged": True}, "privileged is not applicable for Fargate."),
        ({"ulimits": [{"name": "nofile", "hardLimit": 9, "softLimit": 9}]}, "ulimits is not"),
        ({"linuxParameters": {"sharedMemorySize": 64}}, "linuxParameters.sharedMemorySize is not"),
        ({"linuxParameters": {"maxSwap": 64}}, "linuxParameters.maxSwap is not"),
        ({"linuxParameters": {"swappiness": 60}}, "linuxParameters.swappiness is not"),
        ({"linuxParameters": {"devices": [{"hostPath": "/dev/x"}]}}, "linuxParameters.devices is"),
        ({"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 1}]}}, "tmpfs is not"),
        ({"volumes": [{"name": "a", "host": {"sourcePath": "/a"}}]}, "host is not applicable"),
        # [bc] LogConfiguration.logDriver
        ({"logConfiguration": {"logDriver": "fluentd"}}, "Log driver fluentd is not"),
        # [bc] ContainerProperties.executionRoleArn
        ({"executionRoleArn": ""}, "need an executionRoleArn"),
        # [bc] EphemeralStorage.sizeInGiB
        ({"ephemeralStorage": {"sizeInGiB": 20}}, "greater than or equal to 21"),
        ({"ephemeralStorage": {"sizeInGiB": 201}}, "less than or equal to 200"),
    ],
)  # fmt: skip
def test_what_a_container_on_fargate_may_not_say(fields, words):
    """[bc] the members' "isn't applicable to jobs that are running on Fargate resources"."""
    assert words in refused("containerProperties", SERVERLESS | fields, **FARGATE)


@pytest.mark.parametrize(
    "fields",
    [
        {"privileged": False},  # [bc] "shouldn't be provided, or specified as false"
        {"ulimits": [], "linuxParameters": {"devices": [], "tmpfs": []}},  # as it is described
        {"linuxParameters": {"initProcessEnabled": True}},
        {"ephemeralStorage": {"sizeInGiB": 200}, "networkConfiguration": {}},
        {"logConfiguration": {"logDriver": "splunk"}},
    ],
)
def test_what_a_container_on_fargate_may_say(fields):
    stored("containerProperties", SERVERLESS | fields, **FARGATE)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"networkConfiguration": {"assignPublicIp": "ENABLED"}}, "networkConfiguration is not"),
        ({"fargatePlatformConfiguration": {"platformVersion": "LATEST"}},
         "fargatePlatformConfiguration is not applicable for EC2."),
        ({"ephemeralStorage": {"sizeInGiB": 30}}, "ephemeralStorage is not applicable for EC2."),
        ({"instanceType": "c5.large"}, "instanceType is not applicable for single-node"),
        ({"resourceRequirements": SIZES[1:]}, "vCPU is not provided."),  # [gh] ASFHyP3/hyp3#586
    ],
)  # fmt: skip
def test_what_a_container_on_ec2_may_not_say(fields, words):
    """[bc] "Jobs that are running on Amazon EC2 resources must not specify this parameter"."""
    assert words in refused("containerProperties", CONTAINER | fields)


def nodes(*ranges: Any, **fields: Any) -> dict[str, Any]:
    made = [
        {"targetNodes": each, "container": CONTAINER} if isinstance(each, str) else each
        for each in ranges
    ]
    return NODES | {"numNodes": 4, "nodeRangeProperties": made} | fields


@pytest.mark.parametrize("ranges", [("0:3",), ("0:",), (":3",), ("0:", "1:"), (":1", "2:3")])
def test_node_ranges_cover_all_nodes_and_may_nest(ranges):
    """[bc] NodeRangeProperty.targetNodes; [tf] NodeProperties_basic nests 1: in 0:."""
    stored("nodeProperties", nodes(*ranges))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (nodes("0:2"), "must account for all nodes (0:3)"),
        (nodes("1:3"), "must account for all nodes"),
        (nodes("0:4"), "is not a range of 4 nodes"),
        (nodes("3:0"), "is not a range of 4 nodes"),
        (nodes("x"), "is not a range of nodes such as 0:3"),
        (nodes("0-3"), "is not a range of nodes such as 0:3"),
        (nodes("0:99999"), "is not a range of nodes such as 0:3"),
        (nodes("0:", mainNode=4), "mainNode must be smaller"),
        (nodes({"targetNodes": "0:"}), "exactly one of container"),
        (nodes({"targetNodes": "0:", "container": CONTAINER, "instanceTypes": ["a", "b"]}),
         "limited to one element"),
        (nodes({"targetNodes": "0:", "container": CONTAINER | {"networkConfiguration": {
            "assignPublicIp": "ENABLED"}}}), "networkConfiguration is not applicable"),
    ],
)  # fmt: skip
def test_what_node_ranges_may_not_say(content, words):
    """[bc] NodeProperties, NodeRangeProperty."""
    assert words in refused("nodeProperties", content)


def task(*containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"taskProperties": [{"containers": list(containers)} | fields]}


@pytest.mark.parametrize(
    ("properties", "content", "fields", "words"),
    [
        # [bc] RegisterJobDefinitionRequest.type, .platformCapabilities, .propagateTags
        ("nodeProperties", NODES, FARGATE, "nodeProperties is not applicable for Fargate."),
        ("eksProperties", {"podProperties": {}}, FARGATE, "platformCapabilities is not applicable"),
        ("eksProperties", {"podProperties": {}}, {"propagateTags": True}, "propagateTags is not"),
        ("containerProperties", CONTAINER, {"platformCapabilities": ["MANAGED_INSTANCES"]},
         "use ecsProperties"),
        # [bc] EcsProperties, EcsTaskProperties, TaskContainerProperties
        ("ecsProperties", {"taskProperties": []}, {}, "limited to one task"),
        ("ecsProperties", task(*[CONTAINER] * 11), {}, "1 to 10 containers"),
        ("ecsProperties", task(CONTAINER | {"essential": False}), {}, "at least one essential"),
        ("ecsProperties", task(*[CONTAINER | {"name": "a"}] * 2), {}, "unique names"),
        ("ecsProperties", task(CONTAINER, networkMode="host"), {}, "networkMode is not applic"),
        ("ecsProperties", task(CONTAINER, ipcMode="host", executionRoleArn="r"), FARGATE, "ipc"),
        ("ecsProperties", task(CONTAINER), FARGATE, "need an executionRoleArn"),
        ("ecsProperties", task(CONTAINER, CONTAINER, CONTAINER, executionRoleArn="r"), FARGATE,
         "Fargate resource requirements (3.00 vCPU, 6144 MiB) not valid."),
        # [bc] EksContainer.name
        ("eksProperties", {"podProperties": {"containers": [{"image": "a"}] * 2}}, {},
         "must have a unique name"),
    ],
)  # fmt: skip
def test_what_other_definitions_may_not_say(properties, content, fields, words):
    assert words in refused(properties, content, **fields)


def test_the_containers_of_a_task_share_a_size_of_fargate():
    """[tf] ECSProperties_update: two containers of 1.0 vCPU and 2048 MiB."""
    container = CONTAINER | {"resourceRequirements": sizes("1.0", "2048")}
    first, second = container | {"name": "a"}, container | {"name": "b", "essential": False}
    stored("ecsProperties", task(first, second, executionRoleArn=TASK_ROLE), **FARGATE)


def rule(**fields: str) -> dict[str, Any]:
    return {"attempts": 2, "evaluateOnExit": [{"action": "EXIT"} | fields]}


@pytest.mark.parametrize("name", ["onReason", "onStatusReason", "onExitCode"])
def test_the_patterns_of_exit_rules_have_up_to_512_characters_of_few_kinds(name):
    """[bc] EvaluateOnExit: letters, numbers, periods, colons, white space; numbers for a code."""
    whole = "1" * 511 + "*"
    stored("containerProperties", CONTAINER, retryStrategy=rule(**{name: whole}))
    for pattern in ("1" + whole, "a-b", "*1", "1**"):
        assert name in refused(
            "containerProperties", CONTAINER, retryStrategy=rule(**{name: pattern})
        )
