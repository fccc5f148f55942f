"""`make up` leaves a sandbox running that a person can use; `make down` ends exactly that one."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from awsbatch_sandbox import processes, state
from awsbatch_sandbox.paths import REPOSITORY, Layout
from awsbatch_sandbox.state import Phase

pytestmark = [pytest.mark.control_plane, pytest.mark.timeout(180)]


def sandbox(command, directory):
    return subprocess.run(
        [sys.executable, "-m", "awsbatch_sandbox", command, f"--directory={directory}"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def up(directory):
    try:
        done = sandbox("up", directory)
        assert done.returncode == 0, done.stderr
        yield done.stdout
    finally:
        sandbox("down", directory)


def shell(*lines):
    """What a person's shell prints, who copies the lines that `up` printed."""
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(printed, what):
    """The line that `up` printed for one thing."""
    (line,) = [line for line in printed.splitlines() if line.startswith(f"  {what}:")]
    return line.partition(":")[2].strip()


def test_what_up_prints_is_what_one_needs_to_use_the_sandbox(tmp_path):
    with up(tmp_path) as printed:
        kubernetes = [told(printed, "kubectl"), told(printed, "Kubernetes")]
        assert "batchjobs.awsbatch.dev" in shell(*kubernetes, "kubectl get crds")
        assert '"Account"' in shell(told(printed, "AWS"), "aws sts get-caller-identity")
        logs = {path.name for path in Layout(tmp_path).logs.iterdir()}
        assert {"etcd.log", "kube-apiserver.log", "simulator.log", "operator.log"} <= logs


def test_a_second_up_starts_nothing_and_down_ends_all(tmp_path):
    layout = Layout(tmp_path)
    with up(tmp_path):
        first = state.read(layout.state)
        again = sandbox("up", tmp_path)
        assert again.returncode == 0
        assert "already running" in again.stdout
        assert state.read(layout.state) == first
        assert first is not None
        assert first.phase is Phase.READY
        assert sandbox("status", tmp_path).returncode == 0
        down = sandbox("down", tmp_path)
    assert down.returncode == 0
    assert processes.marked(first.sandbox_id) == []
    assert not layout.kubeconfig.exists()
    assert not layout.aws_env.exists()
    assert sandbox("status", tmp_path).returncode != 0


def test_up_after_a_part_has_ended_by_itself_says_which_and_what_to_do(tmp_path):
    layout = Layout(tmp_path)
    with up(tmp_path):
        found = state.read(layout.state)
        assert found is not None
        (simulator,) = [each for each in found.records if each.name == "simulator"]
        processes.end([simulator.identity], grace_seconds=0)
        again = sandbox("up", tmp_path)
        assert again.returncode == 1
        assert "simulator ended by itself" in again.stderr
        assert "make down" in again.stderr
