"""What the API server answers becomes an error that a person understands."""

import json

import pytest

from awsbatch_operator.kube.errors import Answer, error_of, no_answer
from awsbatch_operator.kube.port import (
    ConflictError,
    DeniedError,
    InvalidError,
    KubeError,
    NotFoundError,
    UnavailableError,
)


def refusal(code: int, message: str, **details: object) -> Answer:
    status = {"kind": "Status", "code": code, "message": message, "details": details}
    return Answer(code, json.dumps(status).encode())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, InvalidError),
        (401, DeniedError),
        (403, DeniedError),
        (404, NotFoundError),
        (405, InvalidError),
        (408, UnavailableError),
        (409, ConflictError),
        (413, InvalidError),
        (415, InvalidError),
        (422, InvalidError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
    ],
)
def test_each_status_has_its_error(code: int, expected: type[KubeError]):
    error = error_of(refusal(code, "it said so", name="one"), doing="get BatchJob a/one")
    assert type(error) is expected
    assert str(error).startswith(f"Cannot get BatchJob a/one: it said so ({code}).")


def test_a_denial_names_verb_resource_and_identity_and_says_how_to_mend_it():
    message = (
        'batchjobs.awsbatch.dev "one" is forbidden: User "system:serviceaccount:ops:operator" '
        'cannot patch resource "batchjobs/status" in API group "awsbatch.dev" in the namespace "a"'
    )
    text = str(error_of(refusal(403, message, name="one"), doing="apply the status"))
    for part in ("cannot patch", "batchjobs/status", "system:serviceaccount:ops:operator", "RBAC"):
        assert part in text


def test_a_namespace_that_is_being_deleted_is_no_missing_right():
    cause = {"reason": "NamespaceTerminating", "field": "metadata.namespace"}
    message = 'events "x" is forbidden: unable to create new content in namespace a'
    error = error_of(refusal(403, message, name="x", causes=[cause]), doing="create an event in a")
    assert type(error) is NotFoundError
    assert "RBAC" not in str(error)


def test_a_missing_kind_is_no_missing_object():
    answer = refusal(404, "the server could not find the requested resource")
    error = error_of(answer, doing="get BatchJob a/one")
    assert type(error) is UnavailableError
    assert "deploy/crds" in str(error)


def test_a_field_that_an_older_crd_does_not_declare_is_invalid_although_the_server_says_500():
    answer = refusal(
        500, "failed to create typed patch object: .status.x: field not declared in schema"
    )
    error = error_of(answer, doing="apply the status of BatchJob a/one")
    assert type(error) is InvalidError
    assert "older than the operator" in str(error)


def test_an_answer_that_is_no_status_is_quoted_shortly():
    answer = Answer(502, b"<html>" + b"bad gateway\n" * 1000)
    error = error_of(answer, doing="list batchjobs")
    assert type(error) is UnavailableError
    assert "bad gateway" in str(error)
    assert len(str(error)) < 400


def test_how_long_the_server_wants_us_to_wait_is_kept():
    error = error_of(Answer(429, b"", retry_after=7), doing="get BatchJob a/one")
    assert isinstance(error, UnavailableError)
    assert error.retry_after == 7
    assert "no explanation" in str(error)


def test_no_answer_at_all_names_the_server():
    error = no_answer(TimeoutError(), doing="get lease a/b", server="https://10.0.0.1:443")
    assert "https://10.0.0.1:443: TimeoutError" in str(error)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>"])
def test_success_without_a_json_object_is_no_answer_of_an_api_server(body: bytes):
    with pytest.raises(UnavailableError, match="no Kubernetes API server"):
        Answer(200, body).json()
