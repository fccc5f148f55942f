"""The CRDs on the real API server: accepted, and each rule accepting and refusing as it should."""

import json
import re
import secrets

import pytest
from tests.support.api_server import ApiServer, messages
from tests.support.crd_cases import BASES, BOUNDS, Patch, cases, patched
from tests.support.examples import manifests
from tests.support.job_remedies import WRONG
from tests.support.namespaces import new_namespace

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.crd import object_schema, rules_in, spec_schema
from awsbatch_operator.schema.rules import RULE_ID

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)
# How the API server begins when it could not evaluate an expression of ours.
UNEVALUATED = re.compile(r"evaluating rule|conversion error|no such key|out of (bounds|range)")
RULES = [
    pytest.param(kind, rule, id=f"{kind}-{rule}") for kind in KINDS for rule in sorted(cases(kind))
]
LIMITS = [
    pytest.param(kind, limit, id=f"{kind}-{limit.field}")
    for kind in KINDS
    for limit in BOUNDS[kind]
]


@pytest.fixture(scope="module")
def server(control_plane, crds):
    with ApiServer(control_plane) as client:
        yield client


@pytest.fixture(scope="module")
def place(control_plane):
    with new_namespace(control_plane) as name:
        yield name


def manifest(kind, place, spec, **metadata):
    namespace = {"namespace": place} if BY_KIND[kind].namespaced else {}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": f"case-{secrets.token_hex(4)}", **namespace, **metadata},
        "spec": spec,
    }


class Tries:
    """Asks the API server whether a spec may be created, or may follow another."""

    def __init__(self, server, place, kind, before=None, status=None):
        self._server, self._place, self._kind = server, place, kind
        self._plural = BY_KIND[kind].plural
        self._base = BASES[kind]
        self._found = None
        if before is not None:
            self._base = patched(self._base, before)
            body = manifest(kind, place, self._base)
            code, self._found = server.create(self._plural, body, dry_run=False)
            assert code == 201, messages(self._found)
        if status is not None:
            assert self._found is not None, "a status is given to what was made before"
            shown = {**self._found, "status": {**self._found["status"], "conditions": [], **status}}
            code, self._found = server.replace_status(self._plural, shown)
            assert code == 200, messages(self._found)

    def __call__(self, patch):
        """What is refused about the patch; empty if nothing is."""
        return self.whole(patched(self._base, patch))

    def whole(self, spec):
        """What is refused about the spec."""
        if self._found is None:
            body = manifest(self._kind, self._place, spec)
            status, answer = self._server.create(self._plural, body, dry_run=True)
        else:
            body = {**self._found, "spec": spec}
            status, answer = self._server.replace(self._plural, body, dry_run=True)
        return [] if status in (200, 201) else messages(answer)


def test_the_api_server_takes_every_crd_as_structural(control_plane, server):
    _, found = server.ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    ours = {crd["spec"]["names"]["kind"]: crd for crd in found["items"]}
    assert set(KINDS) <= set(ours)
    for kind in KINDS:
        conditions = {each["type"]: each["status"] for each in ours[kind]["status"]["conditions"]}
        assert conditions == {"Established": "True", "NamesAccepted": "True"}, kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_object_has_not_been_observed(server, place, kind):
    body = manifest(kind, place, BASES[kind])
    status, made = server.create(BY_KIND[kind].plural, body, dry_run=True)
    assert status == 201, messages(made)
    assert made["status"] == {"observedGeneration": -1}
    assert made["spec"] == BASES[kind], "the API server changes nothing that a user wrote"


@pytest.mark.parametrize(("kind", "rule"), RULES)
def test_a_rule_accepts_what_is_right_and_refuses_what_is_wrong(server, place, kind, rule):
    case = cases(kind)[rule]
    message = said_by(kind, rule)
    tries = Tries(server, place, kind, case.before, case.status)
    for patch in case.accepts:
        assert tries(patch) == [], patch
    for patch in case.refuses:
        said = tries(patch)
        wanted = case.says or message
        assert any(wanted in each for each in said), (patch, said)


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_a_size_outside_of_its_limits_is_refused(server, place, kind, limit):
    tries = Tries(server, place, kind)
    for patch in limit.accepts:
        assert tries(patch) == [], patch
    for patch in limit.refuses:
        said = tries(patch)
        assert any(each.startswith(f"{limit.field}:") for each in said), (patch, said)


def test_the_api_server_takes_every_example(server, place):
    for path, body in manifests().items():
        namespace = {"namespace": place} if BY_KIND[body["kind"]].namespaced else {}
        placed = {**body, "metadata": {**body["metadata"], **namespace}}
        status, answer = server.create(BY_KIND[body["kind"]].plural, placed, dry_run=True)
        assert status == 201, (path, messages(answer))


def test_a_changed_job_is_told_which_fields_changed(server, place):
    before, change = {"parameters": {"year": "2024"}}, {"parameters": {"year": "2025"}}
    tries = Tries(server, place, "BatchJob", before=before, status={"run": 1})
    said = tries({**change, "jobQueueRef": {"name": "other"}})
    assert len(said) == 1
    assert "these changed: jobQueueRef parameters. To run the changed job" in said[0]


@pytest.mark.parametrize("name", [name for name, wrong in WRONG.items() if wrong.mends])
def test_what_mends_a_job_that_was_not_submitted_is_let_through(server, place, name):
    """While nothing stands in its status, and while it says that AWS has refused the job."""
    wrong = WRONG[name]
    refused = {"observedGeneration": 1, "accountId": "111122223333", "region": "eu-central-1"}
    for status in (None, refused):
        tries = Tries(server, place, "BatchJob", before=wrong.spec, status=status)
        assert tries(wrong.mends) == []


def test_fargate_is_told_which_members_to_remove(server, place):
    tries = Tries(server, place, "ComputeEnvironment")
    said = tries({"computeResources": {"type": "FARGATE", "instanceRole": None}})
    assert [each for each in said if "Remove instanceTypes, or set type to EC2 or SPOT." in each]


@pytest.mark.parametrize("odd", ["2GB", "", "1e999"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_odd_text_makes_a_rule_fail_to_be_evaluated(server, place, kind, odd):
    """All texts of a spec are odd at once, in every spec that a rule is about.

    Words that the API server lists (enums) stay: where one is wrong, it evaluates no rule at all.
    """
    schema, specs = spec_schema(BY_KIND[kind]), {}
    for each in cases(kind).values():
        for patch in (*each.accepts, *each.refuses):
            spec = with_odd_texts(schema, patched(BASES[kind], patch), odd)
            specs[json.dumps(spec, sort_keys=True)] = spec  # many are alike when their texts are
    tries = Tries(server, place, kind)
    met = [said for spec in specs.values() for said in tries.whole(spec)]
    assert met
    assert [said for said in met if UNEVALUATED.search(said)] == []


def with_odd_texts(schema, value, odd):
    """The value with every text that is not one of a list of words replaced."""
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {
            name: with_odd_texts(known.get(name, others), inner, odd)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [with_odd_texts(schema.get("items", {}), inner, odd) for inner in value]
    return odd if isinstance(value, str) and "enum" not in schema else value


# Of each kind what people filter by; and spec and state in AWS of a second object, which alone is
# found by it.
SELECTED: dict[str, tuple[tuple[str, ...], Patch, Patch]] = {
    "BatchJob": (
        (
            *("spec.jobQueueRef.name", "spec.jobDefinitionRef.name"),
            *("status.awsStatus", "status.failure", "status.jobId"),
        ),
        {"jobQueueRef": {"name": "spot"}, "jobDefinitionRef": {"name": "render"}},
        {"awsStatus": "FAILED", "failure": "HostLost", "jobId": "4c1cb2c5"},
    ),
    "ComputeEnvironment": (
        ("spec.type", "spec.state", "status.awsStatus"),
        {"type": "UNMANAGED", "computeResources": None, "state": "DISABLED", "serviceRole": "arn"},
        {"awsStatus": "INVALID"},
    ),
    "JobQueue": (
        ("spec.state", "status.awsStatus", "spec.schedulingPolicyRef.name"),
        {"state": "DISABLED", "schedulingPolicyRef": {"name": "fair"}},
        {"awsStatus": "INVALID"},
    ),
}


@pytest.mark.parametrize("kind", SELECTED)
def test_objects_are_selected_by_what_people_filter_by(server, place, kind):
    plural, (paths, patch, status) = BY_KIND[kind].plural, SELECTED[kind]
    names = []
    for spec in (BASES[kind], patched(BASES[kind], patch)):
        code, made = server.create(plural, manifest(kind, place, spec), dry_run=False)
        assert code == 201, messages(made)
        names.append(made["metadata"]["name"])
    shown = {**made, "status": {**made["status"], "conditions": [], **status}}
    code, made = server.replace_status(plural, shown)
    assert code == 200, messages(made)
    for path in paths:
        value = made
        for part in path.split("."):
            value = value[part]
        folder = f"/apis/{API_VERSION}/namespaces/{place}/{plural}"
        code, found = server.ask("GET", f"{folder}?fieldSelector={path}%3D{value}")
        assert code == 200, (path, found["message"])
        listed = {each["metadata"]["name"] for each in found["items"]}
        assert listed & set(names) == {names[1]}, path


def test_kubectl_selects_jobs_by_their_queue(control_plane, server, place):
    patch = {"jobQueueRef": {"name": "a-queue-of-its-own"}}
    body = manifest("BatchJob", place, patched(BASES["BatchJob"], patch))
    code, made = server.create("batchjobs", body, dry_run=False)
    assert code == 201, messages(made)
    selector = "--field-selector=spec.jobQueueRef.name=a-queue-of-its-own"
    listed = control_plane.kubectl("get", "awsjob", f"--namespace={place}", selector, "-oname")
    assert listed.stdout.split() == [f"batchjob.awsbatch.dev/{body['metadata']['name']}"]


def test_an_unknown_field_is_refused_by_name(server, place):
    tries = Tries(server, place, "ComputeEnvironment")
    said = tries({"capactiy": {"pools": []}})
    assert len(said) == 1
    assert 'unknown field "spec.capactiy"' in said[0]


def said_by(kind, rule_id):
    """The message of a rule, as its declaration has it."""
    rules = rules_in(object_schema(BY_KIND[kind]))
    return next(rule["message"] for _, rule in rules if rule[RULE_ID] == rule_id)
