"""What the tests with GitOps tools share: the built tools, and cheap clients of the simulator."""

from contextlib import ExitStack

import pytest

# Its fixture is used by itself; its hook makes its mark known.
from tests.conformance.conftest import cheap, pytest_configure  # noqa: F401
from tests.support import flux, gitops_tools
from tests.support.gitops_tools import GitopsTool
from tests.support.namespaces import new_namespace
from tests.support.site import opened

from awsbatch_sandbox import binaries, installation
from awsbatch_sandbox.controlplane import ControlPlane

NEEDS = {"judge": GitopsTool.JUDGE, "controller": GitopsTool.CONTROLLER}


@pytest.hookimpl(trylast=True)  # after what is not to run was taken out
def pytest_collection_modifyitems(items):
    """Build the tools before any test's time runs."""
    if not items or items[0].config.option.collectonly:
        return
    wanted = {name for item in items for name in getattr(item, "fixturenames", ())}
    for name in NEEDS.keys() & wanted:
        gitops_tools.find(NEEDS[name])
    if "control_plane" in wanted:
        binaries.find()


@pytest.fixture(scope="session")
def judge():
    """Asks kstatus' library and Argo CD's engine about objects."""
    return gitops_tools.Judge(gitops_tools.find(GitopsTool.JUDGE))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    """A control plane with our CRDs and Flux's."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), controllers=True) as started:
        installation.install_crds(started.kubectl)
        for folder in gitops_tools.crds():
            started.kubectl("apply", "--server-side", f"--filename={folder}")
        wanted = ("gitrepositories.source", "kustomizations.kustomize")
        names = [f"crd/{name}.toolkit.fluxcd.io" for name in wanted]
        started.kubectl("wait", "--for=condition=established", "--timeout=60s", *names)
        started.kubectl.forget()
        yield started


@pytest.fixture(scope="session")
def controller(control_plane, tmp_path_factory):
    """Flux's controller at work."""
    program = gitops_tools.find(GitopsTool.CONTROLLER)
    with flux.running(program, control_plane, tmp_path_factory.mktemp("flux")) as part:
        yield part


@pytest.fixture(scope="session")
def archives():
    """What stands in for Flux's source-controller."""
    with flux.Archives() as started:
        yield started


@pytest.fixture(scope="module")
def site(control_plane, tmp_path_factory):
    """One simulated AWS, in which jobs end soon, and one operator, for all tests of a module."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.script(durationSeconds=2)
        site.start()
        yield site


@pytest.fixture
def namespaces(control_plane):
    """Makes namespaces of this test's own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(new_namespace(control_plane))


@pytest.fixture
def followed(site, controller, archives, namespaces):
    """Makes (what a user sees of a namespace, its repository) whose Kustomization goes at the end.

    It goes before the namespace does, so that nothing is applied anew.
    """
    with ExitStack() as stack:

        def make():
            cluster = stack.enter_context(site.cluster(namespaces()))
            repository = flux.Flux(cluster.api, archives, cluster.namespace)
            stack.callback(repository.remove)
            return cluster, repository

        yield make
