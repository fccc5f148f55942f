"""Cheap clients of AWS."""

from collections.abc import Iterator

import pytest
from tests.support.cheap_clients import cheap_sessions


@pytest.fixture(autouse=True, scope="module")
def _cheaply() -> Iterator[None]:
    with cheap_sessions():
        yield
