"""The installation is removed in the orders that differ in a real cluster: each comes to an end.

All orders of docs/removal.md are gone through on a control plane (tests/integration). Here pods,
namespaces and the Job of deploy/uninstall are real. Each takes an installation of its own; all of
them are gone through where E2E says "whole".
"""

import os

import pytest
from tests.support.removal import UNINSTALL
from tests.support.trial import NAMESPACE, READY
from tests.support.trial_work import in_aws

JOB = "aws-batch-operator-uninstall"
HERE = f"--namespace={NAMESPACE}"
ANOTHER = "left-first"

one_more = pytest.mark.skipif(
    os.environ.get("E2E") != "whole", reason="E2E=whole goes through all orders"
)


@pytest.fixture
def doomed(trial):
    """The trial, of which nothing stays."""
    trial.forget()
    yield trial
    left = trial.kubectl("get", "crds,namespaces,clusterroles", "--output=name").stdout
    assert [name for name in left.split() if "batch" in name] == []
    trial.may_be_left = False


def run_the_job(trial):
    """As docs/removal.md says; what it has told."""
    text = trial.with_images(trial.kubectl("kustomize", str(UNINSTALL)).stdout)
    trial.kubectl("apply", "--filename=-", input=text)
    trial.kubectl("wait", "--for=condition=complete", f"job/{JOB}", READY, HERE)
    return trial.kubectl("logs", f"job/{JOB}", HERE).stdout


def test_objects_then_the_operator_then_the_crds(doomed, steps):
    with steps.step("removed: objects"):
        doomed.work().delete()
    assert doomed.work().left_in_aws() == []
    with steps.step("removed: objects, operator"):
        doomed.remove_operator()
    with steps.step("removed: objects, operator, CRDs"):
        doomed.remove_kinds()


@one_more
def test_a_namespace_of_objects_then_the_crds_then_the_operator(doomed, steps):
    work = doomed.work(ANOTHER)
    doomed.kubectl("create", "namespace", ANOTHER)
    work.start()
    with steps.step("removed: a namespace of objects"):
        doomed.kubectl("delete", "namespace", ANOTHER, READY)
    assert work.left_in_aws() == []
    assert len(doomed.work().left_in_aws()) == 3
    with steps.step("removed: a namespace of objects, CRDs with the other objects"):
        doomed.remove_kinds()
    found = in_aws(doomed.kubectl)
    assert {kind: what for kind, what in found.items() if what} == {}
    with steps.step("removed: a namespace of objects, CRDs, operator"):
        doomed.remove_operator()


def test_the_operator_with_its_namespace_first_and_the_rest_by_the_job(doomed, steps):
    with steps.step("removed: operator with its namespace"):
        doomed.remove_operator()
    doomed.remove_kinds("--wait=false")
    assert doomed.kubectl("get", "batchjobs", "--output=name").stdout
    with steps.step("removed: operator, CRDs that hang, the Job Complete"):
        said = run_the_job(doomed)
    assert "BatchJob" in said
    assert "Left in AWS" in said
    with steps.step("removed: operator, CRDs, all of it gone"):
        doomed.remove_kinds()
        doomed.kubectl("delete", f"--kustomize={UNINSTALL}", READY)


@one_more
def test_everything_at_once_and_what_hangs_by_the_job(doomed, steps):
    at_once = "--wait=false"
    with steps.step("removed: everything at once, the Job Complete"):
        doomed.remove_kinds(at_once)
        doomed.kubectl("delete", "--filename=-", at_once, input=doomed.manifests())
        doomed.kubectl("wait", "--for=delete", f"namespace/{NAMESPACE}", READY)
        run_the_job(doomed)
    with steps.step("removed: everything at once, all of it gone"):
        doomed.remove_kinds()
        doomed.kubectl("delete", f"--kustomize={UNINSTALL}", READY)
