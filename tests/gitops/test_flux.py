"""Flux's own kustomize-controller reconciles the examples, as docs/gitops.md says."""

import json
from typing import Any

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_complete, is_ready, is_true
from tests.support.deadline import wait_until
from tests.support.flux import as_files, files_of
from tests.support.whole_life import named

EXAMPLES = (
    "quickstart",
    "one-file",
    "dependency-chain",
    "fair-share",
    "fargate",
    "parameter-sweep",
)
ROUNDS = 3
MINUTE = 60.0
pytestmark = pytest.mark.timeout(600)


def applied(controller: Any, revision: str) -> list[dict[str, str]]:
    """What the controller's log tells of its rounds with a revision: each object, what was done."""
    lines = [
        json.loads(line) for line in controller.log.read_text().splitlines() if line[:1] == "{"
    ]
    return [
        line["output"]
        for line in lines
        if line["msg"] == "server-side apply completed" and line["revision"] == revision
    ]


def versions(cluster):
    return {
        (body["kind"], body["metadata"]["name"]): body["metadata"]["resourceVersion"]
        for body in cluster.all()
    }


def test_the_examples_become_ready_and_their_jobs_succeed(followed):
    begun = []
    for folder in EXAMPLES:
        cluster, repository = followed()
        revision = repository.push(files_of(folder))
        repository.follow()
        begun.append((cluster, repository, revision))
    for cluster, repository, revision in begun:
        status = repository.wait_applied(revision, seconds=3 * MINUTE)["status"]
        found = cluster.all()
        assert len(status["inventory"]["entries"]) == len(found)
        for body in found:
            look = is_complete if body["kind"] == "BatchJob" else is_ready
            assert look(body), f"Flux has called it healthy: {body}"


def test_nothing_is_written_in_the_rounds_that_follow(followed, controller):
    cluster, repository = followed()
    revision = repository.push(files_of("quickstart"))
    repository.follow()
    repository.wait_applied(revision)
    cluster.wait(*quickstart.ENVIRONMENT, is_scaled_down, "has no instance any more")
    before, rounds, told = (
        versions(cluster),
        repository.rounds(),
        len(applied(controller, revision)),
    )
    wait_until(lambda: repository.rounds() >= rounds + ROUNDS, "some more rounds", seconds=60)
    assert versions(cluster) == before
    since = applied(controller, revision)[told:]
    assert len(since) >= ROUNDS
    assert {done for each in since for done in each.values()} == {"unchanged"}


def is_scaled_down(body):
    return body["status"].get("vCPUs", {}).get("desired") == 0


def test_what_the_crd_refuses_is_told_in_our_words_and_the_mended_commit_is_applied(followed):
    cluster, repository = followed()
    wrong = manifests.environment(minvCpus=32)
    repository.push(as_files(named("ComputeEnvironment", "mistaken", wrong)))
    repository.follow()
    said = repository.wait_refused("ReconciliationFailed")
    assert "minvCpus" in said
    assert "mistaken" in said
    assert cluster.all() == []
    mended = repository.push(
        as_files(named("ComputeEnvironment", "mistaken", manifests.environment()))
    )
    repository.wait_applied(mended)


def test_what_needs_a_person_fails_the_health_check_at_once_and_heals(site, followed):
    cluster, repository = followed()
    fault = site.fault("deny", service="batch", operation="CreateComputeEnvironment")
    revision = repository.push(
        as_files(named("ComputeEnvironment", "refused", manifests.environment()))
    )
    repository.follow()
    said = repository.wait_refused("HealthCheckFailed")  # its time-out is five minutes
    assert f"ComputeEnvironment/{cluster.namespace}/refused status: 'Failed'" in said
    site.mend(fault)
    cluster.nudge("ComputeEnvironment", "refused")
    repository.wait_applied(revision)


def with_ttl(annotations):
    *infrastructure, job = quickstart.bodies()
    job["metadata"]["annotations"] = annotations
    job["spec"]["ttlSecondsAfterFinished"] = 1
    return as_files(*infrastructure, job)


def test_a_finished_job_is_kept_in_spite_of_its_ttl_and_does_not_run_again(followed):
    cluster, repository = followed()
    revision = repository.push(with_ttl({}))
    repository.follow()
    repository.wait_applied(revision)
    job = cluster.wait(*quickstart.JOB, is_true("TTLIgnored"), "says that its ttl is ignored")
    rounds = repository.rounds()
    wait_until(lambda: repository.rounds() >= rounds + ROUNDS, "some more rounds", seconds=60)
    kept = cluster.get(*quickstart.JOB)
    assert kept["metadata"]["uid"] == job["metadata"]["uid"]
    assert kept["status"]["run"] == 1


def test_a_job_whose_ttl_is_to_count_is_deleted_and_flux_lets_it_run_again(followed):
    cluster, repository = followed()
    repository.push(with_ttl({"awsbatch.dev/ttl-with-gitops": "true"}))
    repository.follow(wait=False)
    first = cluster.wait(*quickstart.JOB, is_complete, "is Complete")

    def another(body):
        return body["metadata"]["uid"] != first["metadata"]["uid"]

    cluster.wait(*quickstart.JOB, another, "is created again")


def test_what_a_commit_takes_away_is_pruned_and_all_of_it_goes_with_the_kustomization(
    site, followed
):
    cluster, repository = followed()
    revision = repository.push(as_files(*quickstart.bodies()))
    repository.follow()
    repository.wait_applied(revision)
    without = repository.push(as_files(*quickstart.bodies()[:-1]))
    repository.wait_applied(without)
    cluster.wait_gone(quickstart.JOB)
    assert len(cluster.all()) == len(quickstart.ALL) - 1
    repository.remove()
    cluster.wait_gone()
    ended = [
        (kind, name)
        for done, kind, name in site.deeds(cluster.namespace, at_least=12)
        if done == "ended"
    ]
    assert ended.index(quickstart.QUEUE) < ended.index(quickstart.ENVIRONMENT)
    assert quickstart.DEFINITION in ended
