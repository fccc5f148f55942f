"""A power cut for everything in a node but its first process, which stands for the machine.

Every process is killed, and what a machine has in memory only is gone: /run, what was mounted, the
pods' networks and the rules of the packet filter. What is on disk stays.

Run as a file in the node, so it imports nothing of ours:
`python -I -S outage.py PLACE …`: below these places nothing stays mounted. Anywhere else than in a
node it does nothing: it would kill everything on the machine.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

RUN = Path("/run")
MOUNTS = Path("/proc/self/mounts")
LOOKS, LOOK_SECONDS = 500, 0.02
FIRST = 1  # the pid of the first process
FIRST_COMMAND = Path(f"/proc/{FIRST}/cmdline")
OF_A_NODE = b"/awsbatch_node/first.py"  # what the first process of a node runs
BRIDGE = "cni0"
TABLES = ("filter", "nat", "mangle")


def is_in_a_node() -> bool:
    """Whether this is a node; whoever enters one whose pid is somebody else's by now is not."""
    return any(word.endswith(OF_A_NODE) for word in FIRST_COMMAND.read_bytes().split(b"\0"))


def kill_all() -> None:
    """SIGKILL to everybody but the first process and this one; return when they are gone."""
    os.kill(-1, signal.SIGKILL)
    for _ in range(LOOKS):
        if not _others():
            return
        time.sleep(LOOK_SECONDS)
    sys.exit(f"still there after SIGKILL: {_others()}")


def _others() -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if pid not in {FIRST, os.getpid()}]


def unmount(places: list[Path]) -> None:
    """Take away what is mounted below these places, the last first."""
    lines = MOUNTS.read_text(encoding="utf-8").splitlines()
    # The kernel writes a space in a path as \040.
    mounted = [Path(line.split()[1].replace("\\040", " ")) for line in lines]
    for path in reversed(mounted):
        if any(place in path.parents for place in places):
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def forget_the_network() -> None:
    """Take away what the kernel keeps: the pods' bridge, and where Services lead."""
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False)
    for table in TABLES:
        for action in ("--flush", "--delete-chain"):
            subprocess.run(["iptables", f"--table={table}", action], check=True)


def main() -> None:
    """Cut the power."""
    if not is_in_a_node():
        sys.exit("This is no node: all processes of the machine would be killed. None was.")
    kill_all()
    unmount([RUN, *map(Path, sys.argv[1:])])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(RUN)], check=True)
    forget_the_network()


if __name__ == "__main__":
    main()
