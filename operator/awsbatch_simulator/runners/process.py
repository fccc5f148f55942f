"""The `process` runner: a container's command as a local process.

It is code execution for whoever may call the simulator, and so is switched on by a setting only.
The command gets nothing of our environment; a supervisor (`supervise.py`) sees to it that no
process survives the job, its time limit, or the simulator.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from awsbatch_simulator.region import Region
from awsbatch_simulator.runners import commands
from awsbatch_simulator.runners.base import Done, Ended, Work
from awsbatch_simulator.runners.output import Lines
from awsbatch_simulator.runners.script import KILLED

STOP_SECONDS = 2.0  # real seconds between SIGTERM and SIGKILL
SMALLEST_ADDRESS_SPACE = 4 << 30  # address space is no resident memory: never less than this
LARGEST_FILE = 1 << 30
OPEN_FILES = 1024
CHUNK = 65_536
_SUPERVISOR = Path(__file__).with_name("supervise.py")


class ProcessRun:
    """An attempt that runs as a local process, watched by a thread of its own.

    The kernel ties the supervisor's life to the thread that started it, so that thread stays until
    the process has ended.
    """

    def __init__(self, region: Region, work: Work, done: Done) -> None:
        settings = region.world.settings
        self._region = region
        self._work = work
        self._done = done
        self._lock = threading.Lock()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._stopped = self._abandoned = False
        self._seconds = settings.max_process_seconds
        self._lines = Lines(settings.max_output_bytes)
        self._thread = threading.Thread(target=self._watch, name=f"job-{work.job_id}", daemon=True)

    def begin(self) -> None:
        """Start the thread that starts the process."""
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM for the command's group, SIGKILL two seconds later."""
        self._signal(signal.SIGTERM)

    def abandon(self) -> None:
        """Kill it at once; nobody is told how it ended."""
        self._abandoned = True
        self._signal(signal.SIGHUP)

    def join(self, seconds: float) -> None:
        """Wait until no process is left. The caller must not hold the world's lock."""
        self._thread.join(seconds)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            self._stopped = True
            if self._supervisor is not None:
                self._supervisor.send_signal(number)

    def _watch(self) -> None:
        place = tempfile.mkdtemp(prefix="awsbatch-job-")
        tools = tempfile.mkdtemp(prefix="awsbatch-job-")
        try:
            path = commands.path(Path(tools), root_gib=self._work.root_gib)
            ended = self._run(place, path)
        except OSError as error:
            ended = Ended(None, f"CannotStartContainerError: {error}")
        finally:
            shutil.rmtree(place, ignore_errors=True)
            shutil.rmtree(tools, ignore_errors=True)
        if not self._abandoned:
            self._region.world.post(self._done, ended)

    def _run(self, place: str, path: str) -> Ended:
        if not self._work.command:
            return Ended(None, "CannotStartContainerError: no command specified")
        readable, writable = os.pipe()
        with os.fdopen(readable, "rb") as report:
            try:
                with self._lock:
                    if self._stopped:
                        return Ended(KILLED)
                    supervisor = self._supervisor = _started(place, writable)
            finally:
                os.close(writable)
            self._give_order(supervisor, place, path)
            self._copy_output(supervisor)
            supervisor.wait()
            return self._ended(report.read())

    def _give_order(self, supervisor: subprocess.Popen[bytes], place: str, path: str) -> None:
        order = {
            "parent": os.getpid(),
            "place": place,
            "command": self._work.command,
            "environment": {"PATH": path} | self._work.environment,
            "seconds": self._seconds,
            "stopSeconds": STOP_SECONDS,
            "limits": {
                "RLIMIT_CORE": 0,
                "RLIMIT_FSIZE": LARGEST_FILE,
                "RLIMIT_NOFILE": OPEN_FILES,
                "RLIMIT_AS": max(self._work.memory_mib << 20, SMALLEST_ADDRESS_SPACE),
                "RLIMIT_CPU": int(self._seconds) + 1,
            },
        }
        if supervisor.stdin is not None:
            with contextlib.suppress(BrokenPipeError), supervisor.stdin as pipe:
                pipe.write(json.dumps(order).encode())

    def _copy_output(self, supervisor: subprocess.Popen[bytes]) -> None:
        """Write lines to the log as they come, until every writer has gone."""
        if supervisor.stdout is None:
            return
        with supervisor.stdout as pipe:
            while chunk := os.read(pipe.fileno(), CHUNK):
                self._log(self._lines.feed(chunk))
        self._log(self._lines.end())

    def _log(self, lines: list[str]) -> None:
        if not lines or self._abandoned:
            return
        world = self._region.world
        with world.lock:
            now = self._region.now_ms()
            world.logs.write(
                self._work.log_place,
                group=self._work.log_group,
                stream=self._work.log_stream,
                events=[(now, line) for line in lines],
            )

    def _ended(self, report: bytes) -> Ended:
        if not report:
            return Ended(KILLED, "" if self._stopped else "The supervisor was killed")
        outcome = json.loads(report)
        if "trouble" in outcome:
            return Ended(None, f"CannotStartContainerError: {outcome['trouble']}"[:255])
        reason = ""
        if outcome["timedOut"]:
            reason = f"The simulator ended the process after {self._seconds:g} s"
        return Ended(outcome["exitCode"], reason)


def _started(place: str, report: int) -> subprocess.Popen[bytes]:
    """The supervisor, in a session of its own, with no environment and no other files of ours."""
    return subprocess.Popen(  # noqa: S603 - our own program; the job's command is in its order
        [sys.executable, "-I", "-S", str(_SUPERVISOR), str(report)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=place,
        env={},
        pass_fds=(report,),
        start_new_session=True,
    )
