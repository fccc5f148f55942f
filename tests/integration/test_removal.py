"""Removal in every order, on a real API server, with a real operator: it always comes to an end.

Every order of the table in docs/removal.md: objects, operator, CRDs and the objects' namespace.
"""

import json
import secrets

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_ready
from tests.support.deadline import wait_until
from tests.support.removal import Job, orders
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import GROUP
from awsbatch_sandbox import installation
from awsbatch_sandbox.controlplane import ControlPlane

OBJECTS = [
    {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "AWSAccount",
        "metadata": {"name": "default"},
        "spec": {},
    },
    *quickstart.bodies()[:3],
    named("SchedulingPolicy", "fair", manifests.policy()),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with (
        ControlPlane(tmp_path_factory.mktemp("plane"), controllers=True) as plane,
        opened(plane, tmp_path_factory.mktemp("site")) as site,
    ):
        yield site


@pytest.fixture(scope="module")
def job(site):
    return Job.apply(site.control_plane)


@pytest.fixture
def cluster(site):
    installation.install_crds(site.control_plane.kubectl)
    name = f"team-{secrets.token_hex(4)}"
    site.control_plane.kubectl("create", "namespace", name)
    site.start()
    with site.cluster(name) as cluster:
        cluster.apply(*OBJECTS)
        for each in OBJECTS:
            cluster.wait(*quickstart.named(each), is_ready, "is Ready")
        yield cluster


def take(site, cluster, step):
    """As a person would, without waiting."""
    kubectl = site.control_plane.kubectl
    match step:
        case "objects":
            for each in OBJECTS:
                cluster.delete(*quickstart.named(each))
        case "operator":
            site.sandbox.stop_operator()
        case "CRDs":
            kubectl("delete", "--wait=false", "-k", str(installation.CRDS))
        case "namespace":
            kubectl("delete", "--wait=false", "namespace", cluster.namespace)


def left(site, cluster, steps):
    """What is still there of that which these steps remove."""
    kubectl = site.control_plane.kubectl
    crds = json.loads(kubectl("get", "crds", "-o=json").stdout)["items"]
    found = [crd["metadata"]["name"] for crd in crds if "CRDs" in steps]
    for crd in crds:
        plural = crd["spec"]["names"]["plural"]
        path = f"/apis/{GROUP}/v1alpha1/{plural}"
        answer = kubectl("get", f"--raw={path}", check=False)
        items = json.loads(answer.stdout)["items"] if answer.returncode == 0 else []
        found += [f"{plural} {each['metadata']['name']}" for each in items]
    if "namespace" in steps:
        found += kubectl("get", "ns", cluster.namespace, "-o=name", check=False).stdout.split()
    return found


def nothing_left(site, cluster, steps):
    wait_until(
        lambda: not left(site, cluster, steps),
        f"nothing of {steps} is left",
        seconds=40,
        every=0.2,
    )


def in_aws(site, cluster):
    """What AWS has of the objects of this test's namespace."""
    batch = site.client("batch")
    found = [
        *(each["jobQueueName"] for each in batch.describe_job_queues()["jobQueues"]),
        *(
            each["computeEnvironmentName"]
            for each in batch.describe_compute_environments()["computeEnvironments"]
        ),
        *(
            each["jobDefinitionName"]
            for each in batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        ),
        *(
            each["arn"].rpartition("/")[2]
            for each in batch.list_scheduling_policies()["schedulingPolicies"]
        ),
    ]
    return [name for name in found if name.startswith(f"{cluster.namespace}-")]


@pytest.mark.parametrize("order", orders(), ids="-".join)
def test_removed_one_after_the_other_it_ends_by_itself_or_by_the_job(site, job, cluster, order):
    """Whoever waits for each step while the operator runs hangs only where it went first."""
    ends, aws = orders()[order]
    done = []
    for step in order:
        take(site, cluster, step)
        done.append(step)
        if "operator" not in done:
            nothing_left(site, cluster, done)
    before = len(in_aws(site, cluster))
    if ends == "by the Job":
        assert left(site, cluster, done)
        calls = site.calls()
        ended = job.run()
        assert ended.returncode == 0, ended.stderr
        assert "Left in AWS" in ended.stdout
        assert site.calls() == calls
    nothing_left(site, cluster, done)
    assert len(in_aws(site, cluster)) == before == {"stays": 4, "removed": 0}[aws]


def test_removed_all_at_once_and_the_operator_too_the_job_ends_it_and_has_nothing_to_do_again(
    site, job, cluster
):
    steps = ("objects", "CRDs", "namespace", "operator")
    for step in steps:
        take(site, cluster, step)
    ended = job.run()
    assert ended.returncode == 0, ended.stderr
    nothing_left(site, cluster, steps)
    again = job.run()
    assert again.returncode == 0, again.stderr
    assert "there was nothing to do" in again.stdout
    assert again.stdout.count("not served (its CRD is gone), so there are no objects") == 7


def test_while_the_operator_runs_the_job_does_nothing_and_says_what_to_do(site, job, cluster):
    ended = job.run()
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "still runs" in ended.stdout
    assert "let go" not in ended.stdout
    for step in ("objects", "CRDs", "namespace"):
        take(site, cluster, step)
    nothing_left(site, cluster, ("objects", "CRDs", "namespace"))
    take(site, cluster, "operator")
