"""The installation is removed in the orders that differ in a real cluster: each comes to an end.

All orders of docs/removal.md are gone through on a control plane (tests/integration). Here pods,
namespaces and the Job of deploy/uninstall are real. Each takes an installation of its own.
"""

import re
from collections import Counter
from functools import partial

import pytest
from tests.support.deadline import wait_until
from tests.support.removal import UNINSTALL
from tests.support.trial import NAMESPACE, READY
from tests.support.trial_work import in_aws

JOB = "aws-batch-operator-uninstall"
HERE = f"--namespace={NAMESPACE}"
ANOTHER = "left-first"


@pytest.fixture
def doomed(trial):
    """The trial, of which nothing stays."""
    trial.forget()
    yield trial
    assert trial.left() == []
    trial.may_be_left = False


def hanging(work):
    """How many objects of each kind are told to go and do not; none until all are told."""
    found = work.objects()
    told = all("deletionTimestamp" in body["metadata"] for body in found)
    return Counter(body["kind"] for body in found) if told else Counter()


def run_the_job(trial):
    """As docs/removal.md says; what it has told."""
    text = trial.with_images(trial.kubectl("kustomize", str(UNINSTALL)).stdout)
    trial.kubectl("apply", "--filename=-", input=text)
    trial.kubectl("wait", "--for=condition=complete", f"job/{JOB}", READY, HERE)
    return trial.kubectl("logs", f"job/{JOB}", HERE).stdout


def test_objects_then_the_operator_then_the_crds(doomed, steps):
    work = doomed.work()
    assert len(work.left_in_aws()) == 3
    with steps.step("removed: objects"):
        work.delete()
    assert work.left_in_aws() == []
    with steps.step("removed: objects, operator"):
        doomed.remove_operator()
    with steps.step("removed: objects, operator, CRDs"):
        doomed.remove_kinds()


def test_a_namespace_of_objects_then_the_crds_then_the_operator(doomed, steps):
    work = doomed.work(ANOTHER)
    doomed.kubectl("create", "namespace", ANOTHER)
    with steps.step("another namespace: quickstart Complete"):
        work.start()
    assert len(work.left_in_aws()) == 3
    work.submit(["cut-short"])  # still on its way when all of it is deleted
    with steps.step("removed: a namespace of objects"):
        doomed.kubectl("delete", "namespace", ANOTHER, READY)
    assert work.left_in_aws() == []
    with steps.step("a namespace of objects is gone: a new job Complete"):
        doomed.work().run("after-a-namespace")
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
    held = wait_until(partial(hanging, doomed.work()), "all objects are told to go", every=1)
    assert len(held) == 4
    with steps.step("removed: operator, CRDs that hang, the Job Complete"):
        said = run_the_job(doomed)
    told = re.findall(r"^(\w+) +(\d+) let go", said, re.MULTILINE)
    assert {kind: int(number) for kind, number in told} == held
    assert "Left in AWS" in said
    with steps.step("removed: operator, CRDs, all of it gone"):
        doomed.remove_kinds()
        doomed.kubectl("delete", f"--kustomize={UNINSTALL}", READY)


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
