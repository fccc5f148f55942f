"""The objects under examples/, by the path of their file."""

from typing import Any

import yaml

from awsbatch_sandbox.paths import REPOSITORY

DIRECTORY = REPOSITORY / "examples"


def manifests() -> dict[str, dict[str, Any]]:
    """What each file applies; kustomizations apply other files."""
    found = {
        str(path.relative_to(DIRECTORY)): yaml.safe_load(path.read_text())
        for path in sorted(DIRECTORY.glob("**/*.yaml"))
    }
    return {path: body for path, body in found.items() if body["kind"] != "Kustomization"}
