"""`make demo` shows the quickstart from end to end, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.support.deadline import wait_until
from tests.support.signals import ignoring, with_default_signals

from awsbatch_sandbox.paths import REPOSITORY

pytestmark = [pytest.mark.control_plane, pytest.mark.timeout(180)]

DEADLINE_SECONDS = 150
MOMENTS = [
    "Starting etcd",
    "Installing the CRDs",
    "Starting the operator",
    "SUBMITTED",
]


@contextmanager
def demo(tmp_path, started=with_default_signals):
    """The demo, its temporary directory below `tmp_path`; all of it is killed at the end."""
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY / "operator"), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        started([sys.executable, "-m", "awsbatch_sandbox", "demo"]),
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(DEADLINE_SECONDS, process.kill)
        watchdog.start()
        yield process
        watchdog.cancel()
        process.kill()


def processes_of(tmp_path):
    """Command lines of all that was started with that temporary directory."""
    return [words for pid in Path("/proc").iterdir() if (words := command(pid, tmp_path))]


def command(process, tmp_path):
    try:
        environ = (process / "environ").read_bytes().split(b"\0")
        if f"TMPDIR={tmp_path}".encode() in environ:
            return (process / "cmdline").read_text()
    except OSError:  # not a process, not ours, or gone
        pass
    return None


def test_the_demo_ends_with_what_the_job_really_printed_also_under_nohup(tmp_path):
    """Here in the background and under nohup, with a Ctrl-C for others and the terminal closed."""
    disturbing = (signal.SIGINT, signal.SIGHUP)
    with demo(tmp_path, partial(ignoring, disturbing)) as process:
        printed = process.stderr.readline()
        for number in disturbing:
            process.send_signal(number)
        printed += process.stderr.read()
        assert process.wait() == 0
    assert "batchjob/first-run: SUCCEEDED" in printed
    assert "$ kubectl get awsbatch" in printed
    assert "Submitted as first-run-" in printed  # an event
    assert "  AWS_BATCH_JOB_ATTEMPT=1" in printed
    assert "attempt 1: the disk is as above" in printed
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_demo_that_is_interrupted_leaves_nothing_behind(tmp_path, moment):
    with demo(tmp_path) as process:
        for line in process.stderr:
            if moment in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 128 + signal.SIGINT
    assert rest.endswith("Interrupted; everything that was started has ended.\n")
    # A kubectl that was just being forked then is nobody's child any more; it ends by itself.
    wait_until(lambda: not processes_of(tmp_path), "all processes have ended")
    assert list(tmp_path.iterdir()) == []


def test_no_process_outlives_a_demo_that_is_killed(tmp_path):
    with demo(tmp_path) as process:
        for line in process.stderr:
            if "$ kubectl apply" in line:
                break
        assert len(processes_of(tmp_path)) >= 5
        process.kill()
        process.wait()
    # The kernel kills them with their starter, one after the other.
    wait_until(lambda: not processes_of(tmp_path), "all processes have ended")
