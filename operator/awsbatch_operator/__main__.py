"""The process's first module: `python -m awsbatch_operator run …`.

It imports next to nothing, so that --version answers at once, and that the collector rests before
the rest is imported: 1,200 modules make hundreds of thousands of objects, none of them garbage,
and each search among them is in vain.
"""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module, metadata

PROGRAM = "aws-batch-operator"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["--version"]:
        sys.stdout.write(f"{PROGRAM} {version()}\n")
        return 0
    gc.disable()
    try:
        commands = import_module("awsbatch_operator.commands")
        gc.freeze()  # nor shall the first search of all, soon after, look through them
    finally:
        gc.enable()
    return int(commands.main(given))


def version() -> str:
    """The version of what is installed; of a checkout that is not, only that it is one."""
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return "(not installed: run from a checkout)"


if __name__ == "__main__":
    sys.exit(main())
