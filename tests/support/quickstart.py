"""The objects of examples/quickstart."""

from typing import Any

import yaml

from awsbatch_sandbox.paths import REPOSITORY

DIRECTORY = REPOSITORY / "examples" / "quickstart"
ENVIRONMENT, QUEUE = ("ComputeEnvironment", "on-demand"), ("JobQueue", "main")
DEFINITION, JOB = ("JobDefinition", "disk-report"), ("BatchJob", "first-run")
ALL = (ENVIRONMENT, QUEUE, DEFINITION, JOB)


def bodies() -> list[dict[str, Any]]:
    """What `kubectl apply -k examples/quickstart` applies, in the kustomization's order."""
    listed = yaml.safe_load((DIRECTORY / "kustomization.yaml").read_text())["resources"]
    return [yaml.safe_load((DIRECTORY / name).read_text()) for name in listed]


def named(body: dict[str, Any]) -> tuple[str, str]:
    """(kind, name) of an object."""
    return body["kind"], body["metadata"]["name"]
