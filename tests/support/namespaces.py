"""Namespaces of the real API server that a test has to itself."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tests.support.api_server import JSON, MERGE, ApiServer, Body
from tests.support.deadline import wait_until

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.assembly import CLUSTER_SCOPED, KINDS
from awsbatch_operator.kube import paths
from awsbatch_sandbox.controlplane import ControlPlane

HELD_BY_NOBODY = {"metadata": {"finalizers": None}}


@contextmanager
def new_namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A new one; what is left in it afterwards goes, finalizers or not."""
    name = f"test-{secrets.token_hex(4)}"
    # Asked over HTTP: kubectl takes a tenth of a second for each of a dozen requests.
    with ApiServer(control_plane) as api:
        _ask(api, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    with ApiServer(control_plane) as api:
        _empty(api, name)
        _ask(api, "DELETE", paths.of_namespace(name))


def _empty(api: ApiServer, namespace: str) -> None:
    """Delete our objects, and take their finalizers off: no operator may be left that would.

    In this order, because nobody can give a finalizer to an object that is being deleted; an
    object that stayed would be taken over by the operator of whichever test comes next. Accounts
    belong to no namespace; they go here too.
    """
    for kind in KINDS:
        for key in _there(api, kind, namespace):
            _ask(api, "DELETE", paths.of_object(key))
    for kind in KINDS:
        for key in _there(api, kind, namespace):
            _ask(api, "PATCH", paths.of_object(key), HELD_BY_NOBODY)


def _there(api: ApiServer, kind: str, namespace: str) -> list[ObjectKey]:
    """All objects of a kind in the namespace; none if the kind is not served."""
    place = "" if kind in CLUSTER_SCOPED else namespace
    listed = _ask(api, "GET", paths.of_kind(kind, place)).get("items", ())
    return [ObjectKey(kind, place, each["metadata"]["name"]) for each in listed]


def _ask(api: ApiServer, method: str, path: str, body: Body | None = None) -> Body:
    """The answer; {} if there is no such thing, or it has just begun to go.

    While a kind is being made the API server answers 429: its storage is not there yet.
    """
    content_type = MERGE if method == "PATCH" else JSON

    def answer_of() -> tuple[int, Body] | None:
        answer = api.ask(method, path, body, content_type=content_type)
        return None if answer[0] == HTTPStatus.TOO_MANY_REQUESTS else answer

    found = wait_until(answer_of, f"an answer to {method} {path}")
    assert found is not None
    status, answer = found
    if status in {404, 409}:
        return {}
    assert status < 300, f"{method} {path}: {answer.get('message')}"
    return answer
