import os
import secrets
import subprocess
from pathlib import Path

import pytest

from awsbatch_sandbox import processes, state
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.parts import Launcher
from awsbatch_sandbox.state import Phase, Record, State


@pytest.fixture
def launcher(tmp_path):
    launcher = Launcher(f"test-{secrets.token_hex(4)}", tmp_path)
    yield launcher
    launcher.end_leftovers()


@pytest.fixture
def part_of(launcher):
    parts = []

    def part_of(name, *command, **options):
        part = launcher.start(name, command, environ={}, directory=Path("/"), **options)
        parts.append(part)
        return part

    yield part_of
    for part in parts:
        part.kill()


def test_what_was_written_is_read(tmp_path):
    written = State(
        "id", "boot", Phase.READY, (Record("etcd", 17, 4711, 0.5, ("etcd", "--x"), {"A": "b"}),)
    )
    state.write(tmp_path / "state.json", written)
    assert state.read(tmp_path / "state.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_only_this_user_can_read_how_parts_were_started(tmp_path):
    state.write(tmp_path / "state.json", State("id", "boot"))
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0


def test_no_file_means_no_sandbox(tmp_path):
    assert state.read(tmp_path / "state.json") is None


@pytest.mark.parametrize("content", ["", "[]", '{"records": 1}', '{"records": [], "phase": "?"}'])
def test_a_file_that_is_not_ours_is_told_and_not_guessed_at(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(SandboxError, match=r"state\.json is not what this version writes"):
        state.read(path)


def test_a_part_that_is_started_again_replaces_its_record(part_of, launcher):
    first = State(launcher.sandbox_id, state.boot_id())
    one, two = part_of("operator", "sleep", "60"), part_of("operator", "sleep", "60")
    (record,) = first.with_part(one).with_part(two).records
    assert record.identity == two.identity


def test_what_runs_is_told_from_what_has_ended(part_of, launcher):
    runs, ends = part_of("runs", "sleep", "60"), part_of("ends", "sleep", "60")
    found = State(launcher.sandbox_id, state.boot_id()).with_part(runs).with_part(ends)
    ends.kill()
    assert [record.name for record in found.running()] == ["runs"]


def test_after_the_machine_has_started_anew_nothing_of_it_runs(part_of, launcher):
    found = State(launcher.sandbox_id, "an earlier boot").with_part(part_of("x", "sleep", "60"))
    assert found.running() == []


def test_everything_recorded_is_ended_with_what_it_has_started(part_of, launcher):
    part = part_of("simulator", "sh", "-c", "env -i sleep 60 & wait", grace_seconds=5)
    found = State(launcher.sandbox_id, state.boot_id()).with_part(part)
    part.wait_until(
        lambda: len(processes.session(part.identity.pid)) == 2, what="its job runs", seconds=20
    )
    job = next(each for each in processes.session(part.identity.pid) if each != part.identity)
    assert job not in processes.marked(launcher.sandbox_id)  # an empty environment, as jobs have
    state.end_all(found)
    assert not processes.alive(part.identity)
    assert not processes.alive(job)


def test_what_was_started_but_never_recorded_is_ended_too(part_of, launcher):
    part = part_of("etcd", "sleep", "60")
    state.end_all(State(launcher.sandbox_id, state.boot_id()))
    assert not processes.alive(part.identity)


def test_another_process_that_got_a_recorded_pid_is_left_alone(launcher):
    environ = {"PATH": os.environ["PATH"]}
    with subprocess.Popen(["sleep", "60"], env=environ, start_new_session=True) as stranger:
        seen = processes.look(stranger.pid)
        assert seen is not None
        record = Record("etcd", stranger.pid, seen.identity.start_ticks - 1, 0)
        state.end_all(State(launcher.sandbox_id, state.boot_id(), Phase.READY, (record,)))
        assert stranger.poll() is None
        stranger.kill()
