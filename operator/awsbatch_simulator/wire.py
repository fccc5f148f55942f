"""A request and its answer as bytes, the same over a socket and in process."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. The path is raw: ARNs in it are still percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionDropped(Exception):  # noqa: N818 - it is what happens to the caller, no error of ours
    """A fault closes the connection here instead of answering."""
