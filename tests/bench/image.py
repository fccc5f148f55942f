"""The packages of the image and the start of a replica from them; made without an engine.

The base of the image is not in the figures: it depends on whose it is.
"""

import statistics
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, say
from tests.support.cold_start import calibration, cpu_until_ready
from tests.support.image import Tree
from tools import image_tree

STARTS = 5
USUAL_SECONDS = 0.95  # of the calibration, on the machine that the target is meant for


def measure() -> list[Figure]:
    """The rows about the image."""
    with tempfile.TemporaryDirectory(prefix="awsbatch-image-") as directory:
        place = Path(directory)
        say("Making the packages of the image …")
        tree = Tree(place / "tree")
        files = image_tree.files_of(tree.site)
        say(f"Starting a replica {STARTS} times …")
        taken = [(cpu_until_ready(tree, place), calibration()) for _ in range(STARTS)]
        contents = [
            Figure("packages of the image", tree.bytes / 1e6, 75, "MB", "without the base"),
            Figure("files that must not be there", len(image_tree.forbidden(files)), 0, "files"),
            Figure("modules without bytecode", len(image_tree.uncompiled(tree.site)), 0, "files"),
        ]
    seconds = statistics.median(start for start, _ in taken)
    ratio = statistics.median(start / loop for start, loop in taken)
    loop = statistics.median(loop for _, loop in taken)
    usual = f"where the calibration takes {USUAL_SECONDS} s; here it took {loop:.2f} s"
    return [
        *contents,
        Figure("CPU until a replica stands by", seconds, None, "s", f"median of {STARTS}"),
        Figure("the same", ratio * USUAL_SECONDS, 1.5, "s", usual),
    ]
