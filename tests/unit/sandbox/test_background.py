import os
from pathlib import Path

import pytest
from tests.support.deadline import wait_until

from awsbatch_sandbox import background, commands, processes, state
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.parts import Part
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.sandbox import OPERATOR
from awsbatch_sandbox.state import Phase

BINARIES = {tool: Path("/nowhere", tool) for tool in Tool}


def fail():
    raise ZeroDivisionError


def state_of(layout):
    found = state.read(layout.state)
    assert found is not None
    return found


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "sandbox")
    layout.create()
    yield layout
    background.clean(layout, state.read(layout.state))


@pytest.fixture
def reaped():
    """Parts of ours to wait for at the end: here, the starter lives on."""
    parts: list[Part] = []
    yield parts
    for part in parts:
        part.kill()


def start(sandbox, layout, reaped, *names):
    for name in names:
        part = sandbox.launcher.start(name, ["sleep", "60"], environ={}, directory=layout.root)
        reaped.append(part)


def test_a_sandbox_that_came_up_lives_on_and_is_noted_down(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd", "simulator")
        assert state_of(layout).phase is Phase.STARTING
    found = state_of(layout)
    assert found.phase is Phase.READY
    assert [record.name for record in found.running()] == ["etcd", "simulator"]
    assert background.running(layout)


def test_a_sandbox_that_did_not_come_up_leaves_nothing_but_its_logs(layout, reaped):
    ids = []

    def come_up():
        with background.lasting(layout, BINARIES) as sandbox:
            start(sandbox, layout, reaped, "etcd")
            ids.append(sandbox.launcher.sandbox_id)
            fail()

    with pytest.raises(ZeroDivisionError):
        come_up()
    assert processes.marked(ids[0]) == []
    assert sorted(path.name for path in layout.root.iterdir()) == ["logs"]
    assert (layout.logs / "etcd.log").exists()


def test_a_sandbox_whose_starter_was_killed_is_not_taken_for_running(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd")
        assert not background.running(layout)


def test_a_sandbox_of_which_a_part_has_ended_is_told_and_not_taken_for_whole(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd", "simulator")
    reaped[1].kill()
    with pytest.raises(SandboxError, match=r"simulator ended by itself\..*make down"):
        background.running(layout)


def test_a_sandbox_whose_parts_have_all_ended_is_no_longer_one(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd")
    reaped[0].kill()
    assert not background.running(layout)


def test_a_part_that_was_killed_is_started_again_as_it_was(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd")
        reaped.append(
            sandbox.launcher.start(
                OPERATOR,
                ["sh", "-c", "echo $TOKEN; exec sleep 60"],
                environ={"TOKEN": "t-17"},
                directory=layout.root,
            )
        )
    reaped[1].kill()
    with pytest.raises(SandboxError, match=r"operator ended by itself\..*make restart-operator"):
        background.running(layout)
    again = background.restarted(layout, OPERATOR)
    reaped.append(again)
    assert again.running()
    assert background.running(layout)
    wait_until(lambda: again.log.read_text().count("t-17") == 2, "it has the same environment")


def test_a_part_that_still_runs_is_ended_before_it_is_started_again(layout, reaped):
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd", OPERATOR)
    reaped.append(background.restarted(layout, OPERATOR))
    assert [part.running() for part in reaped] == [True, False, True]


def test_nothing_is_started_again_in_a_sandbox_that_is_not_whole(layout, reaped):
    with pytest.raises(SandboxError, match="Start one with: make up"):
        background.restarted(layout, OPERATOR)
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd", OPERATOR)
    reaped[0].kill()
    with pytest.raises(SandboxError, match=r"etcd of the sandbox .* make down"):
        background.restarted(layout, OPERATOR)
    assert reaped[1].running()


def test_the_path_to_print_has_what_there_is_and_nothing_else(layout, tmp_path):
    """The whole virtual environment on the PATH would change what `python` means."""
    kubectl = tmp_path / "kubectl"
    kubectl.touch(mode=0o755)
    assert commands.link_commands(layout, {Tool.KUBECTL: kubectl}) == ["kubectl", "aws"]
    assert (layout.commands / "kubectl").resolve() == kubectl
    assert sorted(path.name for path in layout.commands.iterdir()) == ["aws", "kubectl"]
    assert os.access(layout.commands / "aws", os.X_OK)


def test_two_commands_at_once_on_one_directory_do_not_mix(layout):
    with (
        background.locked(layout),
        pytest.raises(SandboxError, match="Another command is starting or ending"),
        background.locked(layout),
    ):
        pytest.fail("got in")


def test_the_directory_is_for_this_user_only(layout):
    assert layout.root.stat().st_mode & 0o777 == 0o700


def test_status_tells_what_runs(layout, reaped, capsys):
    assert commands.status(layout.root) == commands.NOT_RUNNING
    assert "make up" in capsys.readouterr().out
    with background.lasting(layout, BINARIES) as sandbox:
        start(sandbox, layout, reaped, "etcd", "simulator")
    assert commands.status(layout.root) == 0
    reaped[0].kill()
    assert commands.status(layout.root) == commands.NOT_RUNNING
    _, etcd, simulator = capsys.readouterr().out.splitlines()[-3:]
    assert etcd.split()[:2] == ["etcd", "Ended"]
    assert simulator.split()[:2] == ["simulator", "Running"]
