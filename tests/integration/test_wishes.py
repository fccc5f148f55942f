"""What a user can ask for beside the spec: pause, look again, keep, another account."""

import pytest
from tests.support import manifests
from tests.support.cluster import is_complete, is_ready, is_true, message
from tests.support.deadline import wait_until
from tests.support.whole_life import account, named, runs

from awsbatch_operator.api.metadata import PAUSED

ELSEWHERE = "666677778888"
ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, POLICY = ("JobDefinition", "simulate"), ("SchedulingPolicy", "fair")
JOB = ("BatchJob", "run")
PAUSE, RESUME = {PAUSED: "true"}, {PAUSED: None}
is_paused = is_true("Paused")


def logged(site, cluster):
    """What the operator's log says was done with all that is in the namespace."""
    return [what for what, _, _ in site.deeds(cluster.namespace, at_least=3)]


@pytest.fixture
def environment(cluster):
    """One that is Ready; its status."""
    cluster.apply(named(*ENVIRONMENT, manifests.environment()))
    return cluster.wait(*ENVIRONMENT, is_ready, "is Ready")["status"]


def in_aws(site, name):
    found = site.client("batch").describe_compute_environments(computeEnvironments=[name])
    return found["computeEnvironments"][0]


def events(cluster, kind, name):
    return [event["reason"] for event in cluster.events(kind, name)]


def test_while_it_is_paused_nothing_changes_in_aws_and_then_it_does(site, cluster, environment):
    name = environment["awsName"]
    cluster.annotate(*ENVIRONMENT, PAUSE)
    cluster.wait(*ENVIRONMENT, is_paused, "is Paused")
    cluster.edit(*ENVIRONMENT, {"spec": {"computeResources": {"maxvCpus": 32}}})
    paused = cluster.wait(*ENVIRONMENT, is_paused, "is Paused in its new generation")
    assert in_aws(site, name)["computeResources"]["maxvCpus"] == 16
    assert paused["status"]["observedGeneration"] < paused["metadata"]["generation"]
    assert message(paused, "Ready") == "The compute environment is VALID and ENABLED."
    cluster.annotate(*ENVIRONMENT, RESUME)
    cluster.wait(*ENVIRONMENT, is_ready, "is Ready again")
    assert in_aws(site, name)["computeResources"]["maxvCpus"] == 32
    assert logged(site, cluster) == ["created", "ready", "changed"]


def test_a_word_that_is_neither_true_nor_false_pauses_and_is_told(site, cluster, environment):
    annotation = next(iter(PAUSE))
    cluster.annotate(*ENVIRONMENT, {annotation: "yes"})
    paused = cluster.wait(*ENVIRONMENT, is_paused, "is Paused")
    assert "is 'yes', which is neither 'true' nor 'false'" in message(paused, "Paused")
    cluster.annotate(*ENVIRONMENT, RESUME)
    cluster.wait(*ENVIRONMENT, is_ready, "is Ready again")


def test_a_deletion_waits_while_it_is_paused(site, cluster, environment):
    cluster.annotate(*ENVIRONMENT, PAUSE)
    cluster.wait(*ENVIRONMENT, is_paused, "is Paused")
    cluster.delete(*ENVIRONMENT)
    going = cluster.wait(*ENVIRONMENT, is_going_and_paused, "is Paused on its way out")
    assert "awsbatch.dev/paused" in message(going, "Paused")
    assert in_aws(site, environment["awsName"])["state"] == "ENABLED"
    cluster.annotate(*ENVIRONMENT, RESUME)
    cluster.wait_gone(ENVIRONMENT)


def is_going_and_paused(body):
    return "deletionTimestamp" in body["metadata"] and is_paused(body)


def test_what_is_applied_paused_comes_to_aws_when_it_is_resumed(site, cluster):
    body = named(*ENVIRONMENT, manifests.environment())
    cluster.apply(body | {"metadata": {"name": "pool", "annotations": PAUSE}})
    cluster.wait(*ENVIRONMENT, is_paused, "is Paused")
    everything = site.client("batch").describe_compute_environments()["computeEnvironments"]
    owners = [each["tags"]["awsbatch.dev/namespace"] for each in everything]
    assert cluster.namespace not in owners
    cluster.annotate(*ENVIRONMENT, RESUME)
    cluster.wait(*ENVIRONMENT, is_ready, "is Ready")


def test_asked_to_look_again_it_repairs_at_once_what_nothing_else_would_have_told(site, cluster):
    cluster.apply(named(*POLICY, manifests.policy()))
    arn = cluster.wait(*POLICY, is_ready, "is Ready")["status"]["arn"]
    batch = site.client("batch")
    other = {"shareDecaySeconds": 1200}
    batch.update_scheduling_policy(arn=arn, fairsharePolicy=other)
    cluster.nudge(*POLICY)
    wait_until(lambda: "DriftRepaired" in events(cluster, *POLICY), "it is told", seconds=5)
    found = batch.describe_scheduling_policies(arns=[arn])["schedulingPolicies"][0]
    assert found["fairsharePolicy"]["shareDecaySeconds"] == 600
    assert logged(site, cluster) == ["created", "ready", "repaired"]


def test_what_is_changed_in_aws_is_changed_back(site, cluster, environment):
    name = environment["awsName"]
    site.client("batch").update_compute_environment(
        computeEnvironment=name, computeResources={"maxvCpus": 64}
    )
    assert in_aws(site, name)["computeResources"]["maxvCpus"] == 64
    wait_until(lambda: in_aws(site, name)["computeResources"]["maxvCpus"] == 16, "it is repaired")
    cluster.wait(*ENVIRONMENT, is_ready, "is Ready again")


def test_a_queue_that_somebody_has_disabled_is_mended_before_a_job_is_called_wrong(
    site, cluster, environment
):
    cluster.apply(named(*QUEUE, manifests.queue()), named(*DEFINITION, manifests.definition()))
    for each in (QUEUE, DEFINITION):
        cluster.wait(*each, is_ready, "is Ready")
    name = cluster.get(*QUEUE)["status"]["awsName"]
    site.client("batch").update_job_queue(jobQueue=name, state="DISABLED")
    cluster.apply(named(*JOB, manifests.job()))
    cluster.wait(*JOB, is_submitted, "is submitted")
    assert "InvalidRequest" not in events(cluster, *JOB)


def is_submitted(body):
    return "jobId" in body["status"]


def test_what_is_to_be_retained_stays_and_is_taken_up_again(site, cluster, environment):
    arn = environment["arn"]
    cluster.edit(*ENVIRONMENT, {"spec": {"deletionPolicy": "Retain"}})
    cluster.wait(*ENVIRONMENT, is_ready, "is Ready")
    before = in_aws(site, environment["awsName"])
    cluster.delete(*ENVIRONMENT)
    cluster.wait_gone(ENVIRONMENT)
    assert in_aws(site, environment["awsName"]) == before
    wait_until(lambda: "Retained" in events(cluster, *ENVIRONMENT), "it is told")
    cluster.apply(named(*ENVIRONMENT, manifests.environment()))
    assert cluster.wait(*ENVIRONMENT, is_ready, "is Ready")["status"]["arn"] == arn
    wait_until(lambda: "Reowned" in events(cluster, *ENVIRONMENT), "it is told")
    assert "Created" not in events(cluster, *ENVIRONMENT)[1:]


def test_jobs_of_an_account_run_there_and_the_account_stays_while_they_need_it(site, cluster):
    name = f"lab-{cluster.namespace}"
    here = {"accountRef": {"name": name}}
    site.script(jobName="long-*", durationSeconds=3600)
    profile = f"arn:aws:iam::{ELSEWHERE}:instance-profile/ecsInstanceRole"
    lasting = {
        ENVIRONMENT: manifests.environment(instanceRole=profile),
        QUEUE: manifests.queue("pool"),
        DEFINITION: manifests.definition(),
    }
    jobs = [("BatchJob", "short"), ("BatchJob", "long")]
    cluster.apply(account(name, ELSEWHERE, cluster.namespace))
    cluster.apply(*(named(*each, spec | here) for each, spec in lasting.items()))
    cluster.apply(*(named(*job, manifests.job(**here)) for job in jobs))
    done = cluster.wait(*jobs[0], is_complete, "is Complete")["status"]
    running = cluster.wait(*jobs[1], runs, "runs")["status"]
    assert done["accountId"] == ELSEWHERE
    ids = [done["jobId"], running["jobId"]]
    assert site.client("batch").describe_jobs(jobs=ids)["jobs"] == []
    assert len(site.client("batch", account=ELSEWHERE).describe_jobs(jobs=ids)["jobs"]) == 2
    cluster.delete("AWSAccount", name)
    blocked = cluster.wait("AWSAccount", name, is_true("DeletionBlocked"), "is blocked")
    said = message(blocked, "DeletionBlocked")
    for kind, each in (*lasting, jobs[1]):  # the other job needs nothing any more
        assert f"{kind} {cluster.namespace}/{each}" in said
    for owned in (*jobs, *lasting):
        cluster.delete(*owned)
    cluster.wait_gone(("AWSAccount", name))
    assert cluster.all() == []
    left = site.client("batch", account=ELSEWHERE).describe_jobs(jobs=ids)["jobs"]
    assert {job["status"] for job in left} == {"SUCCEEDED", "FAILED"}
