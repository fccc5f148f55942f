"""The objects under examples/, by the path of their file, and folders that are applied whole."""

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_sandbox.paths import REPOSITORY

DIRECTORY = REPOSITORY / "examples"
_KUSTOMIZATION = "kustomization.yaml"


def manifests() -> dict[str, dict[str, Any]]:
    """What each file applies of our kinds; kustomizations apply other files.

    A file with several objects has each under its path with a number: `queues.yaml#2`.
    """
    found = {}
    for path in sorted(DIRECTORY.glob("**/*.yaml")):
        name = str(path.relative_to(DIRECTORY))
        if path.name == _KUSTOMIZATION:
            continue
        bodies = list(yaml.safe_load_all(path.read_text()))
        if len(bodies) == 1:
            found[name] = bodies[0]
        else:
            found |= {f"{name}#{number}": body for number, body in enumerate(bodies, start=1)}
    return {name: body for name, body in found.items() if body["apiVersion"] == API_VERSION}


def folders() -> list[str]:
    """The folders that `kubectl apply -k` takes, below examples/."""
    return sorted(
        str(path.parent.relative_to(DIRECTORY)) for path in DIRECTORY.glob(f"**/{_KUSTOMIZATION}")
    )


def listed(folder: str) -> Sequence[str]:
    """What the kustomization of a folder lists: files beside it, and other folders."""
    text = (DIRECTORY / folder / _KUSTOMIZATION).read_text()
    resources: list[str] = yaml.safe_load(text)["resources"]
    return resources


def bodies(folder: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` applies of a folder, in the kustomization's order."""
    found = []
    for name in listed(folder):
        path = (DIRECTORY / folder / name).resolve()
        if path.is_dir():
            found += bodies(str(Path(path).relative_to(DIRECTORY)))
        else:
            found += yaml.safe_load_all(path.read_text())
    return copy.deepcopy(found)


def shuffled(folder: str, seed: int) -> list[dict[str, Any]]:
    """The same in another order."""
    return random.Random(seed).sample(found := bodies(folder), k=len(found))
