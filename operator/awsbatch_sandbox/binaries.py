"""Find the pinned binaries, or build them.

Order: KUBEBUILDER_ASSETS, for each binary there that has the pinned version; our own cache; `go
build` from tools/ into that cache.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from awsbatch_sandbox.build import Builder, executable, linker_flags
from awsbatch_sandbox.paths import GO_REQUIREMENTS, TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import CONTROL_PLANE, OURS, Pins, Tool, read_pins
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import find_go

ASSETS = "KUBEBUILDER_ASSETS"
VERSION_SECONDS = 10.0
COSTS = "about 5 minutes on two free cores, and 4 GB of Go's own caches"

Binaries = Mapping[Tool, Path]


def find(
    tools: Iterable[Tool] = CONTROL_PLANE,
    *,
    environ: Mapping[str, str] = os.environ,
    progress: Progress | None = None,
) -> Binaries:
    """The paths of these tools, building what is missing. ToolsMissing if that fails."""
    pins, cache = read_pins(TOOLS_MODULE), cache_directory(environ)
    shown = progress or Progress(sys.stderr)
    built = cache / f"tools-{pins.key}"
    given = from_assets(tools, pins, environ=environ, progress=shown)
    missing = [tool for tool in tools if tool not in given and not executable(built / tool)]
    if missing:
        go = partial(
            find_go,
            pins.go,
            environ=environ,
            cache=cache,
            requirements=GO_REQUIREMENTS,
            progress=shown,
        )
        linked = linker_flags(pins.kubernetes)
        Builder(TOOLS_MODULE, linked, COSTS, built, environ, shown, go).build(missing)
    return {tool: given.get(tool, built / tool) for tool in tools}


def from_assets(
    tools: Iterable[Tool], pins: Pins, *, environ: Mapping[str, str], progress: Progress
) -> Binaries:
    """Those tools that KUBEBUILDER_ASSETS has in the pinned version; it says which do not fit."""
    if not environ.get(ASSETS):
        return {}
    directory, found = Path(environ[ASSETS]), {}
    for tool in tools:
        path = directory / tool
        if tool.module == OURS or not executable(path):
            continue
        version = version_of(tool, path)
        if version == pins.version(tool):
            found[tool] = path
        else:
            progress.say(f"{path} is {version or 'unusable'}, not {pins.version(tool)}: not used.")
    return found


def version_of(tool: Tool, path: Path) -> str | None:
    """The version that a binary says it has, with a leading v; None if it does not say."""
    try:
        done = subprocess.run(
            [str(path), *tool.version_arguments],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"[Vv]ersion: v?(\S+)|^Kubernetes v(\S+)", done.stdout, re.MULTILINE)
    return f"v{match.group(1) or match.group(2)}" if match else None
