import fcntl
import io
import threading

import pytest
from tests.support.deadline import wait_until
from tests.unit.sandbox.scripts import script

from awsbatch_sandbox import processes
from awsbatch_sandbox.build import Builder, linker_flags
from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import Go

# As `go build -v -o FILE -ldflags FLAGS PACKAGE` would: it prints packages and writes the file.
WORKS = 'echo internal/abi; printf "%s" "$7" > "$4"'
FAILS = 'echo "go: downloading x v1"; printf half > "$4"; echo "x.go:1: syntax error"; exit 1'


@pytest.fixture
def shown():
    return io.StringIO()


@pytest.fixture
def builder(tmp_path, shown):
    def make(go):
        path = script(tmp_path / "go", go)
        return Builder(
            module=tmp_path,
            linked="-s -w",
            costs="a second",
            directory=tmp_path / "tools",
            environ={},
            progress=Progress(shown),
            find_go=lambda: Go(path, "go1.26.8"),
        )

    return make


def test_a_built_tool_stands_in_the_cache_under_its_own_name(builder, tmp_path, shown):
    builder(WORKS).build([Tool.ETCD, Tool.KUBECTL])
    assert (tmp_path / "tools" / "etcd").read_text() == "go.etcd.io/etcd/server/v3"
    assert (tmp_path / "tools" / "kubectl").read_text() == "k8s.io/kubernetes/cmd/kubectl"
    assert "kubectl (2 of 2): built in 0 s" in shown.getvalue()


def test_a_failed_build_leaves_no_binary_and_shows_the_compilers_words(builder, tmp_path):
    with pytest.raises(ToolsMissing, match=r"(?s)etcd cannot be built\..*syntax error.*GOPROXY"):
        builder(FAILS).build([Tool.ETCD])
    assert {path.name for path in (tmp_path / "tools").iterdir()} == {".lock", "build-etcd.log"}


def test_an_interrupted_build_leaves_neither_a_process_nor_a_binary(builder, tmp_path, monkeypatch):
    def interrupt(*_):
        wait_until((tmp_path / "pid").exists, "go runs")
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "live", interrupt)
    with pytest.raises(KeyboardInterrupt):
        builder(f'printf half > "$4"; echo $$ > {tmp_path}/pid; exec sleep 60').build([Tool.ETCD])
    assert processes.look(int((tmp_path / "pid").read_text())) is None
    assert {path.name for path in (tmp_path / "tools").iterdir()} == {".lock", "build-etcd.log"}


def test_what_a_killed_builder_left_is_no_obstacle(builder, tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / ".etcd.new").write_text("half")
    builder(f"test ! -e $4 || exit 1; {WORKS}").build([Tool.ETCD])
    assert (tmp_path / "tools" / "etcd").exists()


def test_what_is_there_is_not_built_again(builder, tmp_path):
    script(tmp_path / "tools" / "etcd", "exit 0")
    builder(FAILS).build([Tool.ETCD])


def test_a_second_builder_waits_for_the_first_and_then_has_nothing_to_do(builder, tmp_path, shown):
    lock = tmp_path / "tools" / ".lock"
    lock.parent.mkdir()
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=builder(FAILS).build, args=[[Tool.ETCD]])
        second.start()
        while "waiting for it" not in shown.getvalue():
            second.join(0.01)
        script(tmp_path / "tools" / "etcd", "exit 0")  # the first one's work
    second.join()
    assert "Building" not in shown.getvalue()


def test_the_version_is_set_where_kubernetes_looks_for_it():
    flags = linker_flags("v1.36.3")
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion=v1.36.3" in flags
        assert f"-X {package}.gitMajor=1" in flags
        assert f"-X {package}.gitMinor=36" in flags
