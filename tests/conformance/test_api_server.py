"""Conformance: what only the real API server, its CRDs and kubectl can show.

One control plane, one AWS and one operator at work serve the whole module; each test has a
namespace of its own.
"""

import json
import secrets
from pathlib import Path

import pytest
from tests.conformance.image_subject import IMAGE
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, JOB, SUBJECTS
from tests.support.api_server import MERGE, ApiServer, messages
from tests.support.argocd import FOLDER
from tests.support.cluster import Cluster
from tests.support.installation import NAMESPACE
from tests.support.manifests import SPECS
from tests.support.namespaces import new_namespace
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import GROUP, PAUSED
from awsbatch_operator.assembly import KINDS
from awsbatch_operator.kube import paths
from awsbatch_operator.kube.paths import plural
from awsbatch_sandbox import installation
from awsbatch_sandbox.controlplane import ControlPlane

pytestmark = [
    pytest.mark.control_plane,
    pytest.mark.xdist_group("control plane"),
]
TIMEOUT = "--timeout=50s"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as control_plane:
        installation.install_crds(control_plane.kubectl)
        with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
            site.aws.admin("PUT", "/_simulator/settings", {"jobScripts": [{"durationSeconds": 1}]})
            site.start()
            yield site


@pytest.fixture(scope="module")
def server(site):
    with ApiServer(site.control_plane) as server:
        yield server


@pytest.fixture
def place(site):
    with new_namespace(site.control_plane) as namespace, site.cluster(namespace) as cluster:
        yield cluster


def written(place: Cluster, spec) -> dict:
    """The spec for this namespace instead of the one that the tables name."""
    made: dict = json.loads(json.dumps(spec).replace(f'"{NAMESPACE}"', f'"{place.namespace}"'))
    return made


def apply(place: Cluster, subject: Subject, spec) -> None:
    place.apply(named(subject.kind, subject.key.name, written(place, spec)))


def applied_with_all_it_needs(place: Cluster, subject: Subject) -> None:
    for key in subject.needs:
        place.apply(named(key.kind, key.name, SPECS[key]))
    apply(place, subject, subject.at_once or subject.spec)


def edited_at_once(subject: Subject):
    """An edit that nothing has to be built for."""
    return {**subject.at_once, "deletionPolicy": "Delete"} if subject.at_once else subject.edited


def kubectl(site, place: Cluster, *words: str) -> str:
    return str(site.control_plane.kubectl(*words, f"--namespace={place.namespace}").stdout)


def wait(site, place: Cluster, subject: Subject, what: str) -> None:
    kubectl(
        site, place, "wait", f"--for={what}", f"{subject.kind.lower()}/{subject.key.name}", TIMEOUT
    )


@pytest.mark.conforms(Point.KUBECTL_WAIT)
def test_kubectl_wait_waits_for_the_newest_generation_and_for_the_end(site, place, subject):
    applied_with_all_it_needs(place, subject)
    ready = f"condition={subject.reached}"
    wait(site, place, subject, ready)
    apply(place, subject, edited_at_once(subject))
    wait(site, place, subject, ready)
    shown = place.get(subject.kind, subject.key.name)
    assert shown is not None
    assert shown["status"]["observedGeneration"] == shown["metadata"]["generation"] == 2
    place.delete(subject.kind, subject.key.name)
    wait(site, place, subject, "delete")
    assert place.get(subject.kind, subject.key.name) is None


@pytest.mark.conforms(Point.KUBECTL_WAIT, JOB)
def test_kubectl_wait_waits_for_a_job_to_fail(site, place, subject):
    site.script(jobName="fails-*", durationSeconds=0.1, exitCode=3)
    for key in subject.needs:
        place.apply(named(key.kind, key.name, SPECS[key]))
    place.apply(named(subject.kind, "fails", subject.spec))
    kubectl(site, place, "wait", "--for=condition=failed", "batchjob/fails", TIMEOUT)


@pytest.mark.conforms(Point.KUBECTL_WAIT, JOB)
def test_kubectl_wait_waits_for_a_job_to_be_held_and_to_be_let_go(site, place, subject):
    for key in subject.needs:
        place.apply(named(key.kind, key.name, SPECS[key]))
    apply(place, subject, {**subject.spec, "suspend": True})
    wait(site, place, subject, "condition=suspended")
    apply(place, subject, {**subject.spec, "suspend": False})
    wait(site, place, subject, "condition=complete")
    shown = place.get(subject.kind, subject.key.name)
    assert shown is not None
    assert "Suspended" not in {
        each["type"] for each in shown["status"]["conditions"] if each["status"] == "True"
    }


@pytest.mark.conforms(Point.SELECTED)
def test_it_is_found_by_each_field_that_can_be_selected(site, place, subject):
    applied_with_all_it_needs(place, subject)
    wait(site, place, subject, f"condition={subject.reached}")
    for selector in subject.selectors:
        asked = ("get", subject.kind.lower(), f"--field-selector={selector}", "--output=name")
        assert kubectl(site, place, *asked).strip().endswith(f"/{subject.key.name}"), selector
        assert kubectl(site, place, *asked[:2], f"--field-selector={selector}x", asked[3]) == ""


@pytest.mark.conforms(Point.BAD_INPUT)
def test_what_cannot_be_right_is_refused_naming_the_field(server, place, subject):
    for spec, says in subject.mistakes:
        answer = tried(server, place, subject, spec)
        assert any(says in each for each in answer), (spec, answer)
    assert tried(server, place, subject, subject.spec) == []


def tried(server: ApiServer, place: Cluster, subject: Subject, spec) -> list[str]:
    """What the API server says against a new object; nothing if it would take it."""
    body = named(subject.kind, f"case-{secrets.token_hex(4)}", written(place, spec))
    if subject is not ACCOUNT:
        body["metadata"]["namespace"] = place.namespace
    status, answer = server.create(plural(subject.kind), body, dry_run=True)
    return [] if status == 201 else messages(answer)


@pytest.mark.conforms(
    Point.STAYS_WHERE_IT_IS,
    *(subject for subject in SUBJECTS if subject not in (ACCOUNT, JOB)),
)
def test_another_account_region_or_name_is_refused_when_it_is_applied(server, place, subject):
    here = {"region": "eu-central-1", "awsName": "one", "accountRef": {"name": "default"}}
    if subject is IMAGE:
        del here["awsName"]  # it gives its images names of its own
    key = place.key(subject.kind, "stays")
    body = named(subject.kind, key.name, written(place, {**subject.spec, **here}))
    body["metadata"]["namespace"] = place.namespace
    body["metadata"]["annotations"] = {PAUSED: "true"}
    status, answer = server.create(plural(subject.kind), body, dry_run=False)
    assert status == 201, messages(answer)
    elsewhere = {"region": "us-east-1", "awsName": "two", "accountRef": {"name": "other"}}
    for field, value in ((name, elsewhere[name]) for name in here):
        path, edit = f"{paths.of_object(key)}?dryRun=All", {"spec": {field: value}}
        status, answer = server.ask("PATCH", path, edit, content_type=MERGE)
        assert status == 422, field
        assert any(f"spec.{field}" in each for each in messages(answer)), messages(answer)


def test_the_scripts_for_argo_cd_are_installed_as_the_docs_say(site):
    kubectl, here = site.control_plane.kubectl, "--namespace=argocd"
    kubectl("create", "namespace", "argocd")
    kubectl("create", "configmap", "argocd-cm", here, "--from-literal=url=https://argo")
    lines = (ROOT / "docs" / "argocd.md").read_text(encoding="utf-8").splitlines()
    [command] = [line for line in lines if line.startswith("kubectl patch ")]
    program, *words = command.replace("deploy/argocd", str(FOLDER)).split()
    assert program == "kubectl"
    kubectl(*words)
    shown = kubectl("get", "configmap", "argocd-cm", here, "--output=json").stdout
    parts = ("health", "actions")
    keys = {f"resource.customizations.{part}.{GROUP}_{kind}" for part in parts for kind in KINDS}
    assert json.loads(shown)["data"].keys() == {"url", *keys}
