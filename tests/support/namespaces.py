"""Namespaces of the real API server that a test has to itself."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from awsbatch_sandbox.controlplane import ControlPlane


@contextmanager
def new_namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A new one; what is left in it afterwards goes, finalizers or not."""
    name = f"test-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    _release(control_plane, name)


def _release(control_plane: ControlPlane, namespace: str) -> None:
    """Take the finalizers off our objects: no operator may be left that would.

    Accounts belong to no namespace; they go here too.
    """
    where = f"--namespace={namespace}"
    left = control_plane.kubectl("get", "awsbatch", where, "--output=name", check=False).stdout
    patch = "--patch=" + json.dumps({"metadata": {"finalizers": None}})
    # Gone meanwhile is fine.
    for each in left.split():
        control_plane.kubectl("patch", each, where, "--type=merge", patch, check=False)
        if each.startswith("awsaccount."):
            control_plane.kubectl("delete", each, check=False)
