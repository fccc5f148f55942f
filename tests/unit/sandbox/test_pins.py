import pytest

from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.paths import TOOLS_MODULE
from awsbatch_sandbox.pins import Tool, go_version, read_pins

GO_MOD = """module x

go 1.26.0

tool (
	go.etcd.io/etcd/server/v3
	k8s.io/kubernetes/cmd/kubectl
)

require (
	go.etcd.io/etcd/server/v3 v3.6.8 // indirect
	k8s.io/kubernetes v1.36.3 // indirect
)
"""


@pytest.fixture
def module(tmp_path):
    (tmp_path / "go.mod").write_text(GO_MOD)
    (tmp_path / "go.sum").write_text("sums\n")
    return tmp_path


def test_the_pins_are_those_of_the_go_module(module):
    pins = read_pins(module)
    assert pins.go == (1, 26, 0)
    assert pins.version(Tool.API_SERVER) == pins.version(Tool.KUBECTL) == "v1.36.3"
    assert pins.version(Tool.ETCD) == "v3.6.8"


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_a_change_of_what_is_pinned_changes_the_key(module, name):
    before = read_pins(module).key
    with (module / name).open("a") as file:
        file.write("// changed\n")
    assert read_pins(module).key != before


def test_a_change_of_what_we_build_ourselves_changes_the_key(module):
    before = read_pins(module).key
    (module / "pause").mkdir()
    (module / "pause" / "main.go").write_text("package main\n")
    assert read_pins(module).key != before


def test_every_tool_is_declared_in_our_go_module():
    text = (TOOLS_MODULE / "go.mod").read_text()
    for tool in Tool:
        assert f"\t{tool.package}\n" in text


def test_every_kubernetes_module_has_one_and_the_same_version():
    text = (TOOLS_MODULE / "go.mod").read_text()
    _, minor, patch = read_pins(TOOLS_MODULE).kubernetes.removeprefix("v").split(".")
    replaced = [line.split() for line in text.splitlines() if "=>" in line]
    assert replaced
    for old, _, new, version in replaced:
        assert (old, version) == (new, f"v0.{minor}.{patch}")


def test_a_checkout_without_the_go_module_is_told(tmp_path):
    with pytest.raises(ToolsMissing, match=r"Cannot read .*go\.mod .*whole checkout"):
        read_pins(tmp_path)


def test_a_go_module_without_kubernetes_is_told(module):
    (module / "go.mod").write_text("module x\n\ngo 1.26.0\n")
    with pytest.raises(ToolsMissing, match=r"names no k8s\.io/kubernetes"):
        read_pins(module)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("go1.26.8\n", (1, 26, 8)),
        ("1.27", (1, 27, 0)),
        ("go1.27rc1", (1, 27, 0)),
        ("devel +a1b2c3", ()),
        ("", ()),
    ],
)
def test_a_go_version_is_read(text, numbers):
    assert go_version(text) == numbers
