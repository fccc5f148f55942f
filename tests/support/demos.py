"""The sandbox's demos as processes of their own, and what they leave behind."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.signals import with_default_signals

from awsbatch_sandbox.paths import REPOSITORY

DEADLINE_SECONDS = 150


@contextmanager
def demo(
    tmp_path: Path,
    *command: str,
    started: Callable[[Sequence[str]], Sequence[str]] = with_default_signals,
) -> Iterator[Any]:
    """A demo as a Popen, its temporary directory below `tmp_path`; it is killed at the end.

    `command` is what the sandbox is told: by default, `demo`.
    """
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY / "operator"), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        started([sys.executable, "-m", "awsbatch_sandbox", *(command or ("demo",))]),
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


def processes_of(tmp_path: Path) -> list[str]:
    """Command lines of all that was started with that temporary directory."""
    return [words for pid in Path("/proc").iterdir() if (words := _command(pid, tmp_path))]


def _command(process: Path, tmp_path: Path) -> str | None:
    try:
        environ = (process / "environ").read_bytes().split(b"\0")
        if any(each.startswith(f"TMPDIR={tmp_path}".encode()) for each in environ):
            return (process / "cmdline").read_text()
    except OSError:  # not a process, not ours, or gone
        pass
    return None
