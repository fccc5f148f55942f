"""`python -m awsbatch_sandbox`: a local installation of everything, to try out and to test."""

import argparse
import sys
from pathlib import Path

from awsbatch_sandbox import commands
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import Interrupted, raise_on_signals
from awsbatch_sandbox.paths import DEFAULT_SANDBOX
from awsbatch_sandbox.progress import Progress

SPEED, FASTEST = 10.0, 100.0
SPEED_HELP = "how many times faster than AWS the simulated one is (default: %(default)g)"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m awsbatch_sandbox", description=__doc__)
    chosen = made.add_subparsers(dest="command", required=True)
    chosen.add_parser("tools", help="find or build kube-apiserver, etcd and kubectl")
    for name, text in (
        ("up", "start control plane, simulated AWS and operator in the background"),
        ("down", "end what up has started"),
        ("status", "show which parts run"),
    ):
        each = chosen.add_parser(name, help=text)
        each.add_argument(
            "--directory",
            type=Path,
            default=DEFAULT_SANDBOX,
            help="where kubeconfig, credentials and logs go (default: %(default)s)",
        )
        if name == "up":
            each.add_argument("--speed", type=speed, default=SPEED, help=SPEED_HELP)
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
            return commands.up(arguments.directory.resolve(), progress, speed=arguments.speed)
        case "down":
            return commands.down(arguments.directory.resolve(), progress)
        case "status":
            return commands.status(arguments.directory.resolve())
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
