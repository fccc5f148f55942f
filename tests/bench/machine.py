"""How fast this machine is now, without which times of two days say little about each other."""

import os
import subprocess
import sys

from tests.bench.figures import Figure

ADDITIONS = 10_000_000
_PROGRAM = f"""
import time
began, total = time.perf_counter(), 0
for number in range({ADDITIONS}):
    total += number
print(time.perf_counter() - began)
"""


def speed(when: str) -> Figure:
    """Seconds of a loop on all cores at the same time; the slowest counts.

    Where cores are shared with other machines it differs by half from one minute to the next.
    """
    cores = len(os.sched_getaffinity(0))
    loops = [
        subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True)
        for _ in range(cores)
    ]
    seconds = max(float(loop.communicate()[0]) for loop in loops)
    what = f"this machine {when}: ten million additions on each of {cores} cores at once"
    return Figure(what, seconds, None, "s")
