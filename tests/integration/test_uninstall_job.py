"""The Job of deploy/uninstall: what it brings, what it may, and that it lets go."""

import json

import pytest
import yaml
from tests.integration.test_deploy import DEPLOY, rules
from tests.support import manifests
from tests.support.api_server import ApiServer
from tests.support.cluster import Cluster
from tests.support.removal import UNINSTALL, Job
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import FINALIZER

POLICY = ("SchedulingPolicy", "fair")


@pytest.fixture
def job(control_plane, crds):
    applied = Job.apply(control_plane)
    yield applied
    applied.delete()


@pytest.fixture
def cluster(control_plane, namespace):
    with ApiServer(control_plane) as api:
        yield Cluster(api, namespace)


def test_its_pod_is_let_in_under_the_restricted_profile(control_plane, job):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "uninstall", "namespace": job.namespace},
        "spec": job.pod,
    }
    control_plane.kubectl(
        "create", "--dry-run=server", "--filename=-", input=json.dumps(pod)
    )  # KubectlFailed if the profile refuses it
    [namespace] = yaml.safe_load_all((UNINSTALL / "namespace.yaml").read_text())
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_it_may_do_what_the_operator_may_and_nothing_else():
    made = list(yaml.safe_load_all((UNINSTALL / "rights.yaml").read_text()))
    mine = {rule for role in made if "rules" in role for rule in rules(role)}
    operators = set()
    for name in ("cluster-role", "lease-role"):
        operators |= rules(next(yaml.safe_load_all((DEPLOY / "base" / f"{name}.yaml").read_text())))
    assert mine <= operators
    kinds = {(resource, verb) for group, resource, verb in mine if group == "awsbatch.dev"}
    listed = {resource for _, resource, verb in operators if verb == "list"}
    assert kinds == {(resource, verb) for resource in listed for verb in ("get", "list", "patch")}


def test_what_nobody_would_let_go_it_lets_go(cluster, job):
    body = named(*POLICY, manifests.policy())
    cluster.apply({**body, "metadata": {**body["metadata"], "finalizers": [FINALIZER]}})
    cluster.delete(*POLICY)
    assert cluster.get(*POLICY) is not None
    ended = job.run()
    assert ended.returncode == 0, ended.stderr
    assert "SchedulingPolicy    1 let go" in ended.stdout
    assert cluster.get(*POLICY) is None
