import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.support.deadline import wait_until

from awsbatch_sandbox import processes
from awsbatch_sandbox.errors import ProcessFailed
from awsbatch_sandbox.parts import Launcher
from awsbatch_sandbox.paths import REPOSITORY

STARTER = """
import sys, time
from pathlib import Path
from awsbatch_sandbox.parts import Launcher
launcher = Launcher(sys.argv[1], Path(sys.argv[2]), detached=sys.argv[3] == "detached")
launcher.start("sleeper", ["sleep", "60"], environ={}, directory=Path("/"))
print("started", flush=True)
time.sleep(60)
"""


# The first thread ends at once; another one waits for a word and ends the process.
FIRST_THREAD_ENDS = """
import ctypes, os, sys, threading
def rest():
    open(sys.argv[1]).read()
    os._exit(3)
threading.Thread(target=rest).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def sandbox_id():
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture
def launcher(sandbox_id, tmp_path):
    launcher = Launcher(sandbox_id, tmp_path)
    yield launcher
    launcher.end_leftovers()


@pytest.fixture
def starter(sandbox_id, tmp_path):
    """Another process that starts a part and stays."""
    started = []

    def start(how):
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, sandbox_id, str(tmp_path), how],
            env={"PYTHONPATH": str(REPOSITORY / "operator"), "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        process.stdout.close()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    processes.end(processes.marked(sandbox_id), grace_seconds=0)


@pytest.fixture
def part_of(launcher):
    parts = []

    def part_of(*command, **options):
        part = launcher.start("part", command, environ={}, directory=Path("/"), **options)
        parts.append(part)
        return part

    yield part_of
    for part in parts:
        part.kill()


def ended(part):
    handle = os.pidfd_open(part.identity.pid)
    try:
        readable, _, _ = select.select([handle], [], [], 20)
    finally:
        os.close(handle)
    assert readable, f"{part.name} still runs"


def test_an_attached_part_dies_with_a_starter_that_is_killed(starter, sandbox_id):
    process = starter("attached")
    (part,) = processes.marked(sandbox_id)
    process.kill()
    processes.end([part], grace_seconds=30)  # waits; were it not dying, SIGTERM would end it
    assert processes.marked(sandbox_id) == []


def test_a_detached_part_lives_on_and_is_found_by_its_mark(starter, sandbox_id):
    process = starter("detached")
    process.kill()
    process.wait()
    (part,) = processes.marked(sandbox_id)
    assert processes.alive(part)


def test_nothing_of_the_users_aws_or_kubernetes_configuration_reaches_a_part(
    launcher, part_of, monkeypatch
):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("KUBECONFIG", "/home/me/production")
    part = part_of("env")
    ended(part)
    printed = part.log.read_text()
    assert "production" not in printed
    assert f"{processes.MARK}={launcher.sandbox_id}" in printed


def test_a_part_that_ends_too_early_is_told_with_its_exit_code_and_its_last_words(part_of):
    part = part_of("sh", "-c", "echo no room left; exit 3")
    with pytest.raises(ProcessFailed, match=r"(?s)part ended with exit code 3 before .*no room"):
        part.wait_until(lambda: False, what="it listens", seconds=20)


def test_a_command_that_does_not_exist_is_told(part_of):
    part = part_of("/nowhere/etcd")
    with pytest.raises(ProcessFailed, match="cannot run /nowhere/etcd: No such file"):
        part.wait_until(lambda: False, what="it listens", seconds=20)


def test_a_part_that_is_not_ready_in_time_is_told(part_of):
    part = part_of("sleep", "60")
    with pytest.raises(ProcessFailed, match=r"part is not ready after 0 s \(waiting until it"):
        part.wait_until(lambda: False, what="it listens", seconds=0)


def test_the_exit_code_of_a_killed_part_is_the_signal(part_of):
    part = part_of("sleep", "60")
    os.kill(part.identity.pid, signal.SIGKILL)
    ended(part)
    assert part.exit_code() == -signal.SIGKILL


def test_a_part_runs_until_the_last_of_its_threads_has_ended(part_of, tmp_path):
    os.mkfifo(tmp_path / "word")
    part = part_of(sys.executable, "-c", FIRST_THREAD_ENDS, str(tmp_path / "word"))
    with (tmp_path / "word").open("w"):
        stat = Path(f"/proc/{part.identity.pid}/stat")
        wait_until(lambda: ") Z " in stat.read_text(), "the first thread ends")
        assert (part.running(), part.exit_code()) == (True, None)
        assert processes.alive(part.identity)
    ended(part)
    assert (part.running(), part.exit_code()) == (False, 3)
    assert not processes.alive(part.identity)


def test_stopping_a_part_ends_what_it_left_behind(launcher, part_of):
    part = part_of("sh", "-c", "sleep 60 & echo started", grace_seconds=5)
    ended(part)
    (left,) = processes.marked(launcher.sandbox_id)
    part.stop()
    assert not processes.alive(left)
    part.stop()  # twice does no harm


def test_a_part_is_asked_before_it_is_killed(part_of):
    script = "trap 'echo asked; exit 0' TERM; echo started; while :; do sleep 0.01; done"
    part = part_of("sh", "-c", script, grace_seconds=30)
    part.wait_until(lambda: "started" in part.log.read_text(), what="it is up", seconds=20)
    part.stop()
    assert part.log.read_text() == "started\nasked\n"
    assert part.exit_code() == 0


def test_the_log_of_an_earlier_run_is_kept(part_of):
    for word in ("first", "second"):
        part = part_of("echo", word)
        ended(part)
        part.stop()
    assert part.log.read_text() == "first\nsecond\n"


def test_an_attached_part_cannot_be_started_from_another_thread(part_of):
    # The kernel would kill it when that thread ends.
    raised = []

    def start():
        try:
            part_of("true")
        except ProcessFailed as error:
            raised.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "only be started from the main thread" in raised[0]
