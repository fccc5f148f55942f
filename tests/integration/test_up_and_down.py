"""`make up` leaves a sandbox running that a person can use; `make down` ends exactly that one."""

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from tests.support import walk
from tests.support.deadline import wait_until

from awsbatch_sandbox import processes, state
from awsbatch_sandbox.paths import REPOSITORY, Layout

WALK = "Five minutes with it"
LOOKS = ("kubectl get ", "kubectl events ")

pytestmark = pytest.mark.control_plane


def sandbox(command, directory, *flags):
    return subprocess.run(
        [sys.executable, "-m", "awsbatch_sandbox", command, f"--directory={directory}", *flags],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def started(directory):
    try:
        done = sandbox("up", directory, "--speed=50")
        assert done.returncode == 0, done.stderr
        yield done.stdout
    finally:
        sandbox("down", directory)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """The directory of a sandbox that runs, and what `up` printed. Left as it is by each test."""
    directory = tmp_path_factory.mktemp("up") / ".sandbox"
    with started(directory) as printed:
        yield directory, printed


def shell(*lines):
    """What a person's shell prints, who copies the lines that `up` printed.

    It has the commands of the system only: neither our kubectl nor our virtual environment.
    """
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def make(directory):
    """A shell function: the Makefile's targets for that directory, without what they set up."""
    run = f"PYTHONPATH=operator {sys.executable} -m awsbatch_sandbox"
    return f'make() {{ test "$1" != -s || shift; {run} "$1" --directory={directory} 2>/dev/null; }}'


def told(printed, what):
    """The line that `up` printed for one thing."""
    (line,) = [line for line in printed.splitlines() if line.startswith(f"  {what}:")]
    return line.partition(":")[2].strip()


def take(step, run):
    """What a step of a walk prints. A person reads slowly: a look may show a moment later."""
    shown = [run()]

    def right():
        if not step.shows(shown[-1]):
            shown.append(run())
        return step.shows(shown[-1])

    if step.command.startswith(LOOKS):
        with suppress(AssertionError):
            wait_until(right, step.command, seconds=15)
    return shown[-1]


def state_of(directory):
    found = state.read(Layout(directory).state)
    assert found is not None
    return found


def test_what_up_prints_is_what_one_needs_to_use_the_sandbox(up):
    directory, printed = up
    path = told(printed, "kubectl and aws")
    kubernetes = [path, told(printed, "Kubernetes")]
    assert "batchjobs.awsbatch.dev" in shell(*kubernetes, "kubectl get crds")
    assert '"Account"' in shell(path, told(printed, "AWS"), "aws sts get-caller-identity")
    logs = {path.name for path in Layout(directory).logs.iterdir()}
    assert {"etcd.log", "kube-apiserver.log", "simulator.log", "operator.log"} <= logs


def test_a_walk_along_the_first_page_shows_what_the_page_shows(up):
    directory, printed = up
    first, *between, last = walk.steps((REPOSITORY / "docs" / "start.md").read_text(), WALK)
    assert (first.command, last.command) == ("make up", "make down")  # as the fixture does
    assert first.shows(printed), printed
    prepared = [told(printed, each) for each in ("Kubernetes", "kubectl and aws", "AWS")]
    before = state_of(directory)
    for step in between:
        shown = take(step, partial(shell, *prepared, make(directory), step.command))
        assert step.shows(shown), f"{step.command}\n{shown}"
    assert [*state_of(directory).records[:-1]] == [*before.records[:-1]]
    assert sandbox("status", directory).returncode == 0  # with another operator


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
