import base64
import json
import stat
from datetime import UTC, datetime

import pytest
from tests.unit.sandbox.scripts import script

from awsbatch_sandbox.certificates import Authority
from awsbatch_sandbox.errors import KubectlFailed
from awsbatch_sandbox.kubeconfig import Cluster, write_with_certificate, write_with_token
from awsbatch_sandbox.kubectl import Kubectl


@pytest.fixture
def authority():
    return Authority(name="test", now=datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def cluster(authority, tmp_path):
    return Cluster("https://127.0.0.1:6443", authority.write(tmp_path / "ca.crt"))


def read(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = json.loads(path.read_text())
    (context,) = content["contexts"]
    assert context["name"] == content["current-context"]
    return content["clusters"][0]["cluster"], content["users"][0]["user"], context["context"]


def test_a_kubeconfig_holds_all_that_it_needs(authority, cluster, tmp_path):
    pair = authority.client(tmp_path, "admin", user="admin")
    path = write_with_certificate(tmp_path / "kubeconfig", cluster, user="admin", pair=pair)
    where, user, _ = read(path)
    assert where["server"] == "https://127.0.0.1:6443"
    authority_data = base64.b64decode(where["certificate-authority-data"])
    assert authority_data == cluster.ca_file.read_bytes()
    assert base64.b64decode(user["client-key-data"]) == pair.key.read_bytes()


def test_a_kubeconfig_with_a_token_begins_in_its_namespace(cluster, tmp_path):
    path = write_with_token(
        tmp_path / "kubeconfig", cluster, user="operator", token="t0ken", namespace="system"
    )
    _, user, context = read(path)
    assert user == {"token": "t0ken"}
    assert context["namespace"] == "system"


def test_kubectl_sees_nothing_of_the_users_own_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/home/me/production")
    kubectl = Kubectl(script(tmp_path / "kubectl", "env"), tmp_path / "ours", tmp_path / "cache")
    printed = kubectl("get", "pods").stdout.splitlines()
    assert f"KUBECONFIG={tmp_path}/ours" in printed
    assert f"KUBECACHEDIR={tmp_path}/cache" in printed
    assert "KUBERC=off" in printed


def test_what_kubectl_says_when_it_refuses_is_in_the_error(tmp_path):
    refuses = script(tmp_path / "kubectl", "echo no such kind >&2; exit 1")
    kubectl = Kubectl(refuses, tmp_path / "kubeconfig", tmp_path / "cache")
    with pytest.raises(KubectlFailed, match=r"(?s)kubectl get pods failed:.*no such kind"):
        kubectl("get", "pods")
    assert kubectl("get", "pods", check=False).returncode == 1


def test_kubectl_gets_its_input(tmp_path):
    kubectl = Kubectl(script(tmp_path / "kubectl", "cat"), tmp_path / "x", tmp_path / "cache")
    assert kubectl("apply", "--filename=-", input="kind: Job").stdout == "kind: Job"
