"""What AWS keeps of a job definition, and which one a reference means.

Sources: [bc] the text of botocore's model, shape and member; [tf] the acceptance tests of
hashicorp/terraform-provider-aws against the real service (internal/service/batch); [gh] an error
quoted in a public report; [issue] assumed of what is documented only as a default.
"""

from typing import Any

import pytest
from tests.simulator.cloud import TASK_ROLE, Cloud

SIZES = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}]
CONTAINER = {"image": "busybox", "resourceRequirements": SIZES}
FARGATE = {"platformCapabilities": ["FARGATE"]}
SERVERLESS = CONTAINER | {"executionRoleArn": TASK_ROLE}
EMPTY: dict[str, Any] = {
    name: [] for name in ("command", "environment", "mountPoints", "secrets", "ulimits", "volumes")
}
NODES = {
    "numNodes": 2,
    "mainNode": 0,
    "nodeRangeProperties": [{"targetNodes": "0:1", "container": CONTAINER}],
}
POD_LISTS: dict[str, Any] = {"imagePullSecrets": [], "initContainers": [], "volumes": []}
POD_CONTAINER = {"image": "busybox", "args": [], "command": [], "env": [], "volumeMounts": []}


def registration(properties: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    kind = "multinode" if properties == "nodeProperties" else "container"
    return {"jobDefinitionName": "a", "type": kind, properties: content} | fields


def stored(properties: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The definition as it is described."""
    cloud = Cloud()
    cloud("RegisterJobDefinition", **registration(properties, content, **fields))
    return dict(cloud("DescribeJobDefinitions")["jobDefinitions"][0])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        # [tf] TestAccBatchJobDefinition_basic: empty lists for what was not given.
        ({}, {"resourceRequirements": SIZES}),
        ({"resourceRequirements": [], "vcpus": 1, "memory": 128},
         {"resourceRequirements": [], "vcpus": 1, "memory": 128}),
        # [tf] ContainerProperties_EmptyField: variables with an empty value are ignored.
        ({"environment": [{"name": "EMPTY", "value": ""}, {"name": "NO"},
                          {"name": "VALUE", "value": "value"}]},
         {"environment": [{"name": "VALUE", "value": "value"}]}),
        # [tf] TestEquivalentBatchContainerPropertiesJSON, the sides called ApiJson.
        ({"linuxParameters": {"initProcessEnabled": True}},
         {"linuxParameters": {"devices": [], "initProcessEnabled": True, "tmpfs": []}}),
        ({"linuxParameters": {"devices": [{"hostPath": "/scratch", "containerPath": "/t"}],
                              "tmpfs": [{"containerPath": "/scratch", "size": 4096}]}},
         {"linuxParameters": {
             "devices": [{"hostPath": "/scratch", "containerPath": "/t", "permissions": []}],
             "tmpfs": [{"containerPath": "/scratch", "size": 4096, "mountOptions": []}]}}),
        ({"logConfiguration": {"logDriver": "awslogs"}},
         {"logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []}}),
    ],
)  # fmt: skip
def test_a_container_is_kept_with_what_aws_fills_in_and_without_what_it_drops(sent, kept):
    found = stored("containerProperties", CONTAINER | sent)
    assert found["containerProperties"] == CONTAINER | EMPTY | sent | kept


def test_a_container_on_fargate_is_shown_with_the_latest_platform_version():
    """[tf] PlatformCapabilitiesFargate_containerPropertiesDefaults."""
    found = stored("containerProperties", SERVERLESS, **FARGATE)
    latest = {"fargatePlatformConfiguration": {"platformVersion": "LATEST"}}
    assert found["containerProperties"] == SERVERLESS | EMPTY | latest


def test_what_was_not_given_at_the_top_of_a_definition_stays_away():
    """[tf] TestAccBatchJobDefinition_basic: no retry strategy, timeout or platforms; parameters."""
    found = stored("containerProperties", CONTAINER)
    assert found.keys() == {
        *("containerOrchestrationType", "containerProperties", "jobDefinitionArn"),
        *("jobDefinitionName", "parameters", "revision", "status", "tags", "type"),
    }
    assert (found["parameters"], found["tags"]) == ({}, {})


def test_the_actions_of_exit_rules_are_answered_in_lower_case():
    """[tf] ContainerProperties_advanced; [bc] EvaluateOnExit.action takes any case."""
    rules = [{"action": "RETRY", "onReason": "a*"}, {"action": "Exit", "onReason": "*"}]
    strategy = {"attempts": 2, "evaluateOnExit": rules}
    found = stored("containerProperties", CONTAINER, retryStrategy=strategy)["retryStrategy"]
    assert [rule["action"] for rule in found["evaluateOnExit"]] == ["retry", "exit"]
    found = stored("containerProperties", CONTAINER, retryStrategy={"attempts": 2})
    assert found["retryStrategy"] == {"attempts": 2, "evaluateOnExit": []}


def test_node_ranges_are_kept_as_containers_are_and_with_instance_types():
    """[tf] NodeProperties_basic and NodeProperties_withEKS, which has no defaults for a pod."""
    found = stored("nodeProperties", NODES)["nodeProperties"]["nodeRangeProperties"]
    assert found == [
        {"targetNodes": "0:1", "container": CONTAINER | EMPTY, "instanceTypes": []},
    ]
    pod = {"podProperties": {"containers": [{"name": "a", "image": "busybox"}]}}
    ranges = [{"targetNodes": "0:", "eksProperties": pod}]
    definition = stored("nodeProperties", NODES | {"nodeRangeProperties": ranges})
    assert definition["containerOrchestrationType"] == "EKS"
    [found] = definition["nodeProperties"]["nodeRangeProperties"]
    assert found["eksProperties"]["podProperties"] == POD_LISTS | {
        "containers": [POD_CONTAINER | {"name": "a"}]
    }


def test_the_containers_of_a_task_are_essential_and_a_task_on_fargate_is_of_the_latest_version():
    """[tf] the defaults that ecsProperties.reduce knows; [bc] TaskContainerProperties.essential."""
    task = {"executionRoleArn": TASK_ROLE, "containers": [CONTAINER | {"name": "a"}]}
    found = stored("ecsProperties", {"taskProperties": [task]}, **FARGATE)["ecsProperties"]
    container = CONTAINER | EMPTY | {"name": "a", "dependsOn": [], "essential": True}
    del container["volumes"]
    assert found["taskProperties"] == [
        task | {"containers": [container], "platformVersion": "LATEST", "volumes": []}
    ]
    found = stored("ecsProperties", {"taskProperties": [task]})["ecsProperties"]
    assert "platformVersion" not in found["taskProperties"][0]


def test_a_pod_is_shown_with_its_defaults():
    """[bc] EksContainer.name, EksPodProperties.dnsPolicy; [issue] limits stand for requests."""
    limits = {"memory": "1024Mi", "cpu": "1"}
    blank = [{"name": "EMPTY", "value": ""}]  # kept: nothing says that a pod loses it
    pod = {"containers": [{"image": "busybox", "env": blank, "resources": {"limits": limits}}]}
    definition = stored("eksProperties", {"podProperties": pod})
    assert definition["containerOrchestrationType"] == "EKS"
    container = POD_CONTAINER | {
        "env": blank,
        "name": "Default",
        "resources": {"limits": limits, "requests": limits},
    }
    assert definition["eksProperties"]["podProperties"] == POD_LISTS | {
        "containers": [container],
        "dnsPolicy": "ClusterFirstWithHostNet",
    }
    found = stored("eksProperties", {"podProperties": pod | {"hostNetwork": False}})
    assert found["eksProperties"]["podProperties"]["dnsPolicy"] == "ClusterFirst"


@pytest.mark.parametrize(
    "reference",
    [
        "arn:aws:batch:us-east-1:111122223333:job-definition/simulate",
        "arn:aws:batch:us-east-1:111122223333:job-definition/simulate:1",
        "arn:aws:batch:eu-central-1:444455556666:job-definition/simulate",
        "arn:aws:batch:eu-central-1:444455556666:job-definition/simulate:1",
        "arn:aws:batch:eu-central-1:111122223333:job-queue/simulate",
        "simulate:",
        "simulate:x",
        "simulate:²",
        "simulate:1:1",
        "simulate:" + "9" * 5000,
    ],
)
def test_a_definition_of_another_account_or_region_is_none(reference):
    """[bc] SubmitJobRequest.jobDefinition; accounts and regions share nothing."""
    cloud = Cloud()
    cloud.fargate()
    queue = cloud.queue("main", "serverless")
    cloud.definition()
    request = {"jobName": "a", "jobQueue": "main", "jobDefinition": reference}
    assert "not found" in cloud.refused("SubmitJob", **request)
    assert "does not exist" in cloud.refused("DeregisterJobDefinition", jobDefinition=reference)
    found = cloud("DescribeJobDefinitions", jobDefinitions=[reference])
    assert found["jobDefinitions"] == []
    found = cloud("DescribeJobDefinitions", jobDefinitionName=reference)
    assert found["jobDefinitions"] == []
    for own in (("eu-central-1", "us-east-1"), ("111122223333", "444455556666")):
        foreign = request | {"jobDefinition": "simulate", "jobQueue": queue.replace(*own)}
        assert "not found" in cloud.refused("SubmitJob", **foreign)
