"""The script that runs several tasks in one job, run by the shells of this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsbatch_operator.kinds.batchjob.packing import (
    SCRIPT,
    Packing,
    Report,
    failed_tasks,
    nonce_of,
    report,
    substituted,
    wrapped,
)

NONCE = nonce_of("0b1c", 1)
SHELLS = sorted(
    {
        os.path.realpath(each)
        for each in map(shutil.which, ("sh", "dash", "bash", "busybox"))
        if each
    }
)
INDEX = 'echo "task $AWS_BATCH_JOB_ARRAY_INDEX"'


def run(command, *, packing, job=None, shell="/bin/sh", **more):
    words = wrapped(command, packing=packing, nonce=NONCE)
    assert words[0] == "/bin/sh"
    program = [shell, "sh"] if Path(shell).name == "busybox" else [shell]
    if Path(shell).name == "bash":
        program.append("--posix")
    environ = {"PATH": os.environ["PATH"]}
    if job is not None:
        environ["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job)
    return subprocess.run(
        [*program, *words[1:]],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
        timeout=30,
        **more,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_each_task_has_the_index_that_it_would_have_as_a_job(shell):
    done = run(["/bin/sh", "-c", INDEX], packing=Packing(10, 4), job=1, shell=shell)
    assert [line for line in done.stdout.splitlines() if line.startswith("task")] == [
        "task 4",
        "task 5",
        "task 6",
        "task 7",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_the_last_job_has_the_tasks_that_are_left(shell):
    done = run(["/bin/sh", "-c", INDEX], packing=Packing(10, 4), job=2, shell=shell)
    assert done.stdout.split("\n")[:2] == ["task 8", "task 9"]


def test_a_single_job_has_all_tasks():
    done = run(["/bin/sh", "-c", INDEX], packing=Packing(3, 5))
    assert done.stdout.split("\n")[:3] == ["task 0", "task 1", "task 2"]


@pytest.mark.parametrize("shell", SHELLS)
def test_it_goes_on_after_a_task_that_failed_and_names_each(shell):
    fails = 'printf %s "$AWS_BATCH_JOB_ARRAY_INDEX"; exit $((AWS_BATCH_JOB_ARRAY_INDEX % 2 * 3))'
    done = run(["/bin/sh", "-c", fails], packing=Packing(10, 5), job=1, shell=shell)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert report(lines, nonce=NONCE) == Report((5, 7, 9), whole=True)
    assert f"awsbatch-packing {NONCE} FAILED 7 with exit code 3" in lines


def test_a_task_without_such_a_program_fails_and_the_others_run():
    done = run(["/no/such/program"], packing=Packing(2, 2), job=0)
    assert report(done.stdout.splitlines(), nonce=NONCE).failed == (0, 1)
    assert done.stdout.count("exit code 127") == 2


def test_a_task_cannot_end_the_script_or_change_its_variables():
    done = run(["exit"], packing=Packing(2, 2), job=0)  # no program of that name: a failure
    assert report(done.stdout.splitlines(), nonce=NONCE).whole


@settings(deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_no_argument_is_changed_on_its_way(words):
    program = (
        "import sys; sys.stdout.buffer.write(repr(sys.argv[1:]).encode('utf-8', 'surrogateescape'))"
    )
    done = subprocess.run(
        wrapped([sys.executable, "-ISc", program, *words], packing=Packing(1, 1), nonce=NONCE),
        capture_output=True,
        env={"PYTHONUTF8": "1"},
        check=True,
    )
    assert done.stdout.decode().split("\n")[0] == repr(words)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_signal_to_end_reaches_the_task_and_no_further_one_begins(shell, tmp_path):
    began = tmp_path / "began"
    os.mkfifo(began)
    task = f'trap "echo got it; exit 7" TERM; echo on > {began}; while :; do sleep 0.01; done'
    words = wrapped(["/bin/sh", "-c", task], packing=Packing(5, 5), nonce=NONCE)
    program = [shell, "sh"] if Path(shell).name == "busybox" else [shell]
    process = subprocess.Popen([*program, *words[1:]], stdout=subprocess.PIPE, text=True)
    began.read_text()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert output.count("got it") == 1
    assert not report(output.splitlines(), nonce=NONCE).whole


def test_only_a_line_with_the_nonce_counts():
    lines = ["awsbatch-packing 000000000000 DONE 1", "DONE 2", f"awsbatch-packing {NONCE} DONE 3,x"]
    assert report(lines, nonce=NONCE) == Report((), whole=False)
    assert report([*lines, f"awsbatch-packing {NONCE} DONE"], nonce=NONCE) == Report((), whole=True)


def test_of_a_job_that_never_came_to_its_end_all_tasks_count_as_failed():
    packing = Packing(10, 4)
    assert failed_tasks(packing, {2: Report((), whole=False)}) == (8, 9)
    assert failed_tasks(packing, {0: Report((1,), whole=True), 2: Report((), whole=True)}) == (
        1,
        8,
        9,
    )
    assert failed_tasks(packing, {0: Report((9,), whole=True)}) == (0, 1, 2, 3)


@given(st.integers(1, 10_000), st.integers(1, 1_000))
def test_each_task_is_in_exactly_one_job(tasks, each):
    packing = Packing(tasks, each)
    assert [index for job in range(packing.jobs) for index in packing.indexes(job)] == list(
        range(tasks)
    )


def test_placeholders_are_filled_in_and_unknown_ones_stay():
    assert substituted(["cp", "Ref::from", "x-Ref::to"], {"from": "a b"}) == [
        "cp",
        "a b",
        "x-Ref::to",
    ]


def test_the_script_is_to_the_byte_what_a_reviewer_has_read():
    golden = Path(__file__).with_name("golden") / "packing.sh"
    assert golden.read_text() == f"#!/bin/sh\n{SCRIPT}"


def test_the_script_leaves_room_for_the_command_in_what_ecs_takes():
    # RunTask takes 8,192 characters of overrides, the JSON around them included.
    command = wrapped([], packing=Packing(10_000, 1_000), nonce=NONCE)
    assert len(json.dumps(command)) < 1_200
