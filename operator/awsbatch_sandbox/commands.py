"""What `python -m awsbatch_sandbox` does: tools, up, status, down."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awsbatch_sandbox import binaries, state
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.locks import exclusive_or_refuse
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.sandbox import Sandbox
from awsbatch_sandbox.state import Phase, State

NOT_RUNNING = 3  # exit code of `status`, as systemctl's


def tools(progress: Progress) -> int:
    """Find or build the pinned tools and print where they are."""
    for tool, path in binaries.find(progress=progress).items():
        print(f"{tool:24} {path}")
    return 0


def up(directory: Path, progress: Progress) -> int:
    """Start a sandbox in the background and say where everything is."""
    layout = Layout(directory)
    found = binaries.find(progress=progress)
    with _locked(layout):
        old = state.read(layout.state)
        if old is not None and _is_up(old, layout):
            print(_summary(layout, "A sandbox is already running."))
            return 0
        _clean(layout, old)
        start_in_background(layout, found, progress)
    print(_summary(layout, "The sandbox is running."))
    return 0


def start_in_background(layout: Layout, found: binaries.Binaries, progress: Progress) -> Sandbox:
    """Start all parts so that they live on, each noted down; nothing is left if that fails."""
    book = Book(layout.state, State(secrets.token_hex(4), state.boot_id()))
    launcher = Launcher(book.state.sandbox_id, layout.logs, detached=True, on_start=book.note_start)
    try:
        sandbox = Sandbox(layout.root, controllers=True, binaries=found, launcher=launcher)
        start_all(sandbox, progress)
        book.ready()
    except BaseException:
        with uninterrupted():
            state.end_all(book.state)
            layout.state.unlink(missing_ok=True)
        raise
    return sandbox


def start_all(sandbox: Sandbox, progress: Progress) -> None:
    """Start every part of a sandbox, telling which."""
    progress.say("Starting etcd and the Kubernetes API server …")
    sandbox.start_control_plane()
    progress.say("Starting the simulated AWS …")
    aws = sandbox.start_simulator("--job-runner", "process")
    sandbox.layout.aws_env.touch(mode=0o600)
    sandbox.layout.aws_env.write_text(aws.shell_lines(), encoding="utf-8")
    progress.say("Installing the CRDs and the operator's permissions …")
    sandbox.install()
    progress.say("Starting the operator …")
    sandbox.start_operator()


def down(directory: Path, progress: Progress) -> int:
    """End what `up` started there, also if it did not come to its end; the logs stay."""
    layout = Layout(directory)
    if not layout.root.is_dir():
        progress.say(f"No sandbox in {directory}.")
        return 0
    with _locked(layout):
        old = state.read(layout.state)
        _clean(layout, old)
    if old is None:
        progress.say(f"No sandbox runs in {directory}.")
    else:
        progress.say(f"The sandbox in {directory} has ended. Its logs stay in {layout.logs}.")
    return 0


def status(directory: Path) -> int:
    """Print which parts of the sandbox run."""
    layout = Layout(directory)
    found = state.read(layout.state)
    if found is None:
        print(f"No sandbox runs in {directory}. Start one with: make up")
        return NOT_RUNNING
    running = {record.name for record in found.running()}
    print(f"{'PART':28} {'STATUS':10} LOG")
    for record in found.records:
        now = "Running" if record.name in running else "Ended"
        print(f"{record.name:28} {now:10} {layout.logs / record.name}.log")
    complete = found.phase is Phase.READY and len(running) == len(found.records)
    return 0 if complete else NOT_RUNNING


class Book:
    """Keeps the state file in step with what has been started."""

    def __init__(self, path: Path, first: State) -> None:
        self._path = path
        self.state = first
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.write(path, first)

    def note_start(self, part: Part) -> None:
        """Note a part down."""
        self.state = self.state.with_part(part)
        state.write(self._path, self.state)

    def ready(self) -> None:
        """Note that all is up."""
        self.state = State(
            self.state.sandbox_id, self.state.boot_id, Phase.READY, self.state.records
        )
        state.write(self._path, self.state)


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    layout.create()
    with exclusive_or_refuse(
        layout.lock,
        f"Another command is starting or ending the sandbox in {layout.root}: wait for it, or "
        "use another directory (--directory).",
    ):
        yield


def _is_up(found: State, layout: Layout) -> bool:
    """Whether a whole sandbox runs. SandboxError if only a part of one does."""
    running = {record.name for record in found.running()}
    ended = [record.name for record in found.records if record.name not in running]
    if found.phase is not Phase.READY or not running:
        return False
    if ended:
        raise SandboxError(
            f"The sandbox in {layout.root} runs, but {', '.join(ended)} ended by itself. Look at "
            f"{layout.logs / ended[0]}.log, then end the sandbox with: make down"
        )
    return True


def _clean(layout: Layout, old: State | None) -> None:
    """End what runs, and remove everything but the logs: nothing of it serves the next one."""
    with uninterrupted():
        if old is not None:
            state.end_all(old)
        for path in (layout.pki, layout.etcd, layout.accounts, layout.kubectl_cache):
            shutil.rmtree(path, ignore_errors=True)
        for path in (layout.kubeconfig, layout.aws_env, layout.simulator_ready, layout.state):
            path.unlink(missing_ok=True)


def _summary(layout: Layout, headline: str) -> str:
    return f"""{headline}
  Kubernetes:  export KUBECONFIG={layout.kubeconfig}
  AWS:         source {layout.aws_env}
  Logs:        {layout.logs}
  End it:      make down"""
