"""`python -m awsbatch_sandbox`: a local installation of everything, to try out and to test."""

import argparse
import sys
from pathlib import Path

from awsbatch_sandbox import commands, demo
from awsbatch_sandbox.capacity_demo import capacity
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.image_demo import image
from awsbatch_sandbox.interrupts import Interrupted, raise_on_signals
from awsbatch_sandbox.paths import DEFAULT_SANDBOX
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.quickstart_demo import quickstart

SPEED, FASTEST = 10.0, 100.0
SPEED_HELP = "how many times as quick as AWS the simulated one is (default: %(default)g)"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m awsbatch_sandbox", description=__doc__)
    chosen = made.add_subparsers(dest="command", required=True)
    chosen.add_parser("tools", help="find or build kube-apiserver, etcd and kubectl")
    for name, text in (
        ("up", "start control plane, simulated AWS and operator in the background"),
        ("demo", "run examples/quickstart on all of it and show what comes out"),
        ("demo-capacity", "show on all of it how instances come for waiting jobs and go again"),
        ("demo-ami", "show on all of it how a machine image is built, tried and used"),
        ("down", "end what up has started"),
        ("restart-operator", "start the operator again, killed or not"),
        ("status", "show which parts run"),
    ):
        each = chosen.add_parser(name, help=text)
        each.add_argument(
            "--directory",
            type=lambda text: Path(text).resolve(),
            default=DEFAULT_SANDBOX,
            help="where kubeconfig, credentials and logs go (default: %(default)s)",
        )
        if name in {"up", "demo", "demo-capacity", "demo-ami"}:
            each.add_argument("--speed", type=speed, default=SPEED, help=SPEED_HELP)
        if name == "demo":
            each.add_argument("--keep", action="store_true", help="leave it running at the end")
    return made


def speed(text: str) -> float:
    """A speed from the command line; ValueError if it is none."""
    value = float(text)
    if not 0 < value <= FASTEST:
        raise ValueError(text)
    return value


def run(arguments: argparse.Namespace, progress: Progress) -> int:
    """Do what the command line says; returns the exit code."""
    match arguments.command:
        case "tools":
            return commands.tools(progress)
        case "up":
            return commands.up(arguments.directory, progress, speed=arguments.speed)
        case "demo" if arguments.keep:
            demo.run_and_keep(arguments.directory, progress, quickstart, speed=arguments.speed)
            return 0
        case "demo":
            demo.run(progress, quickstart, speed=arguments.speed)
            progress.say("To look around: make demo KEEP=1")
            return 0
        case "demo-capacity":
            demo.run(progress, capacity, speed=arguments.speed)
            return 0
        case "demo-ami":
            demo.run(progress, image, speed=arguments.speed)
            return 0
        case "down":
            return commands.down(arguments.directory, progress)
        case "restart-operator":
            return commands.restart_operator(arguments.directory, progress)
        case "status":
            return commands.status(arguments.directory)
        case other:
            raise AssertionError(other)


def main() -> int:
    """Run a command; a failure is told in words, without a traceback."""
    arguments = parser().parse_args()
    raise_on_signals()
    try:
        return run(arguments, Progress(sys.stderr))
    except SandboxError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("\nInterrupted; everything that was started has ended.", file=sys.stderr)
        return interrupted.exit_code


if __name__ == "__main__":
    sys.exit(main())
