"""What SubmitJob refuses, what a job fails with before it starts, and how a job is described.

Sources: [bc] the text of botocore's model, shape and member; [tf] the acceptance tests of
hashicorp/terraform-provider-aws against the real service; [ug] the user guide; [gh] an error quoted
in a public report.
"""

from typing import Any

import pytest
from tests.simulator.cloud import ready, serverless
from tests.simulator.test_batch_jobs import refused


@pytest.mark.parametrize("own", ["EC2", "FARGATE"])
def test_a_definition_and_a_queue_must_share_a_platform(own):
    """[bc] RegisterJobDefinitionRequest.platformCapabilities: "it defaults to EC2"."""
    cloud = ready()
    cloud.fargate()
    cloud.queue("other", "serverless")
    cloud.definition("fargate")
    queue, definition = ("other", "simulate") if own == "EC2" else ("main", "fargate")
    refusal = refused(cloud, jobQueue=queue, jobDefinition=definition)
    assert f"has the platform capabilities {own}, but job queue {queue}" in refusal
    cloud.submit(jobQueue="main", definition="simulate")
    cloud.submit(jobQueue="other", definition="fargate")


def sizes(vcpus: str, memory: str) -> dict[str, Any]:
    values = [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]
    return {"resourceRequirements": [each for each in values if each["value"]]}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        # [gh] Netflix/metaflow#749: a size that is none of Fargate's, with the definition's part
        (sizes("", "4000"), "Fargate resource requirements (1.00 vCPU, 4000 MiB) not valid."),
        (sizes("4", ""), "Fargate resource requirements (4.00 vCPU, 2048 MiB) not valid."),
        (sizes("nan", "nan"), "Value nan for type VCPU in resourceRequirement is not valid."),
        # [gh] insitro/redun#95
        ({"vcpus": 2}, "vcpus is not applicable for Fargate. Use resource requirements instead."),
        ({"memory": 2048}, "memory is not applicable for Fargate."),
        ({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, "GPU is not applicable"),
        ({"resourceRequirements": [{"type": "VCPU", "value": "1"}] * 2}, "names a type twice"),
        ({"resourceRequirements": [{"type": "CPU", "value": "1"}]}, "enum value set"),
        ({"instanceType": "c5.large"}, "is for multi-node parallel jobs"),
    ],
)
def test_overrides_are_held_to_the_platform_together_with_the_definition(overrides, message):
    """[bc] ResourceRequirement.value, ContainerOverrides."""
    assert message in refused(serverless(), containerOverrides=overrides)


def test_the_largest_size_of_fargate_is_to_be_had():
    """[bc] ResourceRequirement.value: 32 vCPUs with 249,856 MiB."""
    cloud = serverless(maximum=32)
    job_id = cloud.submit(containerOverrides=sizes("32", "249856"))
    cloud.step(10)
    assert cloud.status(job_id) == "RUNNING"


@pytest.mark.parametrize("value", ["1.0", "0.25"])
def test_overrides_on_ec2_are_whole_vcpus(value):
    """[gh] kestra-io/plugin-aws#504."""
    refusal = refused(ready(), containerOverrides=sizes(value, ""))
    assert f"Value {value} for type VCPU in resourceRequirement is not valid." in refusal


@pytest.mark.parametrize("old", [{"vcpus": 2, "memory": 700}, {}])
def test_resource_requirements_override_the_vcpus_and_memory_of_a_definition(old):
    """[bc] ContainerOverrides.vcpus: "use resourceRequirements to override the vcpus parameter"."""
    cloud = ready()
    container = {"image": "busybox", "vcpus": 1, "memory": 512}
    cloud("RegisterJobDefinition", jobDefinitionName="old", type="container",
          containerProperties=container)  # fmt: skip
    overrides = sizes("2", "1024") | old
    shown = cloud.job(cloud.submit(definition="old", containerOverrides=overrides))["container"]
    assert shown["resourceRequirements"] == sizes("2", "1024")["resourceRequirements"]
    assert not {"vcpus", "memory"} & shown.keys()
    partly = cloud.job(cloud.submit(definition="old", containerOverrides=sizes("2", "")))
    assert partly["container"]["memory"] == 512
    assert "vcpus" not in partly["container"]


def test_jobs_share_what_their_definition_says():
    """A hundred thousand jobs must not each have, and each make, a copy of their container."""
    cloud = ready()
    cloud.definition(container={"environment": [{"name": "A", "value": "1"}]})
    jobs = cloud.region.batch.jobs
    plain = jobs[cloud.submit()]
    other = jobs[cloud.submit(containerOverrides={"command": ["true"]})]
    content = plain.definition.content["containerProperties"]
    assert all(plain.container[name] is content[name] for name in content)
    assert other.container["environment"] is content["environment"]
    assert content["command"] == ["echo", "hello"]


def long_environment(size: int) -> dict[str, Any]:
    return {"environment": [{"name": "LONG", "value": "x" * size}]}


def test_a_job_with_overrides_that_ecs_does_not_take_fails_without_an_attempt():
    """[gh] Netflix/metaflow#1482, ASFHyP3/hyp3#3041: a statusReason, not a refusal of SubmitJob."""
    cloud = serverless()
    sound = cloud.submit(containerOverrides=long_environment(7000))
    failed = cloud.submit(containerOverrides=long_environment(8200))
    array = cloud.submit(containerOverrides={"command": ["x" * 8200]}, arrayProperties={"size": 2})
    cloud.step(20)
    assert cloud.status(sound) == "SUCCEEDED"
    job = cloud.job(failed)
    reason = "Container Overrides length must be at most 8192"
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", reason, [])
    assert cloud.status(array) == "FAILED"
    assert cloud.job(f"{array}:1")["statusReason"] == reason


@pytest.mark.parametrize(("propagate", "status"), [(True, "FAILED"), (False, "SUCCEEDED")])
def test_a_job_whose_tags_and_its_definitions_are_more_than_fifty_fails(propagate, status):
    """[bc] SubmitJobRequest.propagateTags: "the job is moved to the FAILED state"."""
    cloud = serverless()
    cloud.definition(tags={f"d{number}": "" for number in range(30)} | {"both": ""})
    tags = {f"j{number}": "" for number in range(20)} | {"both": ""}
    job_id = cloud.submit(tags=tags, propagateTags=propagate)
    fits = cloud.submit(tags={"both": ""}, propagateTags=True)
    cloud.step(20)
    assert (cloud.status(job_id), cloud.status(fits)) == (status, "SUCCEEDED")


@pytest.mark.parametrize("share", ["a-b", "ä", "a" * 256, "*", "a**"])
def test_share_identifiers_are_letters_and_numbers(share):
    """[bc] SubmitJobRequest.shareIdentifier."""
    cloud = serverless()
    policy = cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy={})["arn"]
    cloud.queue("fair", "serverless", schedulingPolicyArn=policy)
    message = refused(cloud, jobQueue="fair", shareIdentifier=share)
    assert "must be alphanumeric" in message
    cloud.submit(jobQueue="fair", shareIdentifier="a" * 255 + "*")


def test_a_job_is_described_in_the_form_of_its_definition():
    """[ug] "Example Job State Change Event"; [tf] ContainerProperties_EmptyField and _advanced."""
    cloud = ready()
    cloud.definition(container={"environment": [{"name": "A", "value": "1"}]},
                     retryStrategy={"attempts": 2})  # fmt: skip
    blank = {"environment": [{"name": "A", "value": ""}, {"name": "B", "value": "2"}]}
    job = cloud.job(cloud.submit(containerOverrides=blank))
    for name in ("mountPoints", "secrets", "ulimits", "volumes", "networkInterfaces"):
        assert job["container"][name] == []
    assert job["container"]["environment"] == [{"name": "B", "value": "2"}]
    assert job["retryStrategy"] == {"attempts": 2, "evaluateOnExit": []}
    assert (job["propagateTags"], job["platformCapabilities"]) == (False, [])
    rules = [{"action": "RETRY", "onReason": "a*"}]
    job = cloud.job(cloud.submit(retryStrategy={"attempts": 3, "evaluateOnExit": rules}))
    assert job["retryStrategy"]["evaluateOnExit"] == [{"action": "retry", "onReason": "a*"}]
    cloud.definition("plain")
    job = cloud.job(cloud.submit(definition="plain"))
    assert job["retryStrategy"] == {"attempts": 1, "evaluateOnExit": []}


SEVERAL = {"taskProperties": [{"containers": [{"image": "busybox"}]}]}
NODES = {
    "numNodes": 2,
    "mainNode": 0,
    "nodeRangeProperties": [{"targetNodes": "0:", "ecsProperties": SEVERAL}],
}
LICENCES = {"consumableResourceList": [{"consumableResource": "licence", "quantity": 1}]}


@pytest.mark.parametrize(
    ("kind", "properties", "request_", "what"),
    [
        ("multinode", {"nodeProperties": NODES}, {}, "parallel jobs with ecsProperties"),
        (None, {}, {"consumableResourcePropertiesOverride": LICENCES}, "that consume resources"),
    ],
)
def test_jobs_that_are_not_simulated_are_answered_as_not_implemented(
    kind, properties, request_, what
):
    """docs/simulator.md: what is not implemented answers HTTP 501 and says what it is."""
    cloud = ready()
    if kind:
        cloud("RegisterJobDefinition", jobDefinitionName="other", type=kind, **properties)
        request_ = {"jobDefinition": "other"}
    message = refused(cloud, **request_)
    assert message.startswith("NotImplemented: The simulator does not implement batch: SubmitJob")
    assert what in message


def test_overrides_for_other_kinds_of_jobs_are_refused():
    """[bc] SubmitJobRequest.nodeOverrides, .ecsPropertiesOverride, .eksPropertiesOverride."""
    cloud = ready()
    assert "nodeOverrides cannot be used" in refused(cloud, nodeOverrides={"numNodes": 2})
