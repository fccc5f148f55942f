"""Start the parts of a sandbox as child processes, wait until each is ready, and stop them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awsbatch_sandbox import leash, processes
from awsbatch_sandbox.errors import ProcessFailed
from awsbatch_sandbox.processes import Identity

# Nothing else of the caller's environment reaches a part: an AWS_PROFILE or a KUBECONFIG of the
# person at the terminal must never lead a sandbox to a real account or cluster.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
POLL_SECONDS = 0.02
TAIL_LINES = 20


@dataclass(frozen=True)
class Part:
    """One running process of a sandbox."""

    name: str
    log: Path
    identity: Identity
    grace_seconds: float  # how long it may take to end by itself when asked
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)  # beside what every part gets; holds secrets
    _process: subprocess.Popen[bytes] = field(repr=False)

    def running(self) -> bool:
        """Whether it still runs: as long as it has no exit code."""
        return self.exit_code() is None

    def exit_code(self) -> int | None:
        """Its exit code once it has ended; negative for a signal. Does not wait for it.

        Asked of the kernel and not guessed from /proc: there a process looks dead a moment before
        its exit code is to be had.
        """
        if self._process.returncode is not None:
            return self._process.returncode
        look = os.P_PID, self.identity.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ended = os.waitid(*look)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def wait(self, seconds: float) -> None:
        """Return when it has ended, or when the time is up."""
        processes.wait_for_one([self.identity], seconds)

    def stop(self) -> None:
        """End it and all that it started: SIGTERM first, SIGKILL after the grace time.

        Only the process itself is asked; what it leaves behind in its session is killed.
        """
        self._end(self.grace_seconds)

    def kill(self) -> None:
        """SIGKILL, as a crash or the kernel's memory killer would."""
        self._end(0)

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait until `ready` says so.

        ProcessFailed if the process ends first or the time is up; the message carries the end of
        its log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise ProcessFailed(
                    f"{self.name} ended with exit code {self.exit_code()} before {what}."
                    + self.last_words()
                )
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"{self.name} is not ready after {seconds:.0f} s (waiting until {what})."
                    + self.last_words()
                )
            self.wait(POLL_SECONDS)

    def check(self) -> None:
        """ProcessFailed, with the end of its log, if it runs no more."""
        if not self.running():
            raise ProcessFailed(
                f"{self.name} ended by itself with exit code {self.exit_code()}."
                + self.last_words()
            )

    def last_words(self) -> str:
        """The end of its log, as a paragraph of an error message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "".join([f" The end of {self.log}:", *(f"\n    {line}" for line in lines)])

    def _end(self, grace_seconds: float) -> None:
        if self._process.returncode is not None:
            return
        processes.end([self.identity], grace_seconds=grace_seconds)
        # Not waited for yet, so its pid, which is its session's number, is nobody else's.
        while left := processes.session(self.identity.pid):
            processes.end(left, grace_seconds=0)
        self._process.wait()


@dataclass(frozen=True)
class Launcher:
    """Starts the parts of one sandbox.

    Attached parts die with the process that started them, however it ends. Detached ones (`up`)
    live on; `on_start` notes each down so that `down` finds it.
    """

    sandbox_id: str
    logs: Path
    detached: bool = False
    on_start: Callable[[Part], None] = lambda _: None

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        directory: Path,
        grace_seconds: float = 0,
    ) -> Part:
        """Start a part; its output is appended to `<logs>/<name>.log`.

        Its environment is `environ` over the few harmless variables of ours.
        """
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*self._tie(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=base_environment() | dict(environ) | {processes.MARK: self.sandbox_id},
                start_new_session=True,  # Ctrl-C reaches us alone; we end the parts in order
            )
        seen = processes.look(process.pid)
        # A process that has ended already keeps its pid until we wait for it: nothing to mix up.
        identity = seen.identity if seen else Identity(process.pid, 0)
        part = Part(name, log, identity, grace_seconds, tuple(command), dict(environ), process)
        self.on_start(part)
        return part

    def end_leftovers(self) -> None:
        """Kill whatever still carries this sandbox's mark."""
        processes.end(processes.marked(self.sandbox_id), grace_seconds=0)

    def _tie(self) -> list[str]:
        """What stands before a command so that it dies with us."""
        if self.detached:
            return []
        if threading.current_thread() is not threading.main_thread():
            # The kernel kills the child when the *thread* that started it ends.
            raise ProcessFailed(
                "A part of a sandbox can only be started from the main thread: it would be killed "
                "as soon as another thread ends. Start it before going into a thread pool."
            )
        return [sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid())]


def base_environment() -> dict[str, str]:
    """The few variables that every part gets from us."""
    return {name: value for name in INHERITED if (value := os.environ.get(name)) is not None}
