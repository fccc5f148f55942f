"""What is shipped: overlays, permissions, image and wheel."""

import itertools
import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator

import pytest
import yaml
from tests.support import quickstart
from tests.support.bodies import ACCOUNT_BODY, IMAGE_BODY, POLICY_BODY, SCRIPTED_BODY
from tests.support.cluster import Cluster, is_complete, is_ready
from tests.support.deadline import wait_until
from tests.support.site import opened

from awsbatch_operator.api.metadata import GROUP, PAUSED
from awsbatch_sandbox import installation
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
OPERATOR_NAMESPACE = "awsbatch-system"
ACCOUNT = f"system:serviceaccount:{OPERATOR_NAMESPACE}:aws-batch-operator"
OVERLAYS = sorted(path.parent.name for path in DEPLOY.glob("overlays/*/kustomization.yaml"))
RULE = tuple[str, str, str]  # API group, resource (with subresource), verb


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A control plane of this module's own, which records who asks for what."""
    directory = tmp_path_factory.mktemp("audited")
    with ControlPlane(directory, controllers=True, audited=True) as started:
        installation.install_crds(started.kubectl, DEPLOY / "crds")
        yield started


def granted(kubectl, kind: str, name: str, *options: str) -> set[RULE]:
    """What a role of the cluster allows."""
    return rules(json.loads(kubectl("get", kind, name, "-o", "json", *options).stdout))


def rules(role) -> set[RULE]:
    """What a role allows."""
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def asked(control_plane: ControlPlane) -> Iterator[tuple[RULE, int]]:
    """What the operator's ServiceAccount has asked for, with the answer's status."""
    for line in control_plane.layout.audit_log.read_text().splitlines():
        entry = json.loads(line)
        reference = entry.get("objectRef")
        if entry["user"]["username"] != ACCOUNT or reference is None:
            continue
        resource = reference["resource"]
        if reference.get("subresource"):
            resource += f"/{reference['subresource']}"
        rule = (reference.get("apiGroup", ""), resource, entry["verb"])
        yield rule, entry["responseStatus"]["code"]


def run_quickstart(site, cluster: Cluster) -> None:
    """Apply it, wait for the job, let the operator delete that, and delete the rest."""
    bodies = {quickstart.named(body): body for body in quickstart.bodies()}
    cluster.apply(*bodies.values())
    cluster.wait(*quickstart.JOB, is_complete, "is Complete")
    job = bodies.pop(quickstart.JOB)
    cluster.apply({**job, "spec": {**job["spec"], "ttlSecondsAfterFinished": 1}})
    cluster.wait_gone(quickstart.JOB)
    for each in bodies:
        cluster.delete(*each)
    cluster.wait_gone()


def ours(control_plane: ControlPlane) -> set[RULE]:
    """What the operator has asked for of our own kinds."""
    return {rule for rule, _ in asked(control_plane) if rule[0] == GROUP}


def disturb(cluster: Cluster, until: Callable[[], bool]) -> None:
    """Write so often that the operator's writes meet with conflicts."""
    values = itertools.cycle(["true", None])

    def write() -> bool:
        for value in itertools.islice(values, 20):  # an even number: not paused in the end
            cluster.annotate("SchedulingPolicy", "fair", {PAUSED: value})
        return until()

    wait_until(write, "a conflict")


def test_the_operator_may_do_what_it_does_and_nothing_that_it_never_does(audited, tmp_path):
    kubectl = audited.kubectl
    kubectl("label", "namespace", "default", "team=climate")
    with opened(audited, tmp_path) as site:
        site.start()
        with site.cluster("default") as cluster:
            run_quickstart(site, cluster)
            cluster.apply(ACCOUNT_BODY, POLICY_BODY, IMAGE_BODY, SCRIPTED_BODY)
            cluster.wait("SchedulingPolicy", "fair", is_ready, "is Ready")
            cluster.wait("ExtendedAMI", "larger", is_ready, "is Ready")
            cluster.wait(
                "ExtendedAMI",
                "scripted",
                lambda body: "there is no such ConfigMap" in json.dumps(body),
                "waits for its ConfigMap",
            )
            cluster.delete("ExtendedAMI", "scripted")
            disturb(cluster, until=lambda: any(rule[2] == "get" for rule in ours(audited)))
            cluster.wait("SchedulingPolicy", "fair", is_ready, "is Ready after all")
            cluster.delete("SchedulingPolicy", "fair")
            cluster.delete("ExtendedAMI", "larger")
            cluster.delete("AWSAccount", "research")
            cluster.wait_gone(
                ("SchedulingPolicy", "fair"), ("ExtendedAMI", "larger"), ("AWSAccount", "research")
            )
        site.sandbox.stop_operator()
    done = list(asked(audited))
    refused = {rule for rule, code in done if code == 403}
    assert not refused
    lease = granted(
        kubectl, "role", "aws-batch-operator-lease", f"--namespace={OPERATOR_NAMESPACE}"
    )
    may = granted(kubectl, "clusterrole", "aws-batch-operator") | lease
    # Repeats of an event are patched into its series after a minute. What a conflict is about is
    # read by get, in one way for all kinds; here it was about a policy.
    rarely = {("events.k8s.io", "events", "patch")}
    rarely |= {rule for rule in may if rule[0] == GROUP and rule[2] == "get"}
    assert may - rarely <= {rule for rule, _ in done}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_taken_by_the_api_server(audited, overlay):
    # The namespaced one is put into a namespace that is there.
    make = ("create", "namespace", OPERATOR_NAMESPACE, "--dry-run=client", "--output=yaml")
    audited.kubectl("apply", "--server-side", "-f", "-", input=audited.kubectl(*make).stdout)
    applied = audited.kubectl(
        "apply", "--server-side", "--force-conflicts", "-k", str(DEPLOY / "overlays" / overlay)
    ).stdout
    assert "deployment.apps/aws-batch-operator" in applied


def test_the_role_for_one_namespace_allows_the_same_but_what_is_in_no_namespace():
    paths = DEPLOY / "base" / "cluster-role.yaml", DEPLOY / "crds" / "namespaced-operator.yaml"
    cluster, one = (rules(next(yaml.safe_load_all(path.read_text()))) for path in paths)
    nowhere = {"namespaces", "awsaccounts", "awsaccounts/status"}
    assert one == {rule for rule in cluster if rule[1] not in nowhere}


def test_the_lease_can_be_read_and_told_about_wherever_the_operator_may_work():
    """For what orphans wait for: it is confirmed on the Lease, and events say how."""
    lease = next(yaml.safe_load_all((DEPLOY / "base" / "lease-role.yaml").read_text()))
    [named] = [rule for rule in lease["rules"] if "get" in rule["verbs"]]
    assert named["resourceNames"] == ["aws-batch-operator"]
    namespaced = DEPLOY / "crds" / "namespaced-operator.yaml"
    for path in (DEPLOY / "base" / "cluster-role.yaml", namespaced):
        role = next(yaml.safe_load_all(path.read_text()))
        assert ("events.k8s.io", "events", "create") in rules(role)
        assert (
            role["metadata"].get("namespace", lease["metadata"]["namespace"])
            == (lease["metadata"]["namespace"])
        )


def test_the_operator_refuses_to_start_with_the_placeholder_for_the_cluster_id():
    overlay = yaml.safe_load((DEPLOY / "overlays" / "aws" / "kustomization.yaml").read_text())
    (literal,) = overlay["configMapGenerator"][0]["literals"]
    placeholder = literal.partition("=")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "awsbatch_operator", "run", "--cluster-id", placeholder],
        env={"PYTHONPATH": str(REPOSITORY / "operator")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ended.returncode == 2
    assert "--cluster-id" in ended.stderr


def test_the_wheel_holds_the_operator_and_nothing_else(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"awsbatch_operator", "aws_batch_operator-0.1.0.dist-info"}


def test_the_locked_requirements_are_those_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    listed = (REPOSITORY / "requirements" / "runtime.in").read_text().splitlines()
    assert sorted(project["dependencies"]) == sorted(
        line for line in listed if line and not line.startswith("#")
    )


def test_the_deployment_runs_under_the_restricted_profile_with_probes():
    (deployment,) = yaml.safe_load_all((DEPLOY / "base" / "deployment.yaml").read_text())
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert deployment["spec"]["replicas"] == 2
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_leaves_the_name_of_the_lease_alone(audited, overlay):
    # kustomize renames what it takes for the name of a ConfigMap that it generates.
    built = audited.kubectl("kustomize", str(DEPLOY / "overlays" / overlay)).stdout
    named = [
        rule["resourceNames"]
        for body in yaml.safe_load_all(built)
        for rule in body.get("rules", ())
        if "resourceNames" in rule
    ]
    assert named == [["aws-batch-operator"]]


def test_the_trial_is_rendered_with_both_parts_and_their_settings(audited):
    built = audited.kubectl("kustomize", str(DEPLOY / "overlays" / "simulator")).stdout
    bodies = list(yaml.safe_load_all(built))
    named = {(body["kind"], body["metadata"]["name"]): body for body in bodies}
    operator, simulator = (
        named["Deployment", f"aws-batch-{part}"]["spec"]["template"]["spec"]
        for part in ("operator", "simulator")
    )
    (container,) = operator["containers"]
    given = {each["name"] for each in container["env"]}
    assert {"POD_NAME", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} <= given
    (flags,) = container["envFrom"]
    assert named["ConfigMap", flags["configMapRef"]["name"]]["data"].keys() == {
        "cluster-id",
        "region",
    }
    images = {part["containers"][0]["image"] for part in (operator, simulator)}
    assert images == {
        f"registry.example.com/aws-batch-{p}:0.1.0" for p in ("operator", "simulator")
    }
    volumes = {each["name"]: each for each in simulator["volumes"]}
    assert ("ConfigMap", volumes["settings"]["configMap"]["name"]) in named
    assert volumes["secrets"]["secret"]["secretName"] == "aws-batch-simulator"  # the user's own
    assert not [kind for kind, _ in named if kind == "Secret"]
