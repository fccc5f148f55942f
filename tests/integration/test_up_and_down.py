"""`make up` leaves a sandbox running that a person can use; `make down` ends exactly that one."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from awsbatch_sandbox import processes, state
from awsbatch_sandbox.paths import REPOSITORY, Layout

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
def started(directory):
    try:
        done = sandbox("up", directory)
        assert done.returncode == 0, done.stderr
        yield done.stdout
    finally:
        sandbox("down", directory)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """The directory of a sandbox that runs, and what `up` printed. To be left as it is."""
    directory = tmp_path_factory.mktemp("up")
    with started(directory) as printed:
        yield directory, printed


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


def state_of(directory):
    found = state.read(Layout(directory).state)
    assert found is not None
    return found


def test_what_up_prints_is_what_one_needs_to_use_the_sandbox(up):
    directory, printed = up
    kubernetes = [told(printed, "kubectl"), told(printed, "Kubernetes")]
    assert "batchjobs.awsbatch.dev" in shell(*kubernetes, "kubectl get crds")
    assert '"Account"' in shell(told(printed, "AWS"), "aws sts get-caller-identity")
    logs = {path.name for path in Layout(directory).logs.iterdir()}
    assert {"etcd.log", "kube-apiserver.log", "simulator.log", "operator.log"} <= logs


def test_a_second_up_starts_nothing(up):
    directory, _ = up
    before = state_of(directory)
    again = sandbox("up", directory)
    assert again.returncode == 0
    assert "already running" in again.stdout
    assert state_of(directory) == before
    assert sandbox("status", directory).returncode == 0


def test_a_sandbox_of_which_a_part_has_ended_is_told_and_can_be_ended(tmp_path):
    layout = Layout(tmp_path)
    with started(tmp_path):
        found = state_of(tmp_path)
        (simulator,) = [each for each in found.records if each.name == "simulator"]
        processes.end([simulator.identity], grace_seconds=0)
        again = sandbox("up", tmp_path)
        assert again.returncode == 1
        assert "simulator ended by itself" in again.stderr
        assert "make down" in again.stderr
        assert sandbox("status", tmp_path).returncode != 0
        assert sandbox("down", tmp_path).returncode == 0
    assert processes.marked(found.sandbox_id) == []
    assert not layout.kubeconfig.exists()
    assert not layout.aws_env.exists()
