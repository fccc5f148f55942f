"""Structured logs: the object stands in every line that is written on its behalf."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars


@contextmanager
def about(*, kind: str, namespace: str, name: str) -> Iterator[None]:
    """Every line logged inside names this object."""
    with bound_contextvars(kind=kind, namespace=namespace, name=name):
        yield
