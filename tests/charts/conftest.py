"""What the tests of the charts share: the tools, and one control plane with the monitoring CRDs."""

import json
import subprocess

import pytest
from tests.support import chart_tools, kubernetes_schemas
from tests.support.charts import Helm, documents

from awsbatch_sandbox import binaries
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.paths import REPOSITORY


def pytest_collection_modifyitems(items):
    """Build the tools before any test's time runs."""
    if items and not items[0].config.option.collectonly:
        binaries.find()
        chart_tools.find()


@pytest.fixture(scope="session")
def tools():
    return chart_tools.find()


@pytest.fixture(scope="session")
def control_plane(tools, tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), controllers=True) as started:
        for path in tools.monitoring:
            started.kubectl("apply", "--server-side", "-f", str(path))
        names = [
            f"crd/{path.stem.partition('_')[2]}.monitoring.coreos.com" for path in tools.monitoring
        ]
        started.kubectl("wait", "--for=condition=established", "--timeout=30s", *names)
        started.kubectl.forget()
        yield started


@pytest.fixture(scope="session")
def kubectl(control_plane):
    return control_plane.kubectl


@pytest.fixture(scope="session")
def helm(tools, control_plane, tmp_path_factory):
    return Helm(tools.helm, tmp_path_factory.mktemp("helm"), control_plane.kubeconfig)


@pytest.fixture(scope="session")
def schemas(tools, tmp_path_factory):
    """A folder with the schemas of our kinds, and of those of the Prometheus operator."""
    folder = tmp_path_factory.mktemp("schemas")
    for path in (*(REPOSITORY / "crds").glob("awsbatch.dev_*.yaml"), *tools.monitoring):
        for crd in documents(path.read_text()):
            kubernetes_schemas.write_custom(folder, crd)
    return folder


@pytest.fixture(scope="session")
def conform(kubectl, tools, schemas):
    """Asks kubeconform about objects, by what the API server says of Kubernetes' own kinds."""
    openapi = json.loads(kubectl("get", "--raw", "/openapi/v2").stdout)

    def ask(bodies):
        kinds = {(body["apiVersion"], body["kind"]) for body in bodies}
        kubernetes_schemas.write_own(schemas, openapi, kinds)
        where = f"-schema-location={schemas}/{kubernetes_schemas.NAMES}"
        done = subprocess.run(
            [str(tools.kubeconform), "-strict", "-summary", "-output=json", where],
            input="\n---\n".join(map(json.dumps, bodies)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return ask
