"""The operator's chart goes whatever has become of the CRDs, which it has none of."""

import json

import pytest
from tests.support.charts import CRDS, LAB, NAME, OPERATOR
from tests.support.removal import Job

from awsbatch_operator.api.metadata import FINALIZER
from awsbatch_sandbox.paths import REPOSITORY

CRD_RELEASE = f"{NAME}-crds"
WHERE = "--namespace=batch-for-a-while"
QUEUE = str(REPOSITORY / "examples" / "second-queue.yaml")


def found(kubectl, kinds, selector=""):
    """The objects of these kinds, in whatever namespace."""
    listed = kubectl("get", kinds, "-A", "-o", "json", *([selector] if selector else []))
    return json.loads(listed.stdout)["items"]


def crds(kubectl):
    names = [each["metadata"]["name"] for each in found(kubectl, "crds")]
    return [f"crd/{name}" for name in names if name.endswith(".awsbatch.dev")]


@pytest.fixture
def both_charts(helm, kubectl):
    """Both are installed, and the kinds are served; what is left of them goes.

    An API server that is to delete a CRD of which it has not set the storage up ("storage is
    (re)initializing") tries again after half a minute. Who has read the kind has seen it set up.
    """
    helm("install", CRD_RELEASE, str(CRDS), WHERE, "--create-namespace", "--take-ownership")
    kubectl("wait", "--for=condition=established", "--timeout=30s", *crds(kubectl))
    kubectl.forget()
    found(kubectl, ",".join(name.removeprefix("crd/") for name in crds(kubectl)))
    helm("install", NAME, str(OPERATOR), WHERE, values=LAB)
    yield
    helm("uninstall", NAME, CRD_RELEASE, WHERE, "--ignore-not-found")
    if left := crds(kubectl):
        kubectl("delete", "--timeout=30s", *left)
    kubectl.forget()


def operators(kubectl):
    """All that the operator's release has made."""
    kinds = "deployments,services,configmaps,serviceaccounts,roles,clusterroles,rolebindings"
    return found(kubectl, kinds, f"--selector=app.kubernetes.io/instance={NAME}")


def test_the_operator_stays_able_to_work_when_the_chart_of_the_crds_goes_and_then_goes_itself(
    helm, kubectl, both_charts
):
    helm("uninstall", CRD_RELEASE, WHERE)
    kept = {each["metadata"]["name"] for each in found(kubectl, "clusterroles")}
    assert {f"{NAME}-namespaced", f"{NAME}-view", f"{NAME}-edit"} <= kept
    assert len(crds(kubectl)) == 7
    assert operators(kubectl)
    helm("uninstall", NAME, WHERE)
    assert operators(kubectl) == []
    assert len(crds(kubectl)) == 7


def test_the_operators_chart_goes_when_the_crds_have_been_deleted(helm, kubectl, both_charts):
    helm("uninstall", CRD_RELEASE, WHERE)
    kubectl("delete", "--timeout=30s", *crds(kubectl))
    helm("uninstall", NAME, WHERE)
    assert operators(kubectl) == []


def test_the_operators_chart_goes_while_crds_wait_for_an_object_that_the_job_lets_go(
    helm, kubectl, control_plane, both_charts
):
    kubectl("apply", "-f", QUEUE)
    held = json.dumps({"metadata": {"finalizers": [FINALIZER]}})
    kubectl("patch", "-f", QUEUE, "--type=merge", "--patch", held)
    helm("uninstall", CRD_RELEASE, WHERE)
    kubectl("delete", "--wait=false", *crds(kubectl))
    helm("uninstall", NAME, WHERE)
    assert operators(kubectl) == []
    kubectl("wait", "--for=condition=terminating", "--timeout=30s", "crd/jobqueues.awsbatch.dev")
    [left] = found(kubectl, "jobqueues.awsbatch.dev")
    assert left["metadata"]["deletionTimestamp"]
    job = Job.apply(control_plane)
    ended = job.run()
    job.delete()
    assert ended.returncode == 0, ended.stderr
    assert "JobQueue            1 let go" in ended.stdout
    kubectl("wait", "--for=delete", "--timeout=30s", "crd/jobqueues.awsbatch.dev")
