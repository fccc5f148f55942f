"""A release of the Helm charts in a real cluster: installed, upgraded, rolled back, uninstalled."""

import json
from functools import partial

import pytest
from tests.support import chart_tools, charts
from tests.support.charts import CRDS, Helm
from tests.support.deadline import wait_until
from tests.support.trial import READY

NAMESPACE, RELEASE = "by-helm", "batch"
DEPLOYMENT = f"{RELEASE}-{charts.NAME}"
REPLICAS = 2  # what the chart has where nobody says another number
WHERE = f"--namespace={NAMESPACE}"
AT_ONCE, AT_MOST = 3, 45  # jobs of the load that are applied together, and in one roll-out


@pytest.fixture(scope="session")
def helm(cluster, steps, tmp_path_factory):
    found, kubectl = chart_tools.find(), cluster.kubectl
    steps.done("Helm found or built")
    home = tmp_path_factory.mktemp("helm")
    return Helm(found.helm, home, kubectl.kubeconfig, prefix=kubectl.prefix, seconds=240)


@pytest.fixture(scope="module")
def values(installed):
    repository, _, tag = installed.cluster.images.operator.rpartition(":")
    return {
        "settings": {"clusterId": NAMESPACE, "region": "eu-central-1"},
        "image": {"repository": repository, "tag": tag},
        "extraEnv": installed.environment(),
    }


@pytest.fixture(scope="module")
def work(installed, helm, values, removes, steps):
    """What the operator of the release serves."""
    installed.ensure()
    kubectl, wait = installed.kubectl, ("--wait", READY)
    kubectl("create", "namespace", NAMESPACE)
    made = installed.work(NAMESPACE, installation=f"{NAMESPACE}/{DEPLOYMENT}")
    try:
        installed.give_keys(NAMESPACE)
        with steps.step("installed by Helm: CRDs and operator, Ready"):
            helm("install", f"{charts.NAME}-crds", str(CRDS), WHERE, "--take-ownership")
            helm("install", RELEASE, str(charts.OPERATOR), WHERE, *wait, values=values)
        with steps.step("installed by Helm: quickstart Complete"):
            made.start()
        yield made
    finally:
        if removes():
            with steps.step("uninstalled by Helm, after its objects"):
                made.delete()
                helm("uninstall", RELEASE, WHERE, *wait, "--ignore-not-found")
                helm("uninstall", f"{charts.NAME}-crds", WHERE, "--ignore-not-found")
            kubectl("delete", "namespace", NAMESPACE, READY)


def rolled_out(kubectl):
    asked = kubectl("rollout", "status", f"deployment/{DEPLOYMENT}", WHERE, "--watch=false")
    return "successfully rolled out" in asked.stdout


def pods(kubectl):
    """The image of each that is not about to go: a roll-out does not wait for their end."""
    selector = f"--selector=app.kubernetes.io/instance={RELEASE}"
    listed = json.loads(kubectl("get", "pods", selector, "--output=json", WHERE).stdout)["items"]
    return {
        each["metadata"]["name"]: each["spec"]["containers"][0]["image"]
        for each in listed
        if "deletionTimestamp" not in each["metadata"]
    }


def load_until(over, work, name):
    """Jobs, one small burst after the other, until that is so; on a slow machine fewer of them."""
    names: list[str] = []
    while not over():
        if len(names) >= AT_MOST:
            wait_until(over, "the Deployment is rolled out", seconds=180, every=1)
            break
        burst = [f"{name}-{len(names) + number}" for number in range(AT_ONCE)]
        work.submit(burst)
        names += burst
    assert names, "it was over before there was any load"
    return names


def test_a_release_serves_its_objects(work):
    assert {body["status"]["installation"] for body in work.objects()} == {work.installation}


def test_an_upgrade_and_a_rollback_under_load_run_every_job_once(
    installed, helm, values, work, steps
):
    kubectl, images = installed.kubectl, installed.cluster.images
    first, over = pods(kubectl), partial(rolled_out, kubectl)
    revision, tag = helm.revision(RELEASE, WHERE), images.newer.rpartition(":")[2]
    newer = {"image": {"tag": tag}, "podAnnotations": {"trial": "newer"}}
    with steps.step("upgraded by Helm under load: rolled out"):
        upgrade = ("upgrade", RELEASE, str(charts.OPERATOR), WHERE, "--reuse-values")
        helm(*upgrade, values=newer)
        names = load_until(over, work, "while-upgraded")
    second = pods(kubectl)
    with steps.step("rolled back by Helm under load: rolled out"):
        helm("rollback", RELEASE, revision, WHERE)
        names += load_until(over, work, "while-rolled-back")
    third = pods(kubectl)
    ran = [sorted(each.values()) for each in (first, second, third)]
    assert ran == [[image] * REPLICAS for image in (images.operator, images.newer, images.operator)]
    assert not second.keys() & {*first, *third}
    with steps.step(f"upgrade and rollback: all {len(names)} jobs of the load Complete"):
        work.wait_complete(names)
    assert work.times_in_aws(names) == dict.fromkeys(names, 1)
