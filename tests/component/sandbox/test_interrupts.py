import os
import signal
import subprocess
import sys
import threading

import pytest
from tests.support.signals import ignoring, with_default_signals

from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.paths import REPOSITORY

# Asks to be interrupted while it works, and again while it clears up.
WORKER = """
import os, signal, sys
from awsbatch_sandbox.interrupts import Interrupted, raise_on_signals
raise_on_signals()
try:
    os.kill(os.getpid(), int(sys.argv[1]))
    print("worked on")
except Interrupted as interrupted:
    os.kill(os.getpid(), signal.SIGINT)
    print("cleared up")
    sys.exit(interrupted.exit_code)
"""


# Is sent the same signals while it works; only SIGTERM ends it.
NOHUP = """
import os, signal, sys
from awsbatch_sandbox.interrupts import Interrupted, raise_on_signals
raise_on_signals()
try:
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(os.getpid(), number)
    print("worked on")
    os.kill(os.getpid(), signal.SIGTERM)
except Interrupted as interrupted:
    sys.exit(interrupted.exit_code)
"""


@pytest.fixture
def interruptible():
    """SIGINT as Python has it, also where the test run was started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(command):
    return subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("interruptible")
def test_a_signal_waits_until_what_must_be_whole_is_done():
    done = []

    def work():
        with uninterrupted():
            # To this thread: threads that other tests have left would take the process's signals,
            # as none does in the commands, which have no second one.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_ends_the_work_and_no_second_one_disturbs_clearing_up(number):
    done = run(with_default_signals([sys.executable, "-c", WORKER, str(int(number))]))
    assert done.stdout == "cleared up\n"
    assert done.returncode == 128 + number


def test_what_the_parent_has_us_ignore_stays_ignored_and_sigterm_still_ends_us():
    ignored = [signal.SIGINT, signal.SIGHUP]
    done = run(ignoring(ignored, [sys.executable, "-c", NOHUP]))
    assert done.stdout == "worked on\n"
    assert done.returncode == 128 + signal.SIGTERM


def test_a_command_that_sigterm_is_kept_from_ends_on_it_all_the_same():
    signals = [signal.SIGTERM]
    done = run(ignoring(signals, [sys.executable, "-c", WORKER, str(int(signal.SIGTERM))]))
    assert done.returncode == 128 + signal.SIGTERM


def test_this_file_passes_where_signals_are_ignored():
    """As under `nohup make test &`: what a test starts must not inherit it."""
    tests = [
        f"{__file__}::{name}"
        for name in (
            "test_a_signal_waits_until_what_must_be_whole_is_done",
            "test_the_first_signal_ends_the_work_and_no_second_one_disturbs_clearing_up",
        )
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-n", "0", *tests]
    done = subprocess.run(
        ignoring([signal.SIGINT, signal.SIGHUP], command),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
