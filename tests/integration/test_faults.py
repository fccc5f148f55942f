"""What goes wrong for a reason that a person can mend is said, with the remedy; nothing breaks."""

import pytest
from tests.support import manifests
from tests.support.cluster import is_ready, is_stalled, message, shows
from tests.support.deadline import wait_until
from tests.support.recording import Recording
from tests.support.whole_life import account, named

from awsbatch_operator.api.metadata import RESOLVED, SUBMISSION

pytestmark = pytest.mark.control_plane

SPECS = {
    "ComputeEnvironment": manifests.environment(),
    "JobQueue": manifests.queue("pool"),
    "JobDefinition": manifests.definition(),
    "SchedulingPolicy": manifests.policy(),
}
OTHER = {"team": "somebody else"}


def test_a_denied_call_names_action_and_identity_and_is_made_when_asked_for_again(site, cluster):
    names = {"computeEnvironmentName": f"{cluster.namespace}-*"}
    fault = site.fault("deny", operation="CreateComputeEnvironment", match=names)
    cluster.apply(named("ComputeEnvironment", "pool", SPECS["ComputeEnvironment"]))
    stalled = cluster.wait("ComputeEnvironment", "pool", is_stalled, "is Stalled")
    assert shows("PermissionDenied")(stalled)
    said = message(stalled, "Stalled")
    me = site.client("sts").get_caller_identity()["Arn"]
    assert said.startswith(f"AWS refuses batch:CreateComputeEnvironment to {me}: ")
    assert "Grant the action to the identity; deploy/iam has the policy." in said
    site.mend(fault)
    cluster.nudge("ComputeEnvironment", "pool")
    cluster.wait("ComputeEnvironment", "pool", is_ready, "is Ready", seconds=10)


def test_an_account_whose_role_trusts_nobody_says_so_and_so_does_all_that_lives_in_it(
    site, cluster
):
    role = "arn:aws:iam::555566667777:role/batch-operator"
    site.aws.admin(
        "PUT", "/_simulator/settings", {"roles": {role: {"externalId": "the-right-one"}}}
    )
    name = f"strict-{cluster.namespace}"
    wrong = account(name, "555566667777", cluster.namespace, externalId="a-wrong-one")
    definition = SPECS["JobDefinition"] | {"accountRef": {"name": name}}
    cluster.apply(wrong, named("JobDefinition", "simulate", definition))
    said = message(cluster.wait("AWSAccount", name, is_stalled, "is Stalled"), "Stalled")
    assert "sts:AssumeRole" in said
    assert role in said
    stalled = cluster.wait("JobDefinition", "simulate", is_stalled, "is Stalled")
    assert shows("AccountUnavailable")(stalled)
    assert f"AWSAccount {name}" in message(stalled, "Stalled")
    cluster.edit("AWSAccount", name, {"spec": {"externalId": "the-right-one"}})
    cluster.wait("JobDefinition", "simulate", is_ready, "is Ready", seconds=10)
    cluster.delete("JobDefinition", "simulate")
    cluster.delete("AWSAccount", name)
    cluster.wait_gone(("JobDefinition", "simulate"), ("AWSAccount", name))


def test_what_aws_does_not_take_is_said_in_its_own_words(cluster):
    spec = manifests.environment(subnets=["subnet-of-nobody"])
    cluster.apply(named("ComputeEnvironment", "pool", spec))
    said = message(cluster.wait("ComputeEnvironment", "pool", is_stalled, "is Stalled"), "Stalled")
    assert "subnet-of-nobody" in said
    assert "Correct spec.computeResources.subnets: AWS then exchanges" in said


def test_a_corrected_typo_helps_although_aws_cannot_change_the_environment(cluster):
    spec = manifests.best_fit(subnets=["subnet-of-nobody"])
    cluster.apply(named("ComputeEnvironment", "pool", spec))
    cluster.wait("ComputeEnvironment", "pool", is_stalled, "is Stalled")
    cluster.apply(named("ComputeEnvironment", "pool", manifests.best_fit()))
    cluster.wait("ComputeEnvironment", "pool", is_ready, "is Ready", seconds=30)
    assert "Remade" in [event["reason"] for event in cluster.events("ComputeEnvironment", "pool")]


class Foreign:
    """Objects of somebody else in AWS, under the names that ours want."""

    def __init__(self, site, name):
        self._batch, self._name = site.client("batch"), name

    def make(self):
        batch, name = self._batch, self._name
        role = manifests.ROLE
        batch.create_compute_environment(
            computeEnvironmentName=name, type="UNMANAGED", serviceRole=role, tags=OTHER
        )
        container = manifests.definition()["containerProperties"]
        batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container
        )
        batch.create_scheduling_policy(name=name, tags=OTHER)

    def make_queue(self, environment):
        order = [{"order": 1, "computeEnvironment": environment}]
        self._batch.create_job_queue(
            jobQueueName=self._name, priority=1, computeEnvironmentOrder=order, tags=OTHER
        )

    def settled(self):
        """Whether AWS has made them."""
        environments, queues, *_ = self.look()
        found = [*environments["computeEnvironments"], *queues["jobQueues"]]
        return {each["status"] for each in found} == {"VALID"}

    def look(self):
        batch, name = self._batch, self._name
        policies = batch.list_scheduling_policies()["schedulingPolicies"]
        arns = [each["arn"] for each in policies if each["arn"].endswith(f"/{name}")]
        answers = [
            batch.describe_compute_environments(computeEnvironments=[name]),
            batch.describe_job_queues(jobQueues=[name]),
            batch.describe_job_definitions(jobDefinitionName=name),
            batch.describe_scheduling_policies(arns=arns),
        ]
        return [answer | {"ResponseMetadata": None} for answer in answers]


def test_what_is_not_ours_is_never_touched_and_that_is_said(site, cluster):
    name = f"{cluster.namespace}-theirs"
    foreign = Foreign(site, name)
    foreign.make()
    pool = named("ComputeEnvironment", "pool", SPECS["ComputeEnvironment"])
    cluster.apply(pool)
    arn = cluster.wait("ComputeEnvironment", "pool", is_ready, "is Ready")["status"]["arn"]
    foreign.make_queue(arn)
    wait_until(foreign.settled, "they are made")
    before = foreign.look()
    for kind, spec in SPECS.items():
        cluster.apply(named(kind, "ours", spec | {"awsName": name}))
    for kind in SPECS:
        stalled = cluster.wait(kind, "ours", is_stalled, "is Stalled")
        assert shows("AlreadyExists")(stalled)
        assert f"AWS already has {name} in account" in message(stalled, "Stalled")
        cluster.delete(kind, "ours")
    cluster.wait_gone(*((kind, "ours") for kind in SPECS))
    assert foreign.look() == before


def test_what_waits_says_for_what_and_goes_on_within_a_second(
    site, cluster, control_plane, measured
):
    def waits_for(kind, name, what):
        waiting = cluster.wait(kind, name, shows("ReferenceNotFound"), "waits")
        assert what in message(waiting, "Reconciling")

    with Recording(control_plane, cluster.namespace) as recording:
        cluster.apply(named("BatchJob", "run", manifests.job()))
        here = cluster.namespace
        waits_for("BatchJob", "run", f"spec.jobQueueRef: JobQueue {here}/main does not exist yet")
        cluster.apply(named("JobQueue", "main", SPECS["JobQueue"]))
        waits_for("JobQueue", "main", f"ComputeEnvironment {here}/pool does not exist yet")
        cluster.apply(named("JobDefinition", "simulate", SPECS["JobDefinition"]))
        cluster.wait("JobDefinition", "simulate", is_ready, "is Ready")
        cluster.apply(named("ComputeEnvironment", "pool", SPECS["ComputeEnvironment"]))
        cluster.wait("BatchJob", "run", carries(SUBMISSION), "is about to be submitted")
    environment = recording.first("ComputeEnvironment", "pool", is_ready).at
    queue = recording.first("JobQueue", "main", carries(RESOLVED)).at
    ready = recording.first("JobQueue", "main", is_ready).at
    submitted = recording.first("BatchJob", "run", carries(SUBMISSION)).at
    measured("seconds from the environment to the queue:", round(queue - environment, 3))
    measured("seconds from the queue to the job:", round(submitted - ready, 3))
    # Each kind has a watch thread of its own, so what came second may be noted down first.
    assert -0.1 < queue - environment < 1
    assert -0.1 < submitted - ready < 1


def carries(annotation):
    return lambda body: annotation in body["metadata"].get("annotations", {})
