import os
import secrets
import signal
import subprocess
import sys

import pytest

from awsbatch_sandbox import processes
from awsbatch_sandbox.processes import MARK, Identity

STUBBORN = (
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)"
)


@pytest.fixture
def sandbox_id():
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture
def start(sandbox_id):
    started = []

    def start(*command, **options):
        process = subprocess.Popen(
            command, env={**os.environ, MARK: sandbox_id}, start_new_session=True, **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def identity_of(process):
    seen = processes.look(process.pid)
    assert seen is not None
    return seen.identity


def test_a_process_is_found_by_the_mark_in_its_environment(start, sandbox_id):
    process = start("sleep", "60")
    assert processes.marked(sandbox_id) == [identity_of(process)]


def test_a_process_that_takes_on_another_program_is_found_all_the_while(
    start, sandbox_id, tmp_path
):
    """In the middle of that it has no environment."""
    script = tmp_path / "again"
    script.write_text('#!/bin/sh\nexec "$0"\n')
    script.chmod(0o700)
    process = start(str(script))
    for _ in range(100):
        assert processes.marked(sandbox_id) == [identity_of(process)]


def test_a_mark_is_not_found_in_another_sandboxs_processes(start, sandbox_id):
    start("sleep", "60")
    assert processes.marked(sandbox_id[:-1]) == []
    assert processes.marked(sandbox_id + "0") == []


def test_a_process_that_ended_is_not_alive_even_before_its_parent_has_waited_for_it(start):
    process = start("sleep", "60")
    identity = identity_of(process)
    assert processes.alive(identity)
    processes.end([identity], grace_seconds=0)
    assert process.returncode is None  # nobody has waited: it is a zombie
    assert not processes.alive(identity)


def test_a_pid_that_now_belongs_to_another_process_gets_no_signal(start):
    process = start("sleep", "60")
    earlier = Identity(process.pid, identity_of(process).start_ticks - 1)
    processes.end([earlier], grace_seconds=5)
    assert process.poll() is None


def test_a_process_that_has_gone_is_nothing_to_end(start):
    process = start("true")
    identity = Identity(process.pid, 0)
    process.wait()
    processes.end([identity], grace_seconds=5)


def test_a_process_that_listens_to_sigterm_is_not_killed(start):
    process = start("sleep", "60")
    processes.end([identity_of(process)], grace_seconds=30)
    assert process.wait() == -signal.SIGTERM


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace_time(start):
    process = start(sys.executable, "-c", STUBBORN, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"deaf\n"
    processes.end([identity_of(process)], grace_seconds=0.05)
    assert process.wait() == -signal.SIGKILL


def test_a_session_holds_what_its_leader_has_started_in_groups_of_its_own(start):
    script = "sleep 60 & set -m; sleep 60 & echo started; wait"
    process = start("bash", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"started\n"
    members = processes.families([identity_of(process)])
    assert len(members) == 3
    processes.end(members, grace_seconds=0)
    assert processes.session(process.pid) == []


def test_the_session_of_a_process_that_has_gone_is_nobodys(start):
    process = start("sleep", "60")
    gone = Identity(process.pid, identity_of(process).start_ticks - 1)
    assert processes.families([gone]) == []


def test_a_command_name_with_spaces_and_parentheses_is_read_right(start, tmp_path):
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    process = start(str(odd), "60")
    seen = processes.look(process.pid)
    assert seen is not None
    assert seen.session == process.pid
    assert processes.alive(seen.identity)


def test_a_signal_reaches_exactly_the_processes_that_it_is_for(start):
    stopped, other = (start("sleep", "60") for _ in range(2))
    gone = Identity(identity_of(stopped).pid, 1)  # somebody who had that pid before
    processes.signal_each([gone], signal.SIGKILL)
    processes.signal_each([identity_of(stopped)], signal.SIGSTOP)
    os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
    processes.signal_each([identity_of(stopped)], signal.SIGCONT)
    os.waitid(os.P_PID, stopped.pid, os.WCONTINUED)
    assert (stopped.poll(), other.poll()) == (None, None)
