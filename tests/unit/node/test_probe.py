"""A machine that cannot run a node is told from one that can, and from one that lacks packages."""

import io

import pytest

from awsbatch_node import cgroups, probe, requirements
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.progress import Progress

QUIET = Progress(io.StringIO())
ABLE = {"PATH": "/nowhere"}


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine that can do everything, with a cgroup hierarchy to write to."""
    (tmp_path / "mounts").write_text(f"cgroup {tmp_path} cgroup rw 0 0\n")
    monkeypatch.setattr(cgroups, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(requirements, "why_not", lambda **_: "")
    monkeypatch.setattr(requirements, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(probe, "in_namespaces", lambda _: "")
    monkeypatch.setenv("PATH", ABLE["PATH"])
    monkeypatch.delenv("E2E_KUBECONFIG", raising=False)
    return tmp_path


def test_a_machine_that_can_do_all_of_it_leaves_nothing_behind(machine, capsys):
    assert probe.main() == 0
    assert capsys.readouterr().out == ""
    assert [path.name for path in machine.iterdir()] == ["mounts"]


@pytest.mark.parametrize("what", probe.NEEDS)
def test_whatever_a_machine_forbids_is_said_and_nothing_is_run(machine, monkeypatch, capsys, what):
    monkeypatch.setattr(
        probe, "in_namespaces", lambda script: "forbidden" if script == probe.NEEDS[what] else ""
    )
    assert probe.main() == probe.CANNOT
    assert capsys.readouterr().out.splitlines()[-1] == f"e2e NOT RUN: {what}: forbidden"


def test_without_namespaces_nothing_else_is_said(machine, monkeypatch, capsys):
    monkeypatch.setattr(probe, "in_namespaces", lambda _: "forbidden")
    assert probe.main() == probe.CANNOT
    assert capsys.readouterr().out.endswith(f"e2e NOT RUN: {probe.NAMESPACES}: forbidden\n")


def test_cgroups_that_cannot_be_written_are_said(machine, monkeypatch, capsys):
    (machine / "mounts").write_text(f"cgroup {machine / 'gone'} cgroup rw 0 0\n")
    assert probe.main() == probe.CANNOT
    assert "e2e NOT RUN: cgroups that can be written: " in capsys.readouterr().out
    (machine / "mounts").write_text("")
    assert probe.main() == probe.CANNOT
    assert "none are mounted" in capsys.readouterr().out


def test_another_system_is_no_error(machine, monkeypatch, capsys):
    monkeypatch.setattr(requirements, "why_not", lambda **_: "this is no Linux")
    assert probe.main() == probe.CANNOT
    assert "e2e NOT RUN: this is no Linux" in capsys.readouterr().out


def test_packages_that_are_missing_are_an_error(machine, monkeypatch, capsys):
    def missing(*_, **__):
        raise SandboxError("apt-get install runc")

    monkeypatch.setattr(requirements, "ensure", missing)
    assert probe.main() == 1
    assert "apt-get install runc" in capsys.readouterr().err


def test_with_a_cluster_that_is_given_the_machine_does_not_matter(machine, monkeypatch):
    monkeypatch.setattr(requirements, "why_not", lambda **_: "this is no Linux")
    assert probe.look(QUIET, {"E2E_KUBECONFIG": "/x"}) == []
    assert probe.look(QUIET, ABLE) == ["this is no Linux"]


def test_what_a_machine_says_itself_is_handed_on():
    """Of an unprivileged user the namespaces are refused; of root, the command."""
    assert probe.in_namespaces("echo no such thing >&2; exit 1")


def test_packages_that_ci_cannot_have_are_said(machine, monkeypatch, capsys):
    def ensure(*_, **__):
        raise requirements.NotInstalledError("apt-get install runc failed: no route")

    monkeypatch.setattr(requirements, "ensure", ensure)
    assert probe.main() == probe.CANNOT
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "e2e NOT RUN: packages: apt-get install runc failed: no route"
