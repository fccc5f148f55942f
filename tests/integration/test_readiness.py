"""An operator that lacks something says what, and what helps, at /readyz and in its log, once.

CRDs and further rights: test_rights.py; what objects say of it: test_afterwards.py.
"""

import json

import pytest
from tests.integration.test_afterwards import NO_CREDENTIALS
from tests.integration.test_rights import log_of, without
from tests.support import manifests
from tests.support.cluster import is_ready, message, shows
from tests.support.deadline import wait_until
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import GROUP
from awsbatch_sandbox import installation

POLICY = ("SchedulingPolicy", "fair")
SERVICES = ("batch", "ec2", "ecs", "ssm", "iam")


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """Without an operator: each test starts its own."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def start(site):
    """Start one that may never be ready; what it has logged since."""
    before = len(log_of(site))

    def started(**environ):
        site.begin(environ=environ)
        return lambda: log_of(site)[before:]

    yield started
    site.sandbox.stop_operator()


def lines(log, text):
    """How often the log says so."""
    return sum(json.loads(line)["message"] == text for line in log().splitlines())


def test_without_credentials_it_is_not_ready_although_there_is_no_object_yet(site, start):
    log = start(**NO_CREDENTIALS)
    wait_until(lambda: "none were found" in site.not_ready(), "it says what it lacks")
    words = site.not_ready()
    assert "Give the operator's ServiceAccount an AWS role" in words
    wait_until(lambda: lines(log, "not ready"), "the log says so")
    assert log().count("Give the operator's ServiceAccount") == 1


def test_refused_everything_by_aws_it_is_not_ready_until_something_is_allowed(site, start, cluster):
    faults = [site.fault("deny", service=each) for each in SERVICES]
    log = start()
    cluster.apply(named(*POLICY, manifests.policy()))
    found = cluster.wait(*POLICY, shows("PermissionDenied"), "shows PermissionDenied")
    assert "AWS refuses batch:" in message(found, "Stalled")
    words = wait_until(site.not_ready, "it is not ready")
    assert "AWS has refused all that it was asked so far. AWS refuses batch:" in words
    assert "deploy/iam" in words
    wait_until(lambda: lines(log, "not ready"), "the log says so")
    for each in faults:
        site.mend(each)
    cluster.nudge(*POLICY)
    cluster.wait(*POLICY, is_ready, "is Ready")
    assert site.not_ready() == ""
    wait_until(lambda: lines(log, "ready again") == 1, "the log says so")


def test_without_the_right_to_watch_it_is_not_ready_and_works_all_the_same_once_granted(
    site, start, cluster, control_plane
):
    with without(control_plane, "watch", "jobdefinitions") as grant:
        start()
        wait_until(lambda: "cannot watch resource" in site.not_ready(), "it says what it lacks")
        words = site.not_ready()
        assert "Changes of objects are not seen" in words
        assert "apply the RBAC rules" in words
        grant()
        wait_until(lambda: not site.not_ready(), "it is ready")
        cluster.apply(named(*POLICY, manifests.policy()))
        cluster.wait(*POLICY, is_ready, "is Ready")


def test_without_the_right_to_take_the_lease_it_is_not_ready_and_says_so_once(
    site, start, control_plane
):
    lease = ("role", "aws-batch-operator-lease", f"--namespace={site.sandbox.operator_namespace}")
    role = json.loads(control_plane.kubectl("get", *lease, "--output=json").stdout)
    control_plane.kubectl("delete", *lease)
    try:
        log = start()
        wait_until(lambda: "leases" in site.not_ready(), "it names the leases")
        control_plane.kubectl("apply", "--filename=-", input=json.dumps(without_version(role)))
        wait_until(lambda: not site.not_ready(), "it is ready")
        assert lines(log, "the lease is refused") == 1
    finally:
        control_plane.kubectl("apply", "--filename=-", input=json.dumps(without_version(role)))


def without_version(body):
    metadata = {key: body["metadata"][key] for key in ("name", "namespace", "labels")}
    return body | {"metadata": metadata}


def test_a_replica_that_stands_by_is_not_ready_before_it_has_found_all_kinds(site, control_plane):
    """Else a newer version would take the place of an older one that can work without its CRDs."""
    site.start()
    try:
        control_plane.kubectl("delete", f"crd/schedulingpolicies.{GROUP}")
        site.begin("newer")
        wait_until(
            lambda: "does not serve SchedulingPolicy" in site.not_ready("newer"),
            "it says what it lacks",
        )
        assert site.metric("leader", operator="newer") == 0
        installation.install_crds(control_plane.kubectl)
        wait_until(lambda: not site.not_ready() and not site.not_ready("newer"), "both are ready")
    finally:
        installation.install_crds(control_plane.kubectl)
        site.sandbox.stop_operator("newer")
        site.sandbox.stop_operator()


def test_at_rest_nothing_is_logged(site, cluster):
    before = len(log_of(site))
    site.start(resync_seconds="2")
    try:
        cluster.apply(named(*POLICY, manifests.policy()))
        cluster.wait(*POLICY, is_ready, "is Ready")

        def passes():
            return site.metric("resync_passes_total", outcome="ok")

        begun = passes()
        wait_until(lambda: passes() > begun, "nothing is left to be said")
        told = log_of(site)[before:]
        assert '"ready"' in told
        begun = passes()
        wait_until(lambda: passes() >= begun + 3, "some passes have ended")
        assert log_of(site)[before:] == told
    finally:
        site.sandbox.stop_operator()
