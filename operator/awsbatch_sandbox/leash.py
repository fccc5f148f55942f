"""Run a command that dies with the process that asked for it.

`python -I -S leash.py PARENT_PID COMMAND …` asks the kernel to kill this process when its parent
ends (Linux: PR_SET_PDEATHSIG, which lasts across exec), makes sure that the parent has not ended
just before, and becomes the command. Done here and not in subprocess's preexec_fn, because that
runs Python between fork and exec, which may deadlock in a process with threads.

Run as a file, so it imports nothing of ours.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell on purpose
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
