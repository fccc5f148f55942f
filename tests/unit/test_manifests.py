"""deploy/base and the charts: what is said once is the same everywhere, and holds up nobody."""

import json
import re
import tomllib

import pytest
import yaml
from tools import helm_chart

from awsbatch_operator.settings import VARIABLE, Settings
from awsbatch_sandbox.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
BASE = DEPLOY / "base"
NAME = "aws-batch-operator"
# CPU seconds of a cold start, as the benchmark has measured it; and the least CPU that is given.
START_SECONDS, LEAST_CPU = 2.2, 0.1


def document(path):
    (body,) = yaml.safe_load_all(path.read_text())
    return body


@pytest.fixture(scope="module")
def pod():
    return document(BASE / "deployment.yaml")["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    (only,) = pod["containers"]
    return only


def test_the_version_is_the_same_wherever_it_stands():
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    found = {
        path.relative_to(DEPLOY): set(
            re.findall(
                r"(?:aws-batch-\w+:|newTag: |kubernetes.io/version: |^version: |^appVersion: )"
                r"(\d[\w.]*)",
                path.read_text(),
                re.MULTILINE,
            )
        )
        for path in DEPLOY.rglob("*.yaml")
        if "argocd" not in path.parts
    }
    assert sum(bool(versions) for versions in found.values()) >= 6
    assert {name: each for name, each in found.items() if each - {version}} == {}
    page = (REPOSITORY / "docs" / "installing.md").read_text()
    assert set(re.findall(r"\?ref=v([\d.]+)", page)) == {version}


def test_a_start_that_is_slow_is_waited_for(container):
    probe = container["startupProbe"]
    assert probe["httpGet"] == container["livenessProbe"]["httpGet"]
    waited = probe["periodSeconds"] * probe["failureThreshold"]
    assert waited > 5 * START_SECONDS / LEAST_CPU


def test_a_drain_of_a_node_is_never_held_up_by_a_pod_that_is_not_ready():
    budget = document(BASE / "pod-disruption-budget.yaml")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@pytest.mark.parametrize("file", ["base/deployment.yaml", "overlays/simulator/simulator.yaml"])
def test_the_cluster_chooses_the_user(file):
    pod = next(yaml.safe_load_all((DEPLOY / file).read_text()))["spec"]["template"]["spec"]
    for context in (pod["securityContext"], *(c["securityContext"] for c in pod["containers"])):
        assert not context.keys() & {"runAsUser", "runAsGroup", "fsGroup"}
    assert pod["securityContext"]["runAsNonRoot"]
    for volume in pod["volumes"]:
        # Files of a Secret belong to root.
        assert volume.get("secret", {}).get("defaultMode", 0o444) & 0o004
    # Which the kubelet can only tell of a number.
    users = re.findall(r"^USER (\S+)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert users
    assert all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)


def test_the_pods_go_to_linux_and_get_no_variables_from_services(pod):
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert pod["enableServiceLinks"] is False


def test_the_keys_of_the_settings_are_flags(container):
    (source,) = container["envFrom"]
    assert source["prefix"] == VARIABLE
    listed = [
        literal.partition("=")[0]
        for path in (DEPLOY / "overlays").glob("*/kustomization.yaml")
        for each in document(path).get("configMapGenerator", ())
        if each["name"] == source["configMapRef"]["name"]
        for literal in each["literals"]
    ]
    assert listed
    assert {name.replace("-", "_") for name in listed} <= Settings.model_fields.keys()


def test_no_region_is_set_where_the_cluster_would_give_one(container):
    """EKS adds AWS_REGION to a pod with a role, unless the pod has a variable of that name."""
    names = {each["name"] for each in container["env"]}
    assert not names & {"AWS_REGION", "AWS_DEFAULT_REGION"}


def test_the_service_has_the_port_that_metrics_are_on(container):
    service = document(BASE / "service.yaml")["spec"]
    (port,) = service["ports"]
    assert port["targetPort"] in {each["name"] for each in container["ports"]}
    assert port["port"] == Settings.model_fields["listen_port"].default
    monitor = document(DEPLOY / "components" / "monitoring" / "service-monitor.yaml")["spec"]
    assert [each["port"] for each in monitor["endpoints"]] == [port["name"]]


def test_every_object_has_all_of_the_recommended_labels():
    wanted = {"name", "instance", "version", "component", "part-of", "managed-by"}
    for path in (BASE, DEPLOY / "components" / "monitoring"):
        (labels,) = document(path / "kustomization.yaml")["labels"]
        assert {name.removeprefix("app.kubernetes.io/") for name in labels["pairs"]} == wanted


def test_the_trust_policies_of_the_page_are_for_the_operators_account():
    page = (REPOSITORY / "docs" / "installing.md").read_text()
    policies = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    assert {"sts:AssumeRole", "sts:TagSession"} <= set(statements[0]["Action"])
    (subject,) = [
        value
        for name, value in statements[1]["Condition"]["StringEquals"].items()
        if name.endswith(":sub")
    ]
    account = document(BASE / "service-account.yaml")["metadata"]
    assert subject == f"system:serviceaccount:{account['namespace']}:{account['name']}"
    assert f"--service-account {account['name']}" in page
    # The tags would be passed on where a role is assumed, and neither policy allows that.
    policy = (DEPLOY / "iam" / "operator-policy.json").read_text()
    assert "--disable-session-tags" in page or "sts:TagSession" in policy


class TestTheChart:
    def test_what_is_made_for_it_is_as_its_sources_say(self):
        for path, text in helm_chart.files().items():
            assert (REPOSITORY / path).read_text() == text, path

    def test_the_command_names_a_file_that_differs(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(helm_chart, "ROOT", tmp_path)
        monkeypatch.setattr(helm_chart, "files", lambda: {helm_chart.CHART / "values.yaml": "a\n"})
        assert helm_chart.main(["--check"]) == 1
        assert (
            "values.yaml is not what its source says; run: make reference"
            in capsys.readouterr().out
        )
        assert helm_chart.main([]) == 0
        assert helm_chart.main(["--check"]) == 0

    def test_the_charts_versions_go_together(self):
        charts = [document(path) for path in (DEPLOY / "charts").glob("*/Chart.yaml")]
        assert len(charts) == 2
        assert len({(chart["version"], chart["appVersion"]) for chart in charts}) == 1
