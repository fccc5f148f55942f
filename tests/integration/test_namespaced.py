"""The overlay for one namespace: who may install it, and an operator of the cluster beside it."""

import time

import pytest
import yaml
from tests.support import manifests, quickstart
from tests.support.api_server import ApiServer
from tests.support.cluster import Cluster, is_complete, is_ready
from tests.support.deadline import wait_until
from tests.support.namespace_admin import NamespaceAdmin
from tests.support.removal import Job
from tests.support.site import QUICK, Site, opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import FINALIZER, GROUP, INSTALLATION
from awsbatch_sandbox import installation
from awsbatch_sandbox.paths import REPOSITORY


@pytest.fixture(scope="module")
def plane(control_plane):
    """What a cluster administrator installs for everybody."""
    installation.install_crds(control_plane.kubectl, REPOSITORY / "deploy" / "crds")
    return control_plane


@pytest.fixture(scope="module")
def team(plane, tmp_path_factory):
    """Who has ClusterRole admin in a namespace, and nothing else, has installed an operator."""
    admin = NamespaceAdmin(plane, "team-a")
    admin.appoint()
    directory = admin.kustomization(tmp_path_factory.mktemp("team") / "operator")
    built = plane.kubectl("kustomize", str(directory)).stdout
    bodies = list(yaml.safe_load_all(built))
    assert len(admin.apply(directory)) == len(bodies)
    assert {body["metadata"]["namespace"] for body in bodies} == {"team-a"}
    assert "awsbatch-system" not in built
    return admin


def test_who_has_admin_in_a_namespace_may_install_an_operator_there_and_no_more(plane, team):
    assert team.may("create", "batchjobs.awsbatch.dev")
    assert not team.may("patch", "batchjobs.awsbatch.dev", "--subresource=status")
    assert not team.may("bind", "clusterrole/aws-batch-operator-namespaced", of="default")
    assert not team.may("bind", "clusterrole/aws-batch-operator")
    account = "--as=system:serviceaccount:team-a:aws-batch-operator"
    everywhere = plane.kubectl("auth", "can-i", "--list", account, "--namespace=default").stdout
    assert GROUP not in everywhere
    assert "leases" not in everywhere


def test_an_operator_of_a_namespace_and_one_of_the_cluster_do_not_write_into_the_others_objects(
    plane, team, tmp_path, measured
):
    account = plane.service_account_kubeconfig(team.namespace, "aws-batch-operator")
    identity = {"KUBECONFIG": str(account), "POD_NAMESPACE": team.namespace}
    noted = {INSTALLATION: f"{team.namespace}/aws-batch-operator"}
    theirs = {"metadata": {"name": "fair", "annotations": noted}}
    with opened(plane, tmp_path) as site:
        site.start("cluster", resync_seconds="1")
        words = {**QUICK, "--namespaces": team.namespace, "--cluster-id": "team-a"}
        words["--resync-seconds"] = "1"
        site.sandbox.start_operator(
            *(word for flag in words.items() for word in flag), name="team", environ=identity
        )
        with site.cluster(team.namespace) as cluster, site.cluster("default") as other:
            other.apply(named("SchedulingPolicy", "fair", manifests.policy()))
            other.wait("SchedulingPolicy", "fair", is_ready, "is Ready")
            # That it was made, and that it is Ready, is told after the status says so.
            wait_until(lambda: site.metric("events_total", operator="cluster") >= 2, "it is told")
            wrote = writes(site, "cluster")
            cluster.apply(named("SchedulingPolicy", "fair", manifests.policy()) | theirs)
            cluster.wait("SchedulingPolicy", "fair", is_ready, "is Ready")
            cluster.apply(*quickstart.bodies())
            cluster.wait(*quickstart.JOB, is_complete, "is Complete")
            assert site.metric("objects_of_others", operator="cluster") == len(cluster.all())
            before, began = versions(cluster, other), time.monotonic()
            passes = site.metric("resync_passes_total", operator="cluster")
            wait_until(
                lambda: site.metric("resync_passes_total", operator="cluster") > passes + 1,
                "it has looked at everything again",
            )
            measured("seconds at rest, with 0 writes:", round(time.monotonic() - began, 1))
            assert versions(cluster, other) == before
            for body in cluster.all():
                cluster.delete(body["kind"], body["metadata"]["name"])
            cluster.wait_gone()
            measured("writes of the one into the other's:", writes(site, "cluster") - wrote)
            assert writes(site, "cluster") == wrote
            other.delete("SchedulingPolicy", "fair")
            other.wait_gone(("SchedulingPolicy", "fair"))


def test_who_has_admin_in_a_namespace_lets_go_of_what_is_there_and_of_nothing_else(
    plane, team, tmp_path
):
    directory = team.removal(tmp_path / "removal")
    built = list(yaml.safe_load_all(plane.kubectl("kustomize", str(directory)).stdout))
    assert len(team.apply(directory)) == len(built)
    assert {body["metadata"]["namespace"] for body in built} == {team.namespace}
    body = named("SchedulingPolicy", "held", manifests.policy())
    body["metadata"]["finalizers"] = [FINALIZER]
    with ApiServer(plane) as api:
        here, elsewhere = Cluster(api, team.namespace), Cluster(api, "default")
        for each in (here, elsewhere):
            each.apply(body)
            each.delete("SchedulingPolicy", "held")
        ended = Job.made_by(plane, built).run()
        assert ended.returncode == 0, f"{ended.stdout} {ended.stderr}"
        assert "SchedulingPolicy    1 let go" in ended.stdout
        assert here.get("SchedulingPolicy", "held") is None
        assert elsewhere.get("SchedulingPolicy", "held") is not None
        plane.kubectl(
            *("patch", "schedulingpolicy", "held", "--namespace=default", "--type=merge"),
            '--patch={"metadata":{"finalizers":[]}}',
        )


def writes(site: Site, operator: str) -> float:
    """How many one of the operators has made, events among them."""
    counted = ("kube_writes_total", "events_total")
    return sum((site.metric(name, operator=operator) for name in counted), 0.0)


def versions(*clusters: Cluster) -> list[str]:
    """Of all objects: whatever is written into one changes its own."""
    return [body["metadata"]["resourceVersion"] for each in clusters for body in each.all()]
