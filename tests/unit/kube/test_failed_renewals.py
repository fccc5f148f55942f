"""A renewal of the identity that fails is told to whoever waits for it, or else in the log."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock

from awsbatch_operator.kube import kubeconfig
from awsbatch_operator.kube.configuration import ConfigurationError
from awsbatch_operator.kube.connection import Connection, Location

SAID = "the identity for the API server could not be renewed"
WHY = "the plug-in has failed"


@pytest.fixture
def plugin(monkeypatch) -> threading.Event:
    """A plug-in that fails once this is set."""
    may_fail = threading.Event()

    def fail(*_: object) -> None:
        assert may_fail.wait(10)
        raise ConfigurationError(WHY)

    monkeypatch.setattr(kubeconfig, "load", fail)
    return may_fail


@contextmanager
def unretrieved() -> Iterator[list[str]]:
    """What asyncio complains of."""
    heard: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(str(context["message"])))
    yield heard
    gc.collect()
    loop.set_exception_handler(None)


async def renewed(plugin: threading.Event, *, given_up: bool) -> str:
    """What whoever waits for the renewal is told."""
    connection = Connection(Location(Path("kubeconfig")), SteppedClock(), {})
    waiting = asyncio.ensure_future(connection.renew(connection.configuration))
    await asyncio.wait({waiting}, timeout=0)  # it has begun
    renewal = connection._renewal
    if given_up:
        waiting.cancel()
        await asyncio.wait({waiting})
    plugin.set()
    await asyncio.wait({renewal} if renewal else ())
    await asyncio.wait({waiting})
    return "" if waiting.cancelled() else str(waiting.exception())


async def test_one_that_nobody_waits_for_any_more_is_told_in_the_log(plugin):
    with unretrieved() as heard, capture_logs() as lines:
        assert await renewed(plugin, given_up=True) == ""
    assert heard == []
    assert [(line["event"], line["error"]) for line in lines] == [(SAID, WHY)]


async def test_one_that_somebody_waits_for_is_told_to_them(plugin):
    with unretrieved() as heard, capture_logs() as lines:
        assert await renewed(plugin, given_up=False) == WHY
    assert heard == []
    assert lines == []
