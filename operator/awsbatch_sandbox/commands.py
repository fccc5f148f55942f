"""What `python -m awsbatch_sandbox` does: tools, up, status, restart-operator, down.

The demo has its own module.
"""

import sys
from pathlib import Path

from awsbatch_sandbox import background, binaries, state
from awsbatch_sandbox.binaries import Binaries
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.sandbox import OPERATOR, Sandbox, wait_until_ready
from awsbatch_sandbox.state import Phase

NOT_RUNNING = 3  # exit code of `status`, as systemctl's


def tools(progress: Progress) -> int:
    """Find or build the pinned tools and print where they are."""
    for tool, path in binaries.find(progress=progress).items():
        print(f"{tool:24} {path}")
    return 0


def up(directory: Path, progress: Progress, *, speed: float) -> int:
    """Start a sandbox in the background and say where everything is."""
    layout = Layout(directory)
    found = binaries.find(progress=progress)
    with background.locked(layout):
        if background.running(layout):
            print(summary(layout, found, "A sandbox is already running."))
            return 0
        background.clean(layout, state.read(layout.state))
        with background.lasting(layout, found) as sandbox:
            start_all(sandbox, progress, speed=speed)
    print(summary(layout, found, "The sandbox is running."))
    return 0


def restart_operator(directory: Path, progress: Progress) -> int:
    """Start the operator of a running sandbox again: one that was killed, or that has new code."""
    layout = Layout(directory)
    if not layout.root.is_dir():
        raise SandboxError(f"No sandbox runs in {directory}. Start one with: make up")
    progress.say("Starting the operator again …")
    with background.locked(layout):
        operator = background.restarted(layout, OPERATOR)
        wait_until_ready(operator)
    print(
        f"The operator runs again; its log: {operator.log}\n"
        "If its predecessor was killed, it waits until that one's lease has run out: 30 s at most."
    )
    return 0


def start_all(sandbox: Sandbox, progress: Progress, *, speed: float) -> None:
    """Start every part of a sandbox, telling which."""
    progress.say("Starting etcd and the Kubernetes API server …")
    sandbox.start_control_plane()
    progress.say(f"Starting the simulated AWS, {speed:g} times as quick as the real one …")
    aws = sandbox.start_simulator("--job-runner", "process")
    aws.hurry(speed)
    boots = aws.admin("GET", "/_simulator/state")["userData"]
    if boots["mode"] == "interpret":
        progress.say(f"User data of instances is only interpreted, not executed: {boots['why']}")
    sandbox.layout.aws_env.touch(mode=0o600)
    sandbox.layout.aws_env.write_text(aws.shell_lines(), encoding="utf-8")
    progress.say("Installing the CRDs and the operator's permissions …")
    sandbox.install()
    progress.say("Starting the operator …")
    sandbox.start_operator("--poll-scale", str(1 / speed))


def down(directory: Path, progress: Progress) -> int:
    """End what `up` started there, also if it did not come to its end; the logs stay."""
    layout = Layout(directory)
    if not layout.root.is_dir():
        progress.say(f"No sandbox runs in {directory}.")
        return 0
    with background.locked(layout):
        old = state.read(layout.state)
        background.clean(layout, old)
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
    alive = {record.name for record in found.running()}
    print(f"{'PART':26} {'STATUS':8} {'PID':>8} LOG")
    for record in found.records:
        now = "Running" if record.name in alive else "Ended"
        print(f"{record.name:26} {now:8} {record.pid:>8} {layout.logs / record.name}.log")
    whole = found.phase is Phase.READY and len(alive) == len(found.records)
    return 0 if whole else NOT_RUNNING


def link_commands(layout: Layout, found: Binaries) -> list[str]:
    """Put kubectl and aws where a person's PATH can have just them; the names of those there are.

    `aws` is the one of the virtual environment that runs this. Its whole directory on the PATH
    would change what `python` means in the person's shell.
    """
    layout.commands.mkdir(exist_ok=True)
    targets = {"kubectl": found[Tool.KUBECTL], "aws": Path(sys.executable).with_name("aws")}
    there = {name: target for name, target in targets.items() if target.exists()}
    for name, target in there.items():
        link = layout.commands / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return list(there)


def summary(layout: Layout, found: Binaries, headline: str) -> str:
    """Where everything of a running sandbox is."""
    commands = f"{' and '.join(link_commands(layout, found))}:"
    return f"""{headline}
  Kubernetes:       export KUBECONFIG={layout.kubeconfig}
  {commands:17} export PATH={layout.commands}:$PATH
  AWS:              source {layout.aws_env}
  Logs:             {layout.logs}
  Parts and pids:   make status
  End it:           make down"""
