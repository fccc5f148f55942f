"""Two more installations beside that of the cluster: for one namespace, and a release of Helm's.

The administrator of a namespace installs the first. It and that of the cluster are at work for a
minute, while the second is installed, upgraded and rolled back: each of the three writes into its
own objects only.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.support import chart_tools
from tests.support.at_work import AtWork
from tests.support.audit import noted, writes
from tests.support.charts import Helm
from tests.support.namespace_admin import NamespaceAdmin
from tests.support.release import Release, load_until
from tests.support.trial import NAMESPACE, OPERATOR, READY

TEAM, RELEASED = "team-a", "by-helm"
REPLICAS = 2  # what the chart has where nobody says another number
SECONDS = 60.0


@pytest.fixture(scope="module")
def at_the_end(removes):
    """Takes what removes something: all of that is done when the tests are, side by side."""
    with ThreadPoolExecutor() as pool:
        removals = []
        yield lambda remove: removals.append(pool.submit(remove)) if removes() else None
    if failed := [error for each in removals if (error := each.exception())]:
        raise BaseExceptionGroup("not all was removed", failed)


@pytest.fixture(scope="module")
def hers(installed, at_the_end, steps, tmp_path_factory):
    """What the operator of the team serves; the team's administrator has installed it."""
    installed.ensure()
    admin = NamespaceAdmin(installed.cluster, TEAM)
    admin.appoint()
    directory = admin.kustomization(
        tmp_path_factory.mktemp("team") / "operator",
        settings=["region=eu-central-1"],
        patches=[patch(installed)],
    )
    work = installed.work(TEAM, installation=f"{TEAM}/{OPERATOR}")
    kubectl, herself, there = installed.kubectl, f"--as={admin.user}", f"--namespace={TEAM}"

    def remove():
        with steps.step("removed from the namespace by its administrator"):
            work.delete()
            kubectl("delete", f"--kustomize={directory}", "--ignore-not-found", READY, herself)
        kubectl("delete", "namespace", TEAM, READY)

    try:
        installed.give_keys(TEAM, herself)
        with steps.step("installed in a namespace by its administrator: Ready"):
            admin.apply(directory)
            kubectl("rollout", "status", f"deployment/{OPERATOR}", READY, there, herself)
        with steps.step("installed in a namespace: quickstart Complete"):
            work.start()
        yield work
    finally:
        at_the_end(remove)


def patch(installed):
    """What the team's operator needs here and nowhere else."""
    container = {
        "name": "operator",
        "image": installed.cluster.images.operator,
        "env": installed.environment(),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": OPERATOR},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


@pytest.fixture(scope="module")
def minute(installed, hers, steps):
    """The first two at work from now on, with what was written before; None if nobody tells."""
    if installed.cluster.machine is None:
        yield None
        return
    before = len(noted(installed.cluster.machine.place.audit.log))
    with AtWork((installed.work(), hers), steps, seconds=SECONDS) as at_work:
        yield at_work, before


@pytest.fixture(scope="session")
def helm(cluster, steps, tmp_path_factory):
    found, kubectl = chart_tools.find(), cluster.kubectl
    steps.done("Helm found or built")
    home = tmp_path_factory.mktemp("helm")
    return Helm(found.helm, home, kubectl.kubeconfig, prefix=kubectl.prefix, seconds=240)


@pytest.fixture(scope="module")
def release(cluster, helm):
    return Release(helm, cluster.kubectl, "batch", RELEASED)


@pytest.fixture(scope="module")
def work(installed, release, minute, at_the_end, steps):
    """What the operator of the release serves."""
    kubectl = installed.kubectl
    kubectl("create", "namespace", RELEASED)
    made = installed.work(RELEASED, installation=f"{RELEASED}/{release.deployment}")

    def remove():
        with steps.step("uninstalled by Helm, after its objects"):
            made.delete()
            release.uninstall()
        kubectl("delete", "namespace", RELEASED, READY)

    try:
        installed.give_keys(RELEASED)
        with steps.step("installed by Helm: CRDs and operator, Ready"):
            release.install(values(installed))
        with steps.step("installed by Helm: quickstart Complete"):
            made.start()
        yield made
    finally:
        at_the_end(remove)


def values(installed):
    """What is set in the release here."""
    repository, _, tag = installed.cluster.images.operator.rpartition(":")
    return {
        "settings": {"clusterId": RELEASED, "region": "eu-central-1"},
        "image": {"repository": repository, "tag": tag},
        "extraEnv": installed.environment(),
    }


def test_an_operator_of_one_namespace_runs_its_jobs(hers):
    hers.start()  # still Complete
    assert hers.servers() == {hers.installation}


def test_a_release_serves_its_objects(work):
    assert work.servers() == {work.installation}


def test_an_upgrade_and_a_rollback_under_load_run_every_job_once(installed, release, work, steps):
    images, first = installed.cluster.images, release.pods()
    revision, tag = release.revision(), images.newer.rpartition(":")[2]
    with steps.step("upgraded by Helm under load: rolled out"):
        release.upgrade({"image": {"tag": tag}, "podAnnotations": {"trial": "newer"}})
        names = load_until(release.rolled_out, work, "while-upgraded")
    second = release.pods()
    with steps.step("rolled back by Helm under load: rolled out"):
        release.roll_back(revision)
        names += load_until(release.rolled_out, work, "while-rolled-back")
    third = release.pods()
    ran = [sorted(each.values()) for each in (first, second, third)]
    assert ran == [[image] * REPLICAS for image in (images.operator, images.newer, images.operator)]
    assert not second.keys() & {*first, *third}
    with steps.step(f"upgrade and rollback: all {len(names)} jobs of the load Complete"):
        work.wait_complete(names)
    assert work.times_in_aws(names) == dict.fromkeys(names, 1)


@pytest.mark.late
def test_installations_side_by_side_write_nothing_into_the_others_objects(
    installed, release, work, minute, steps
):
    if minute is None:
        pytest.skip("nobody tells here who has written what")
    at_work, before = minute
    with steps.step("the minute of installations side by side is over"):
        assert at_work.turns() > 1
    written = writes(noted(installed.cluster.machine.place.audit.log)[before:])
    account = "system:serviceaccount:{}:{}".format
    places = partial(places_of, written)
    assert places(account(NAMESPACE, OPERATOR)) == {installed.work().namespace}
    assert places(account(TEAM, OPERATOR)) == {TEAM}
    assert places(account(RELEASED, release.deployment)) == {work.namespace}


def places_of(written, writer):
    """The namespaces in which somebody has written."""
    return {place for who, place in written if who == writer}
