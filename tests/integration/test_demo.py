"""`make demo` shows the quickstart from end to end, and leaves nothing behind however it ends."""

import signal
from functools import partial

import pytest
from tests.support.deadline import wait_until
from tests.support.demos import demo, processes_of
from tests.support.signals import ignoring

pytestmark = pytest.mark.control_plane

MOMENTS = [
    "Starting etcd",
    "Installing the CRDs",
    "Starting the operator",
    "SUBMITTED",
]


def test_the_demo_ends_with_what_the_job_really_printed_also_under_nohup(tmp_path):
    """Here in the background and under nohup, with a Ctrl-C for others and the terminal closed."""
    disturbing = (signal.SIGINT, signal.SIGHUP)
    with demo(tmp_path, started=partial(ignoring, disturbing)) as process:
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
