"""A node that was never up, or whose logs cannot be kept, leaves as little as any other."""

from types import SimpleNamespace
from typing import Any

import pytest

from awsbatch_node import cgroups, leftovers
from awsbatch_node.node import Node
from awsbatch_sandbox.errors import ProcessFailed
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.processes import Identity

NOBODY = Identity(2**22 + 1, 0)  # beyond what the kernel gives to a process


@pytest.fixture
def node(tmp_path, monkeypatch):
    (tmp_path / "mounts").write_text("")
    monkeypatch.setattr(cgroups, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(leftovers, "DIRECTORIES", tmp_path)
    binaries: Any = {}
    return Node(binaries, logs=tmp_path / "kept" / "logs")


def test_one_that_is_interrupted_before_it_begins_leaves_nothing(node, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(node, "_start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        node.__enter__()
    assert not node.place.root.exists()


def test_one_whose_logs_cannot_be_kept_leaves_nothing(node, tmp_path):
    node.place.create()
    (tmp_path / "kept").touch()
    with pytest.raises(OSError, match="kept"):
        node.__exit__(None, None, None)
    assert not node.place.root.exists()


def test_logs_are_kept(node, tmp_path):
    node.place.create()
    (node.place.logs / "etcd.log").write_text("ready\n")
    node.__exit__(None, None, None)
    assert (tmp_path / "kept" / "logs" / "etcd.log").read_text() == "ready\n"
    assert not node.place.root.exists()


def test_an_api_server_that_does_not_run_cannot_be_frozen(node):
    node._parts[Tool.API_SERVER] = SimpleNamespace(identity=NOBODY)
    with pytest.raises(ProcessFailed, match="there is nothing to freeze"):
        node.freeze(60)
