"""Measures the numbers to reach and prints each beside its target: `make bench`.

The control plane, the simulator and the operator are real processes on this machine; what else runs
on it shows in the figures. Exits with 1 if the resync without change writes anything, because that
is a promise and not an aim.
"""

import sys
import tempfile
from pathlib import Path

from tests.bench import jobs, polling, restart
from tests.bench.figures import Figure, print_table, say
from tests.support.site import opened

from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.installation import install_crds


def measured(directory: Path) -> list[Figure]:
    """All figures, in the order of the table."""
    say("Starting control plane, simulator and operator …")
    with ControlPlane(directory / "cluster") as control_plane:
        install_crds(control_plane.kubectl)
        with opened(control_plane, directory / "site") as site:
            site.start(**jobs.STEADY)
            figures = jobs.measure(site) + restart.measure(site)
    return figures + polling.measure()


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="awsbatch-bench-") as directory:
        figures = measured(Path(directory))
    print_table(figures)
    broken = [each for each in figures if each.what.startswith("resync") and not each.reached]
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
