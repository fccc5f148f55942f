"""Measures the numbers to reach and prints each beside its target: `make bench`.

The control plane, the simulator and the operator are real processes on this machine; what else runs
on it shows in the figures. `python -m tests.bench restart` measures only the groups that are named.
Exits with 1 if the resync without change writes anything, because that is a promise and not an aim.
"""

import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from tests.bench import arrays, capacity, image, jobs, machine, many, notices, polling, restart
from tests.bench.figures import Figure, print_table, say
from tests.support.site import Site, opened

from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.installation import install_crds

# In that order, because each goes on with what the ones before have left.
ON_A_SITE: Mapping[str, Callable[[Site], list[Figure]]] = {
    "jobs": jobs.measure,
    "many": many.measure,
    "restart": lambda site: restart.measure(site, restart.USUAL),
    "large": lambda site: restart.measure(site, restart.LARGE),
}
IN_PROCESS: Mapping[str, Callable[[], list[Figure]]] = {
    "polling": polling.measure,
    "arrays": arrays.measure,
    "capacity": capacity.measure,
    "notices": notices.measure,
    "image": image.measure,
}
GROUPS = (*ON_A_SITE, *IN_PROCESS)


def measured(directory: Path, groups: Collection[str]) -> list[Figure]:
    """The figures of these groups, in the order of the table."""
    figures: list[Figure] = []
    chosen = [name for name in ON_A_SITE if name in groups]
    if chosen:
        say("Starting control plane, simulator and operator …")
        with ControlPlane(directory / "cluster") as control_plane:
            install_crds(control_plane.kubectl)
            with opened(control_plane, directory / "site") as site:
                site.start(**jobs.STEADY)
                if chosen[0] != "jobs":
                    jobs.prepare_one(site)
                for name in chosen:
                    figures += ON_A_SITE[name](site)
    for name, measure in IN_PROCESS.items():
        figures += measure() if name in groups else []
    return figures


def main(words: list[str]) -> int:
    """Measure and print."""
    unknown = set(words) - set(GROUPS)
    if unknown:
        say(f"There is no {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}.")
        return 2
    with tempfile.TemporaryDirectory(prefix="awsbatch-bench-") as directory:
        before = machine.speed("before")
        figures = measured(Path(directory), words or GROUPS)
    print_table([before, *figures, machine.speed("after")])
    broken = [each for each in figures if each.what.startswith("resync") and not each.reached]
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
