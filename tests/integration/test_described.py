"""What AWS describes is taken by the real API server as a manifest, as it is."""

import pytest
from tests.support.api_server import ApiServer, messages
from tests.support.described import spec_of
from tests.support.installation import manifest
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE
from tests.support.namespaces import new_namespace
from tests.support.published import PUBLISHED
from tests.support.quickstart import bodies
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.generate import RESOURCES
from awsbatch_simulator.inprocess import session

PLURALS = {each.kind: each.plural for each in RESOURCES}
# What AWS fills in and its simulator may leave out.
EMPTY = {
    **{name: [] for name in ("command", "volumes", "environment", "mountPoints", "ulimits")},
    **{name: [] for name in ("resourceRequirements", "secrets")},
    "linuxParameters": {"devices": [], "tmpfs": []},
}


@pytest.fixture(scope="module")
def simulator():
    return make_simulator(limits=False)


@pytest.fixture(scope="module")
def aws(simulator):
    return session(simulator).client("batch")


@pytest.fixture(scope="module")
def place(control_plane, crds):
    with new_namespace(control_plane) as name, ApiServer(control_plane) as server:
        yield server, name


def refused(place, kind, spec):
    """What the API server says against a manifest."""
    server, namespace = place
    body = manifest(ObjectKey(kind, namespace, "described"), spec)
    status, answer = server.create(PLURALS[kind], body, dry_run=True)
    return [] if status == 201 else messages(answer)


def filled(definition):
    """With all the empty lists that AWS answers for a container."""
    made = dict(definition)
    if "containerProperties" in made:
        made["containerProperties"] = EMPTY | made["containerProperties"]
    if "nodeProperties" in made:
        nodes = dict(made["nodeProperties"])
        nodes["nodeRangeProperties"] = [
            {**each, "container": EMPTY | each["container"], "instanceTypes": []}
            for each in nodes["nodeRangeProperties"]
        ]
        made["nodeProperties"] = nodes
    return {**made, "parameters": made.get("parameters", {}), "propagateTags": False}


def test_definitions_of_the_shapes_that_people_publish_can_be_applied_as_they_are_described(
    place, aws
):
    for name, body in PUBLISHED.items():
        assert refused(place, "JobDefinition", body) == [], name
        arn = aws.register_job_definition(jobDefinitionName=name, **body)["jobDefinitionArn"]
        found = aws.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"][0]
        spec = spec_of("JobDefinition", found)
        assert refused(place, "JobDefinition", spec) == [], name
        assert refused(place, "JobDefinition", filled(spec)) == [], name


def test_the_examples_environment_queue_and_policy_can_be_applied_as_they_are_described(
    place, simulator, aws
):
    specs = {body["kind"]: body["spec"] for body in bodies()}
    made = aws.create_compute_environment(
        computeEnvironmentName=ENVIRONMENT.name, **specs["ComputeEnvironment"]
    )
    found = aws.describe_compute_environments()["computeEnvironments"][0]
    assert refused(place, "ComputeEnvironment", spec_of("ComputeEnvironment", found)) == []
    simulator.world.advance(60)
    order = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
    policy = aws.create_scheduling_policy(name=POLICY.name)["arn"]
    aws.create_job_queue(
        jobQueueName=QUEUE.name,
        priority=1,
        computeEnvironmentOrder=order,
        schedulingPolicyArn=policy,
    )
    found = aws.describe_job_queues()["jobQueues"][0]
    assert refused(place, "JobQueue", spec_of("JobQueue", found)) == []
    found = aws.describe_scheduling_policies(arns=[policy])["schedulingPolicies"][0]
    assert refused(place, "SchedulingPolicy", spec_of("SchedulingPolicy", found)) == []
