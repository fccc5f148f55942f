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
    _empty(control_plane, name)
    control_plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def _empty(control_plane: ControlPlane, namespace: str) -> None:
    """Delete our objects, and take their finalizers off: no operator may be left that would.

    In this order, because nobody can give a finalizer to an object that is being deleted; an
    object that stayed would be taken over by the operator of whichever test comes next. Accounts
    belong to no namespace; they go here too.
    """
    where = f"--namespace={namespace}"
    control_plane.kubectl("delete", "awsbatch", "--all", where, "--wait=false", check=False)
    left = control_plane.kubectl("get", "awsbatch", where, "--output=name", check=False).stdout
    patch = "--patch=" + json.dumps({"metadata": {"finalizers": None}})
    # Gone meanwhile is fine.
    for each in left.split():
        control_plane.kubectl("patch", each, where, "--type=merge", patch, check=False)
