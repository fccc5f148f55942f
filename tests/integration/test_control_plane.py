"""The sandbox's control plane is a real one, and leaves nothing behind."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from tests.support.deadline import wait_until
from tests.support.signals import with_default_signals

from awsbatch_sandbox import processes, state
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.errors import KubectlFailed
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.paths import REPOSITORY, TOOLS_MODULE, Layout
from awsbatch_sandbox.pins import read_pins

DEADLINE_SECONDS = 40
STARTER = """
import sys, time
from pathlib import Path
from awsbatch_sandbox.controlplane import ControlPlane
control_plane = ControlPlane(Path(sys.argv[1]))
print(control_plane.sandbox_id, flush=True)
control_plane.start()
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def started(*command):
    """Another Python process; killed at the end if it still runs."""
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY / "operator")}
    process = subprocess.Popen(
        with_default_signals([sys.executable, *command]),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        yield process
        process.kill()


def as_account(control_plane, namespace, name):
    path = control_plane.service_account_kubeconfig(namespace, name)
    return Kubectl(control_plane.kubectl.binary, path, path.with_suffix(".cache"))


def get(control_plane, path, **headers):
    context = ssl.create_default_context(cafile=str(control_plane.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    host = urlsplit(control_plane.server).netloc
    with closing(http.client.HTTPSConnection(host, context=context)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_client_and_server_have_the_pinned_version(control_plane):
    versions = json.loads(control_plane.kubectl("version", "--output=json").stdout)
    pinned = read_pins(TOOLS_MODULE).kubernetes
    assert versions["clientVersion"]["gitVersion"] == pinned
    assert versions["serverVersion"]["gitVersion"] == pinned
    assert versions["serverVersion"]["minor"] == pinned.split(".")[1]


def test_python_accepts_the_api_server_when_it_verifies_strictly(control_plane):
    assert get(control_plane, "/readyz") == (200, b"ok")


def test_a_service_account_may_do_nothing_but_what_rbac_gives_it(control_plane, namespace):
    control_plane.kubectl("create", "serviceaccount", "reader", f"--namespace={namespace}")
    kubectl = as_account(control_plane, namespace, "reader")
    who = json.loads(kubectl("auth", "whoami", "--output=json").stdout)
    assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:reader"
    with pytest.raises(KubectlFailed, match="cannot list resource"):
        kubectl("get", "configmaps")
    rights = ("create", "rolebinding", "view", "--clusterrole=view", f"--namespace={namespace}")
    control_plane.kubectl(*rights, f"--serviceaccount={namespace}:reader")
    kubectl("get", "configmaps")
    with pytest.raises(KubectlFailed, match="cannot delete resource"):
        kubectl("delete", "configmap", "any")


def test_a_stranger_is_refused(control_plane):
    status, _ = get(control_plane, "/api/v1/namespaces", Authorization="Bearer invented")
    assert status == 401


def test_what_an_object_owns_goes_with_it(control_plane, namespace):
    kubectl = control_plane.kubectl
    created = kubectl(
        "create", "configmap", "owner", f"--namespace={namespace}", "--output=json"
    ).stdout
    owner = json.loads(created)["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    metadata = {"name": "owned", "namespace": namespace, "ownerReferences": [reference]}
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    kubectl("create", "--filename=-", input=json.dumps(owned))
    kubectl("delete", "configmap", "owner", f"--namespace={namespace}")
    kubectl("wait", "--for=delete", "configmap/owned", f"--namespace={namespace}", "--timeout=40s")


def test_a_deleted_namespace_goes_with_all_that_is_in_it(control_plane):
    control_plane.kubectl("create", "namespace", "going")
    control_plane.kubectl("create", "configmap", "content", "--namespace=going")
    control_plane.kubectl("delete", "namespace", "going", "--timeout=40s")
    left = control_plane.kubectl("get", "configmaps", "--namespace=going", "--output=name")
    assert left.stdout == ""


def test_two_control_planes_at_once_know_nothing_of_each_other(control_plane, tmp_path):
    with ControlPlane(tmp_path) as other:
        assert other.server != control_plane.server
        other.kubectl("create", "namespace", "only-in-the-other")
        names = control_plane.kubectl("get", "namespaces", "--output=name").stdout.split()
        assert "namespace/only-in-the-other" not in names
        # Nor does the one's administrator mean anything to the other.
        foreign = Kubectl(other.kubectl.binary, control_plane.kubeconfig, tmp_path / "cache")
        with pytest.raises(KubectlFailed, match="certificate signed by unknown authority"):
            foreign("get", "namespaces", f"--server={other.server}")


def test_stopping_leaves_no_process_behind(tmp_path):
    control_plane = ControlPlane(tmp_path)
    with control_plane:
        assert len(processes.marked(control_plane.sandbox_id)) == 2
    assert processes.marked(control_plane.sandbox_id) == []


def test_a_control_plane_dies_with_a_starter_that_is_killed(tmp_path):
    with started("-c", STARTER, str(tmp_path)) as starter:
        sandbox_id = starter.stdout.readline().decode().strip()
        assert starter.stdout.readline() == b"ready\n"
        starter.kill()
        starter.wait()
    wait_until(lambda: not processes.marked(sandbox_id), "all processes have ended")


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_up_that_is_interrupted_while_it_starts_leaves_nothing_behind(tmp_path, parts):
    layout = Layout(tmp_path)
    with started("-m", "awsbatch_sandbox", "up", f"--directory={tmp_path}") as up:
        found = wait_until(lambda: has_started(layout, parts), f"{parts} parts run")
        up.send_signal(signal.SIGINT)
        assert up.wait(DEADLINE_SECONDS) == 128 + signal.SIGINT
        assert "everything that was started has ended" in up.stderr.read().decode()
    assert processes.marked(found.sandbox_id) == []
    assert not layout.state.exists()


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_down_ends_what_a_killed_up_had_started(tmp_path, parts):
    layout = Layout(tmp_path)
    with started("-m", "awsbatch_sandbox", "up", f"--directory={tmp_path}") as up:
        found = wait_until(lambda: has_started(layout, parts), f"{parts} parts run")
        up.kill()
        up.wait()
    with started("-m", "awsbatch_sandbox", "down", f"--directory={tmp_path}") as down:
        assert down.wait(DEADLINE_SECONDS) == 0
    assert processes.marked(found.sandbox_id) == []
    assert not layout.state.exists()
    assert not layout.kubeconfig.exists()


def has_started(layout, parts):
    """The state of a sandbox once `up` has noted that many parts down."""
    found = state.read(layout.state)
    return found if found and len(found.records) >= parts else None
