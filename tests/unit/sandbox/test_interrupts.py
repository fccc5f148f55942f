import os
import signal
import subprocess
import sys
import threading

import pytest

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
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(int(number))],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "cleared up\n"
    assert done.returncode == 128 + number
