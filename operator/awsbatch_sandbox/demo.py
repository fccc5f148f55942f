"""Show a story on a local control plane and simulated AWS, which goes with all that is in it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from awsbatch_sandbox import background, binaries, commands, state
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.sandbox import Sandbox
from awsbatch_sandbox.stage import Stage

Story = Callable[[Stage], None]
"""Shows something, and raises SandboxError if it does not come out."""


def run(progress: Progress, story: Story, *, speed: float) -> None:
    """Show the story in a sandbox of its own."""
    found = binaries.find(progress=progress)
    with _passing(found) as sandbox:
        _show(sandbox, progress, story, speed=speed)
    progress.say("\nEverything has been ended and removed.")


def run_and_keep(directory: Path, progress: Progress, story: Story, *, speed: float) -> None:
    """Show the story in a sandbox that stays, and say how to look around."""
    layout = Layout(directory)
    found = binaries.find(progress=progress)
    with background.locked(layout):
        if background.running(layout):
            raise SandboxError(
                f"A sandbox is already running in {layout.root}: end it with make down, or use "
                f"it as it is: KUBECONFIG={layout.kubeconfig} kubectl apply -k examples/quickstart"
            )
        background.clean(layout, state.read(layout.state))
        with background.lasting(layout, found) as sandbox:
            _show(sandbox, progress, story, speed=speed)
    print(commands.summary(layout, found, "\nThe sandbox stays."))
    print("  Look around:      kubectl describe awsbatch")


@contextmanager
def _passing(found: binaries.Binaries) -> Iterator[Sandbox]:
    """A sandbox in a temporary directory, both gone afterwards however the body ends."""
    directory: Path | None = None
    sandbox: Sandbox | None = None
    try:
        with uninterrupted():
            directory = Path(tempfile.mkdtemp(prefix="awsbatch-demo-"))
        sandbox = Sandbox(directory, controllers=True, binaries=found)
        yield sandbox
    finally:
        with uninterrupted():
            if sandbox is not None:
                sandbox.stop()
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)


def _show(sandbox: Sandbox, progress: Progress, story: Story, *, speed: float) -> None:
    commands.start_all(sandbox, progress, speed=speed)
    progress.say("")
    story(Stage(sandbox, progress))
