"""What the tests on the real API server share: one control plane, and a namespace for each test.

The control plane is always one of our own, started here: no kubeconfig or context of the person
who runs the tests is ever read, so no test can reach a cluster that matters to somebody.
"""

import os
from collections.abc import AsyncIterator

import pytest
from tests.support.kube_place import WIDGET_CRD
from tests.support.namespaces import new_namespace
from tests.support.server_user import install
from tests.support.site import PATIENT, opened

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.kube.transport import Transport
from awsbatch_sandbox import binaries, installation
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.sandbox import Sandbox

MARKER = "control_plane"


def pytest_collection_modifyitems(items):
    """Mark what needs a control plane, and build the tools before any test's time runs."""
    needed = False
    for item in items:
        if MARKER in getattr(item, "fixturenames", ()):
            item.add_marker(MARKER)
        needed = needed or item.get_closest_marker(MARKER) is not None
    if needed and not items[0].config.option.collectonly:
        binaries.find()


@pytest.fixture
def measured(request):
    """Takes figures that are worth reading after the run: measured(name, value)."""

    def note(name, value):
        request.node.user_properties.append((name, value))

    return note


def pytest_terminal_summary(terminalreporter):
    """Print the figures, those from other processes too."""
    reports = terminalreporter.stats.get("passed", [])
    figures = [
        f"{report.nodeid.rpartition('::')[2]}: {name} {value}"
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
    ]
    if figures:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join([*sorted(figures), ""]))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    """A control plane without CRDs; namespaces and owner references work as in any cluster."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), controllers=True) as started:
        yield started


@pytest.fixture(scope="session")
def crds(control_plane):
    """Our CRDs are installed."""
    installation.install_crds(control_plane.kubectl)


@pytest.fixture(scope="module")
def widgets(control_plane):
    """The control plane with a tiny CRD under which any spec goes."""
    install(control_plane, WIDGET_CRD)
    return control_plane


@pytest.fixture
async def transport(widgets) -> AsyncIterator[Transport]:
    """Requests to the API server, as an administrator."""
    clock = SystemClock()
    connection = await connect(Location(widgets.kubeconfig), clock=clock, environ=os.environ)
    transport = Transport(connection, clock)
    yield transport
    await transport.close()


@pytest.fixture
def namespace(control_plane):
    """A namespace of this test's own; what is left in it afterwards goes, finalizers or not."""
    with new_namespace(control_plane) as name:
        yield name


@pytest.fixture
def sandbox(control_plane, crds, namespace, tmp_path):
    """Simulated AWS and operators of this test's own, to be started by it, on the shared cluster.

    Ended before the namespace goes, so that no operator holds on to what is in it.
    """
    with Sandbox(tmp_path, control_plane=control_plane) as sandbox:
        sandbox.install_operator_identity()
        yield sandbox
    # A killed operator cannot give its lease back, and the next one need not wait for that.
    control_plane.kubectl("delete", "leases", "--all", f"--namespace={sandbox.operator_namespace}")


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """One simulated AWS and one operator at work, for all tests of a module."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.start(**PATIENT)
        yield site


@pytest.fixture
def cluster(site, namespace):
    """What a user of this test's namespace does and sees."""
    with site.cluster(namespace) as cluster:
        yield cluster
