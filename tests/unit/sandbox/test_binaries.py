import io

import pytest
from tests.unit.sandbox.scripts import script

from awsbatch_sandbox import binaries
from awsbatch_sandbox.binaries import find, from_assets, version_of
from awsbatch_sandbox.paths import TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import CONTROL_PLANE, Pins, Tool, read_pins
from awsbatch_sandbox.progress import Progress

PINS = Pins(go=(1, 26, 0), kubernetes="v1.36.3", etcd="v3.6.8", key="k")
SAYS = {
    Tool.KUBECTL: "echo Client Version: {}; echo Kustomize Version: v5.8.1",
    Tool.ETCD: "echo etcd Version: {}; echo Go Version: go1.26.8",
    Tool.API_SERVER: "echo Kubernetes {}",
    Tool.CONTROLLER_MANAGER: "echo Kubernetes {}",
    Tool.SCHEDULER: "echo Kubernetes {}",
    Tool.KUBELET: "echo Kubernetes {}",
    Tool.PROXY: "echo Kubernetes {}",
}


@pytest.fixture
def shown():
    return io.StringIO()


@pytest.fixture
def progress(shown):
    return Progress(shown)


def test_every_tool_of_others_says_its_version():
    assert SAYS.keys() == set(Tool) - {Tool.PAUSE}


@pytest.mark.parametrize("tool", list(SAYS))
def test_the_version_is_read_from_what_a_binary_prints(tmp_path, tool):
    version = "3.6.8" if tool is Tool.ETCD else "v1.36.3"
    path = script(tmp_path / tool, SAYS[tool].format(version))
    assert version_of(tool, path) == f"v{version.removeprefix('v')}"


def test_a_binary_that_cannot_run_has_no_version(tmp_path):
    path = tmp_path / "etcd"
    path.write_bytes(b"not a program")
    path.chmod(0o755)
    assert version_of(Tool.ETCD, path) is None


def test_given_binaries_of_the_pinned_version_are_used(tmp_path, progress, shown):
    path = script(tmp_path / "kube-apiserver", "echo Kubernetes v1.36.3")
    environ = {"KUBEBUILDER_ASSETS": str(tmp_path)}
    assert from_assets(Tool, PINS, environ=environ, progress=progress) == {Tool.API_SERVER: path}
    assert shown.getvalue() == ""


def test_given_binaries_of_another_version_are_not_used_and_that_is_said(tmp_path, progress, shown):
    script(tmp_path / "kube-apiserver", "echo Kubernetes v1.35.0")
    environ = {"KUBEBUILDER_ASSETS": str(tmp_path)}
    assert from_assets(Tool, PINS, environ=environ, progress=progress) == {}
    assert "kube-apiserver is v1.35.0, not v1.36.3: not used" in shown.getvalue()


def test_a_whole_cache_is_used_without_looking_for_go(tmp_path, progress, monkeypatch):
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    built = cache_directory(environ) / f"tools-{read_pins(TOOLS_MODULE).key}"
    for tool in Tool:
        script(built / tool, "exit 0")
    monkeypatch.setattr(binaries, "find_go", lambda *_, **__: pytest.fail("looked for Go"))
    every = tuple(Tool)
    assert find(every, environ=environ, progress=progress) == {tool: built / tool for tool in Tool}


def test_a_control_plane_needs_nothing_of_a_node(tmp_path, progress, monkeypatch):
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    built = cache_directory(environ) / f"tools-{read_pins(TOOLS_MODULE).key}"
    for tool in CONTROL_PLANE:
        script(built / tool, "exit 0")
    monkeypatch.setattr(binaries, "find_go", lambda *_, **__: pytest.fail("looked for Go"))
    assert find(environ=environ, progress=progress).keys() == set(CONTROL_PLANE)


def test_what_is_ours_is_built_and_never_run_to_ask_for_its_version(tmp_path, progress):
    script(tmp_path / "pause", "echo Kubernetes v1.36.3")
    environ = {"KUBEBUILDER_ASSETS": str(tmp_path)}
    assert from_assets(Tool, PINS, environ=environ, progress=progress) == {}


def test_the_cache_is_where_xdg_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    expected = {"/var/cache": "/var/cache", "": "/home/me/.cache", "relative": "/home/me/.cache"}
    for given, base in expected.items():
        assert str(cache_directory({"XDG_CACHE_HOME": given})) == f"{base}/aws-batch-operator"
