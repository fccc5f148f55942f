"""Starting programs with signals at their defaults, or ignored, whatever the test run's parent did.

A process that starts with a signal ignored has it ignored in all that it starts: that is what
nohup does with SIGHUP, and a shell with SIGINT for what it puts into the background.
"""

import signal
import sys
from collections.abc import Sequence

_START = (
    "import os, signal, sys\n"
    "_, action, numbers, *command = sys.argv\n"
    "for number in numbers.split(','):\n"
    "    signal.signal(int(number), getattr(signal, action))\n"
    "os.execv(command[0], command)\n"
)
_ASKING_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def with_default_signals(command: Sequence[str]) -> list[str]:
    """The command, started so that signals that ask it to end do end it."""
    return _started("SIG_DFL", _ASKING_TO_END, command)


def ignoring(signals: Sequence[signal.Signals], command: Sequence[str]) -> list[str]:
    """The command, started with these signals ignored."""
    return _started("SIG_IGN", signals, command)


def _started(action: str, signals: Sequence[signal.Signals], command: Sequence[str]) -> list[str]:
    numbers = ",".join(str(int(number)) for number in signals)
    return [sys.executable, "-c", _START, action, numbers, *command]
