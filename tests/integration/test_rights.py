"""An operator that cannot work yet, for want of CRDs or rights, says so and recovers by itself."""

import json
from contextlib import contextmanager

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_complete, is_ready
from tests.support.deadline import wait_until
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_sandbox import installation
from awsbatch_sandbox.controlplane import ControlPlane

ROLE = ("get", "clusterrole", "aws-batch-operator")
DEFINITION = ("JobDefinition", "simulate")
MISSING = [
    ("list", "jobdefinitions"),
    ("patch", "jobdefinitions"),
    ("patch", "jobdefinitions/status"),
]


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """Without an operator: each test starts its own."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        yield site


@contextmanager
def without(control_plane, verb, resource):
    """The operator's ClusterRole lacks one thing; it is restored at the latest at the end."""
    role = json.loads(control_plane.kubectl(*ROLE, "--output=json").stdout)
    rules = [rule for rule in role["rules"] if resource in rule["resources"]]
    assert any(verb in rule["verbs"] for rule in rules)
    less = [rule | {"verbs": [each for each in rule["verbs"] if each != verb]} for rule in rules]
    others = [rule for rule in role["rules"] if resource not in rule["resources"]]
    replace_rules(control_plane, [rule for rule in (*others, *less) if rule["verbs"]])
    try:
        yield lambda: replace_rules(control_plane, role["rules"])
    finally:
        replace_rules(control_plane, role["rules"])


def replace_rules(control_plane, rules):
    patch = json.dumps([{"op": "replace", "path": "/rules", "value": rules}])
    control_plane.kubectl(
        "patch", "clusterrole", "aws-batch-operator", "--type=json", f"--patch={patch}"
    )


def log_of(site):
    log = site.sandbox.layout.logs / "operator.log"
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize(("verb", "resource"), MISSING)
def test_a_right_that_is_missing_is_named_and_once_granted_the_work_is_done(
    site, cluster, verb, resource
):
    before = len(log_of(site))
    with without(site.control_plane, verb, resource) as grant:
        site.begin()
        try:
            cluster.apply(named(*DEFINITION, manifests.definition()))
            said = f'cannot {verb} resource "{resource}"'
            in_json = said.replace('"', '\\"')
            wait_until(lambda: in_json in log_of(site)[before:], "the log names it")
            words = wait_until(site.not_ready, "it is not ready")
            assert said in words
            assert "apply the RBAC rules" in words
            grant()
            cluster.wait(*DEFINITION, is_ready, "is Ready")
            wait_until(lambda: not site.not_ready(), "it is ready")
        finally:
            site.sandbox.stop_operator()


def test_without_the_right_to_make_events_all_else_is_done(site, cluster, control_plane):
    with without(control_plane, "create", "events"):
        site.start()
        try:
            cluster.apply(named(*DEFINITION, manifests.definition()))
            cluster.wait(*DEFINITION, is_ready, "is Ready")
            cluster.delete(*DEFINITION)
            cluster.wait_gone(DEFINITION)
        finally:
            site.sandbox.stop_operator()


def test_started_before_the_crds_it_names_them_and_works_once_they_are_there(tmp_path):
    with (
        ControlPlane(tmp_path / "plane") as bare,
        opened(bare, tmp_path / "site") as site,
        site.cluster("default") as cluster,
    ):
        site.begin()
        wait_until(lambda: "waiting for CRDs" in log_of(site), "it says what it waits for")
        assert "kubectl apply --server-side -k deploy/crds" in log_of(site)
        assert site.metric("leader") == 1
        words = wait_until(site.not_ready, "it is not ready")
        assert "does not serve AWSAccount, BatchJob, ComputeEnvironment" in words
        assert "kubectl apply --server-side -k deploy/crds" in words
        installation.install_crds(bare.kubectl)
        cluster.apply(*quickstart.bodies())
        cluster.wait(*quickstart.JOB, is_complete, "is Complete")
        assert site.not_ready() == ""
