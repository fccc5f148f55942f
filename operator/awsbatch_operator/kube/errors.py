"""From what the API server answered to a KubeError whose message a person understands.

KubeError
├─ NotFoundError      404 that names the object, and 403 because its namespace is being deleted
├─ ConflictError      409: stale resourceVersion, or it exists already
├─ DeniedError        401, 403
├─ InvalidError       400 … 422, and 500 for a field that the CRD does not declare
└─ UnavailableError   408, 429, 5xx, no answer at all, and 404 for a kind that is not served:
                      without the CRD nobody can say that an object is gone
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.kube.port import (
    ConflictError,
    DeniedError,
    InvalidError,
    KubeError,
    NotFoundError,
    UnavailableError,
)
from awsbatch_operator.telemetry.secrets import masked

_UNDECLARED = "field not declared in schema"
_TEXT_LIMIT = 300  # characters of an answer that is no Status: a proxy's page, say

_APPLY_CRDS = (
    "Apply the CRDs of this version of the operator (kubectl apply --server-side -k deploy/crds)."
)
GRANT = "Grant it: apply the RBAC rules that come with this version of the operator (deploy/)."
LOGIN = "Check the operator's ServiceAccount token, or the user in its kubeconfig."

# What each status means, and how to mend it. Statuses that are not here are judged by their class:
# 4xx InvalidError, all others UnavailableError.
_TABLE: Mapping[int, tuple[type[KubeError], str]] = {
    HTTPStatus.UNAUTHORIZED: (DeniedError, LOGIN),
    HTTPStatus.FORBIDDEN: (DeniedError, GRANT),
    HTTPStatus.NOT_FOUND: (NotFoundError, ""),
    HTTPStatus.REQUEST_TIMEOUT: (UnavailableError, ""),
    HTTPStatus.CONFLICT: (ConflictError, ""),
    HTTPStatus.TOO_MANY_REQUESTS: (UnavailableError, ""),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered to one request."""

    status: int
    body: bytes
    retry_after: float | None = None  # seconds, from the Retry-After header

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> dict[str, Any]:
        """The body; UnavailableError if it is no JSON object (something else answered)."""
        try:
            value = decoded(self.body)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        raise UnavailableError(
            f"Something that is no Kubernetes API server answered ({self.status}): "
            f"{_excerpt(self.body)!r}. A proxy or load balancer in between?"
        )


def error_of(answer: Answer, *, doing: str) -> KubeError:
    """The error that an answer means; `doing` says what was asked: "delete BatchJob a/b"."""
    status = _status(answer.body)
    said = str(status.get("message") or _excerpt(answer.body) or "no explanation was given")
    kind, remedy = _judge(answer, status, said)
    message = f"Cannot {doing}: {said.rstrip('.')} ({answer.status})."
    error = kind(f"{message} {remedy}".rstrip())
    if isinstance(error, UnavailableError):
        error.retry_after = answer.retry_after
    return error


def no_answer(error: BaseException, *, doing: str, server: str) -> UnavailableError:
    """The error for a request that was never answered: whether a write happened is unknown.

    aiohttp repeats the address of a proxy, of which the password of its user may be a part.
    """
    why = masked(str(error)) or type(error).__name__
    return UnavailableError(f"Cannot {doing}: no answer from the API server at {server}: {why}.")


def _judge(answer: Answer, status: Mapping[str, Any], said: str) -> tuple[type[KubeError], str]:
    if answer.status == HTTPStatus.NOT_FOUND and "name" not in status.get("details", {}):
        return UnavailableError, f"The API server does not serve this kind. {_APPLY_CRDS}"
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and _UNDECLARED in said:
        return InvalidError, f"The CRD in the cluster is older than the operator. {_APPLY_CRDS}"
    causes = status.get("details", {}).get("causes") or ()
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return NotFoundError, ""  # nothing can be made there any more; no right is missing
    if answer.status in _TABLE:
        return _TABLE[answer.status]
    is_client_error = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return (InvalidError if is_client_error else UnavailableError), ""


def _status(body: bytes) -> Mapping[str, Any]:
    """The metav1.Status in a refusal; empty if it is something else."""
    try:
        value = decoded(body)
    except ValueError:
        return {}
    is_status = isinstance(value, dict) and value.get("kind") == "Status"
    return value if is_status else {}


def _excerpt(body: bytes) -> str:
    return " ".join(body.decode("utf-8", "replace").split())[:_TEXT_LIMIT]
