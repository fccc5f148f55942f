"""An operator of one namespace, installed by its administrator, beside that of the cluster."""

import time

import pytest
from tests.support.audit import noted, writes
from tests.support.namespace_admin import NamespaceAdmin
from tests.support.trial import NAMESPACE, OPERATOR, READY

TEAM = "team-a"
SECONDS = 60.0


@pytest.fixture(scope="module")
def hers(installed, removes, steps, tmp_path_factory):
    """What the operator of the team serves; the team's administrator has installed it."""
    installed.ensure()
    admin = NamespaceAdmin(installed.cluster, TEAM)
    admin.appoint()
    container = {
        "name": "operator",
        "image": installed.cluster.images.operator,
        "env": installed.environment(),
    }
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": OPERATOR},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    directory = admin.kustomization(
        tmp_path_factory.mktemp("team") / "operator",
        settings=["region=eu-central-1"],
        patches=[patch],
    )
    work = installed.work(TEAM, installation=f"{TEAM}/{OPERATOR}")
    kubectl, herself, there = installed.kubectl, f"--as={admin.user}", f"--namespace={TEAM}"
    try:
        installed.give_keys(TEAM, herself)
        with steps.step("installed in a namespace by its administrator: Ready"):
            admin.apply(directory)
            kubectl("rollout", "status", f"deployment/{OPERATOR}", READY, there, herself)
        yield work
    finally:
        if removes():
            with steps.step("removed from the namespace by its administrator"):
                work.delete()
                kubectl("delete", f"--kustomize={directory}", "--ignore-not-found", READY, herself)
            kubectl("delete", "namespace", TEAM, READY)


def test_an_operator_of_one_namespace_runs_its_jobs(hers, steps):
    with steps.step("installed in a namespace: quickstart Complete"):
        hers.start()
    assert {body["status"]["installation"] for body in hers.objects()} == {hers.installation}


def test_two_installations_side_by_side_write_nothing_into_the_others_objects(trial, hers, steps):
    machine = trial.cluster.machine
    if machine is None:
        pytest.skip("nobody tells here who has written what")
    ours, log = trial.work(), machine.place.audit.log
    hers.start()
    before, began, turns = len(noted(log)), time.monotonic(), 0
    with steps.step(f"two installations at work side by side for {SECONDS:.0f} s"):
        while time.monotonic() < began + SECONDS:
            turns += 1
            for work in (ours, hers):
                work.submit([f"side-by-side-{turns}"])
            for work in (ours, hers):
                work.wait_complete([f"side-by-side-{turns}"])
    written = writes(noted(log)[before:])
    account = "system:serviceaccount:{}:aws-batch-operator".format
    places = {
        who: {place for (writer, place) in written if writer == account(who)}
        for who in (NAMESPACE, TEAM)
    }
    assert places == {NAMESPACE: {ours.namespace}, TEAM: {TEAM}}
