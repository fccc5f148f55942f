"""examples/quickstart on the real API server: applied in any order, really run, deleted in any."""

import json
import random
from collections import Counter
from functools import partial

import pytest
from tests.support import quickstart
from tests.support.cluster import is_complete, is_ready, is_true
from tests.support.deadline import wait_until
from tests.support.quickstart import ALL, DEFINITION, ENVIRONMENT, JOB, QUEUE
from tests.support.site import opened
from tests.support.whole_life import runs

SEEDS = [1, 2, 3, 4]
# What the operator's log tells of a life: a line each, but two of a definition, of which the end of
# its revision is told as well.
DEEDS = Counter(
    {
        **{("created", *each): 1 for each in ALL},
        **{("ready", *each): 1 for each in (ENVIRONMENT, QUEUE, DEFINITION)},
        **{("ended", *each): 1 for each in (ENVIRONMENT, QUEUE, JOB)},
        ("ended", *DEFINITION): 2,
    }
)


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """As everywhere, but the jobs' commands really run. What went well is not told as trouble."""
    with opened(control_plane, tmp_path_factory.mktemp("site"), runner="process") as site:
        operator = site.start()
        yield site
        lines = [json.loads(line) for line in operator.log.read_text().splitlines()]
    assert [line for line in lines if is_trouble(line)] == []


def is_trouble(line):
    return line["level"] in {"warning", "error"}


def shuffled(seed):
    return random.Random(seed).sample(quickstart.bodies(), k=len(ALL))


def apply_one_by_one(cluster, bodies):
    """The operator looks at each before the next one is there: every order really is one."""
    for body in bodies:
        cluster.apply(body)
        cluster.wait(*quickstart.named(body), has_been_seen, "has been seen")


def delete_one_by_one(cluster, bodies):
    for kind, name in map(quickstart.named, bodies):
        cluster.delete(kind, name)
        wait_until(partial(has_been_seen_to_go, cluster, kind, name), f"{kind} is seen to go")


def has_been_seen(body):
    return body["status"]["observedGeneration"] == body["metadata"]["generation"]


def has_been_seen_to_go(cluster, kind, name):
    body = cluster.get(kind, name)
    return body is None or is_true("Reconciling", "DeletionBlocked")(body)


def in_aws(site, namespace):
    """Names of all that AWS holds of a namespace and has not been told to forget."""
    batch = site.client("batch")
    environments = batch.describe_compute_environments()["computeEnvironments"]
    queues = batch.describe_job_queues()["jobQueues"]
    definitions = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    found = [
        *((each["computeEnvironmentName"], each["tags"]) for each in environments),
        *((each["jobQueueName"], each["tags"]) for each in queues),
        *((each["jobDefinitionName"], each["tags"]) for each in definitions),
    ]
    return sorted(name for name, tags in found if tags["awsbatch.dev/namespace"] == namespace)


def running_instances(site):
    reservations = site.client("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    )["Reservations"]
    return [instance for each in reservations for instance in each["Instances"]]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_converges_in_whatever_order_it_is_applied_and_deleted(site, cluster, seed):
    apply_one_by_one(cluster, shuffled(seed))
    job = cluster.wait(*JOB, is_complete, "is Complete")
    for each in (ENVIRONMENT, QUEUE, DEFINITION):
        cluster.wait(*each, is_ready, "is Ready")
    assert len(in_aws(site, cluster.namespace)) == 3
    queue = job["status"]["jobQueueArn"].rpartition("/")[2]
    assert queue in in_aws(site, cluster.namespace)  # each namespace has its own
    delete_one_by_one(cluster, shuffled(seed + len(SEEDS)))
    cluster.wait_gone()
    assert Counter(site.deeds(cluster.namespace, at_least=DEEDS.total())) == DEEDS
    assert in_aws(site, cluster.namespace) == [], site.said(cluster.namespace)
    wait_until(lambda: not running_instances(site), "no instance is left")


def test_the_command_really_runs_and_its_output_and_result_stand_in_the_status(cluster):
    cluster.apply(*quickstart.bodies())
    status = cluster.wait(*JOB, is_complete, "is Complete")["status"]
    lines = status["logs"]["lastLines"]
    assert any(line.startswith("Filesystem") for line in lines)  # df's header
    assert f"AWS_BATCH_JOB_ID={status['jobId']}" in lines
    assert lines[-1] == f"job {status['jobId']}, attempt 1: the disk is as above"
    assert (status["awsStatus"], status["exitCode"], status["attemptCount"]) == ("SUCCEEDED", 0, 1)
    assert status["attempts"][0]["logStreamName"] == status["logs"]["stream"]


def test_a_command_that_fails_leaves_its_exit_code_and_its_last_words(cluster):
    environment, queue, definition, job = quickstart.bodies()
    container = definition["spec"]["containerProperties"]
    container["command"] = ["sh", "-c", "echo the input is missing; exit 3"]
    cluster.apply(environment, queue, definition, job)
    failed = cluster.wait(*JOB, is_true("Failed"), "is Failed")
    status = failed["status"]
    assert (status["exitCode"], status["attemptCount"]) == (3, 2)  # as its retryStrategy says
    assert status["failure"] == "ApplicationExit"
    assert status["logs"]["lastLines"] == ["the input is missing"]


def test_all_that_is_deleted_just_after_it_was_applied_goes(site, cluster):
    cluster.apply(*quickstart.bodies())
    for kind, name in random.Random(1).sample(ALL, k=len(ALL)):
        cluster.delete(kind, name)
    cluster.wait_gone()
    assert in_aws(site, cluster.namespace) == [], site.said(cluster.namespace)


def test_kubectl_waits_for_the_job_and_for_the_end_of_the_namespace(site, cluster):
    kubectl, here = site.control_plane.kubectl, f"--namespace={cluster.namespace}"
    kubectl("apply", f"--kustomize={quickstart.DIRECTORY}", here)
    kubectl("wait", "--for=condition=complete", "batchjob/first-run", here, "--timeout=40s")
    kubectl("wait", "--for=condition=ready", "jobqueue/main", here, "--timeout=1s")
    *_, job = quickstart.bodies()
    spec = {**job["spec"], "containerOverrides": {"command": ["sleep", "900"]}}
    cluster.apply({**job, "metadata": {"name": "at-work"}, "spec": spec})
    cluster.wait("BatchJob", "at-work", runs, "runs")
    kubectl("delete", "namespace", cluster.namespace, "--timeout=50s")
    assert in_aws(site, cluster.namespace) == [], site.said(cluster.namespace)
