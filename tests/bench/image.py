"""The image: its packages and the start of a replica from them, made without an engine; its size.

The size of the whole is that on whatever base can be had here, and needs a Docker engine.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure, say
from tests.support.cold_start import calibration, cpu_until_ready
from tests.support.image import Tree
from tools import image_tree

from awsbatch_node import engine as engines
from awsbatch_node import images, requirements
from awsbatch_node.engine import Engine
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import cache_directory
from awsbatch_sandbox.progress import Progress

STARTS = 5
BEFORE = 333  # MB, with pip and the Kubernetes client
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
        *_whole(Progress(sys.stderr)),
        Figure("CPU until a replica stands by", seconds, None, "s", f"median of {STARTS}"),
        Figure("the same", ratio * USUAL_SECONDS, 1.5, "s", usual),
    ]


def _whole(progress: Progress) -> list[Figure]:
    """The row about the image as a registry has it; none, and why, where nothing can build it."""
    try:
        with _engine(progress) as engine:
            own = images.base_image(engine, progress) == images.OWN_BASE
            name = images.build(engine, progress).operator
            size = int(engine("image", "inspect", "--format={{.Size}}", name))
    except SandboxError as error:
        say(f"The whole image is not measured: {error}")
        return []
    base = "Debian's own Python" if own else "the base that was given or the Dockerfile names"
    return [Figure("the whole image", size / 1e6, BEFORE, "MB", f"on {base}")]


@contextmanager
def _engine(progress: Progress) -> Iterator[Engine]:
    own = engines.machines_own(os.environ)
    if own is not None:
        yield own
        return
    requirements.ensure(progress, engine=False)
    with engines.of_our_own(cache_directory(os.environ), progress) as engine:
        yield engine
