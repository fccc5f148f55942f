"""The charts and the kustomizations in a real API server: created, changed, gone."""

import json
import shutil
import subprocess

import pytest
import yaml
from tests.support import chart_tools
from tests.support.charts import CRDS, DEPLOY, INSTANCE, NAME, OPERATOR, built

from awsbatch_operator.command_line import parser, settings_from
from awsbatch_operator.settings import VARIABLE
from awsbatch_sandbox.paths import REPOSITORY

LAB = {"settings": {"clusterId": "lab"}}
CRD_RELEASE = f"{NAME}-crds"
EVERYTHING_OF_OURS = (
    "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,roles,"
    "rolebindings,clusterroles,clusterrolebindings,servicemonitors,prometheusrules"
)
VIOLATION = "would violate PodSecurity"


@pytest.fixture(scope="module")
def said_without_crds(helm):
    """What Helm says when the operator is installed first. It is gone again."""
    where = "--namespace=too-early"
    said = helm("install", NAME, str(OPERATOR), where, "--create-namespace", values=LAB)
    helm("uninstall", NAME, where)
    return said.stdout


@pytest.fixture(scope="module")
def crds(said_without_crds, kubectl):
    """The CRDs, applied by kubectl; they stay."""
    kubectl("apply", "--server-side", "-k", str(DEPLOY / "crds"))
    names = [f"crd/{name}" for name in crd_names(kubectl)]
    kubectl("wait", "--for=condition=established", "--timeout=30s", *names)
    kubectl.forget()


def crd_names(kubectl):
    listed = json.loads(kubectl("get", "crds", "-o", "json").stdout)["items"]
    names = [each["metadata"]["name"] for each in listed]
    return [name for name in names if name.endswith(".awsbatch.dev")]


def ours(kubectl):
    """(kind, name) of all that a release has made."""
    listed = kubectl(
        "get",
        EVERYTHING_OF_OURS,
        "-A",
        "-o",
        "json",
        f"--selector={INSTANCE}={NAME}",
    )
    return {(each["kind"], each["metadata"]["name"]) for each in json.loads(listed.stdout)["items"]}


def deployment(kubectl, namespace):
    return json.loads(
        kubectl("get", "deployment", NAME, f"--namespace={namespace}", "-o", "json").stdout
    )


def test_the_operators_chart_is_installed_upgraded_rolled_back_and_uninstalled(helm, kubectl, crds):
    namespace = "batch-by-helm"
    where = f"--namespace={namespace}"
    said = helm("install", NAME, str(OPERATOR), where, "--create-namespace", values=LAB)
    assert "serves all namespaces as cluster lab" in said.stdout
    assert "CRDs are missing" not in said.stdout
    rendered = {(each["kind"], each["metadata"]["name"]) for each in helm.render(LAB)}
    assert ours(kubectl) == rendered
    first = deployment(kubectl, namespace)

    changed = {
        "settings": {"clusterId": "lab", "eventQueue": "q"},
        "serviceMonitor": {"enabled": True},
    }
    helm("upgrade", NAME, str(OPERATOR), where, values=changed)
    second = deployment(kubectl, namespace)
    assert ours(kubectl) == rendered | {("ServiceMonitor", NAME)}
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["spec"]["template"] != first["spec"]["template"]

    helm("upgrade", NAME, str(OPERATOR), where, values={**LAB, "namespaced": True})
    kinds = {kind for kind, _ in ours(kubectl)}
    assert not {"ClusterRole", "ClusterRoleBinding", "ServiceMonitor"} & kinds

    helm("rollback", NAME, "1", where)
    assert ours(kubectl) == rendered
    assert deployment(kubectl, namespace)["spec"] == first["spec"]

    helm("uninstall", NAME, where)
    assert ours(kubectl) == set()
    assert len(crd_names(kubectl)) == 7


def test_without_crds_the_chart_says_which_chart_has_them(said_without_crds):
    assert f"helm install {CRD_RELEASE}" in said_without_crds


def test_crds_are_taken_over_by_their_chart_reached_by_its_upgrades_and_kept_when_it_goes(
    helm, kubectl, crds, tmp_path
):
    older, where = tmp_path / "older", "--namespace=default"
    shutil.copytree(CRDS, older)
    path = older / "templates" / "awsbatch.dev_jobqueues.yaml"
    path.write_text(path.read_text().replace("- awsjq\n", "- awsoldjq\n"))
    refused = helm("install", CRD_RELEASE, str(older), where, check=False)
    assert "cannot be imported into the current release" in refused.stderr
    helm("install", CRD_RELEASE, str(older), where, "--take-ownership")
    assert short_names(kubectl) == ["awsoldjq"]

    queue = str(REPOSITORY / "examples" / "second-queue.yaml")
    kubectl("apply", "-f", queue)
    helm("upgrade", CRD_RELEASE, str(CRDS), where)
    assert short_names(kubectl) == ["awsjq"]
    kept_in = json.loads(kubectl("get", "secrets", "-l", "owner=helm", "-o", "json").stdout)[
        "items"
    ]
    assert len(kept_in) == 2
    for each in kept_in:
        assert len(each["data"]["release"]) < 0.5 * 1024 * 1024  # of 1 MiB that a Secret may have

    said = helm("uninstall", CRD_RELEASE, where)
    assert "kept due to the resource policy" in said.stdout
    kubectl("delete", "-f", queue)
    assert len(crd_names(kubectl)) == 7


def short_names(kubectl):
    listed = kubectl("get", "crd", "jobqueues.awsbatch.dev", "-o", "json").stdout
    return json.loads(listed)["spec"]["names"]["shortNames"]


def test_the_pods_are_taken_by_a_namespace_that_is_restricted(helm, kubectl):
    namespace = "restricted"
    kubectl("create", "namespace", namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/warn=restricted")
    where = f"--namespace={namespace}"
    said = helm("install", NAME, str(OPERATOR), where, values=LAB)
    assert VIOLATION not in said.stdout + said.stderr
    loose = {**LAB, "securityContext": {"allowPrivilegeEscalation": True}}
    said = helm("upgrade", NAME, str(OPERATOR), where, values=loose)
    assert VIOLATION in said.stdout + said.stderr  # it is said if it is so
    helm("uninstall", NAME, where)


@pytest.mark.parametrize("folder", ["base", "overlays/aws", "overlays/simulator"])
def test_the_namespace_of_the_kustomizations_warns_of_nothing(kubectl, folder):
    said = kubectl("apply", "--server-side", "--force-conflicts", "-k", str(DEPLOY / folder))
    assert VIOLATION not in said.stderr
    assert "unknown field" not in said.stderr
    namespace = json.loads(kubectl("get", "namespace", "awsbatch-system", "-o", "json").stdout)
    kept = namespace["metadata"]["labels"]
    for mode in ("enforce", "warn", "audit"):
        assert kept[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    kubectl("delete", EVERYTHING_OF_OURS, "-A", f"--selector={INSTANCE}={NAME}")


def test_the_base_is_used_from_afar_by_its_tag(kubectl, tmp_path):
    """As the page about installing shows it, from a repository instead of a server."""
    repository, own = tmp_path / "aws-batch-operator.git", tmp_path / "own"
    shutil.copytree(DEPLOY, repository / "deploy")
    shutil.copytree(REPOSITORY / "crds", repository / "crds")
    for words in (
        ("init", "--quiet"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "all"),
        ("tag", "v0.1.0"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True)
    page = (REPOSITORY / "docs" / "installing.md").read_text()
    shown, patch = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    text = json.dumps(yaml.safe_load(shown))
    text = text.replace("https://git.example.com/", f"file://{tmp_path}/")
    assert f"file://{repository}//deploy/base?ref=v0.1.0" in text
    own.mkdir()
    (own / "kustomization.yaml").write_text(text)
    (own / "operator.yaml").write_text(patch)
    bodies = built(kubectl, own)
    kinds = [body["kind"] for body in bodies]
    assert kinds.count("CustomResourceDefinition") == 7
    assert kinds.count("PrometheusRule") == 1
    [pod] = [each["spec"]["template"]["spec"] for each in bodies if each["kind"] == "Deployment"]
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["nodeSelector"].keys() == {"kubernetes.io/os", "kubernetes.io/arch"}
    [flags] = [body["data"] for body in bodies if body["kind"] == "ConfigMap"]
    given = {VARIABLE + name: text for name, text in flags.items()}
    settings = settings_from(parser().parse_args(["run"]), given)
    assert (settings.cluster_id, settings.region) == ("lab-1", "eu-central-1")
    assert settings.listens


def test_helm_is_the_one_that_is_pinned_and_has_nothing_of_the_persons_own(helm):
    pinned = chart_tools.MODULE.version_of(chart_tools.HELM)
    assert helm("version", "--template={{.Version}}").stdout == pinned
    assert str(helm.home) in helm("env").stdout
