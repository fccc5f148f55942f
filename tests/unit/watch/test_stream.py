"""One run of the watch: the order in which it tells of things, and how it ends."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.deadline import until
from tests.support.fake_api_server import FakeApiServer, error, event, serving, widget

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.connection import CONNECTIONS, Location
from awsbatch_operator.watch import stream as stream_module
from awsbatch_operator.watch.stream import Stream, Target

WITHIN = 5.0  # seconds
MANY = 3 * stream_module.ROUND


@asynccontextmanager
async def streaming(
    server: FakeApiServer,
    directory: Path,
    on_event,
    on_started=lambda: None,
    *,
    clock=None,
    namespaces=(),
) -> AsyncIterator[asyncio.Task[None]]:
    async with serving(server, directory) as kubeconfig:
        target = Target(Location(kubeconfig), {}, ["Widget"], namespaces)
        clock = clock or SystemClock()
        stream = Stream(target, clock=clock, on_event=on_event, on_started=on_started)
        stop = asyncio.Event()
        running = asyncio.create_task(stream.run(stop))
        try:
            yield running
        finally:
            stop.set()
            await asyncio.wait({running})


def join_watches() -> None:
    for thread in threading.enumerate():
        if thread.name == "watch":
            thread.join(WITHIN)


async def test_it_has_started_once_the_last_object_of_the_list_was_taken(tmp_path: Path):
    server = FakeApiServer(lists=[[widget(f"w{n}", n) for n in range(MANY)]], watches=[])
    taken, when_started, started = list[str](), list[int](), asyncio.Event()

    def on_started() -> None:
        when_started.append(len(taken))
        started.set()

    def on_event(_, body) -> None:
        taken.append(body["metadata"]["name"])

    async with streaming(server, tmp_path, on_event, on_started):
        await asyncio.wait_for(started.wait(), WITHIN)
    assert when_started == [MANY]


async def test_a_list_is_not_read_on_while_too_many_of_its_objects_wait(
    tmp_path: Path, monkeypatch
):
    """All 20,000 would wait, as long as others have the home loop: 400 MB of them."""
    monkeypatch.setattr(stream_module, "ROUND", 1)
    monkeypatch.setattr(stream_module, "WAITING", 10)
    receive, waiting, taken = Stream._receive, list[int](), list[str]()

    def count(stream: Stream, batch) -> None:
        receive(stream, batch)
        waiting.append(len(stream._inbox))

    monkeypatch.setattr(Stream, "_receive", count)
    server = FakeApiServer(lists=[[widget(f"w{n}", n) for n in range(100)]], watches=[])

    def on_event(_, body) -> None:
        taken.append(body["metadata"]["name"])

    async with streaming(server, tmp_path, on_event):
        await until(lambda: len(taken) == 100)
    assert taken == [f"w{n}" for n in range(100)]
    assert max(waiting) <= 10


async def test_when_it_breaks_what_came_before_is_taken_before_anything_else_begins(
    tmp_path: Path, monkeypatch
):
    """Else these events would come among those of the next watch, which tell of newer things."""
    monkeypatch.setattr(stream_module, "ROUND", 1)
    changes = [event("ADDED", widget(f"w{n}", n)) for n in range(MANY // 2)]
    server = FakeApiServer(lists=[[]], watches=[[*changes, error(500)]])
    taken = list[str]()

    def on_event(_, body) -> None:
        if not taken:  # as slow as can be: all has come before the first event is taken
            join_watches()
        taken.append(body["metadata"]["name"])

    async with streaming(server, tmp_path, on_event) as running:
        await asyncio.wait({running}, timeout=WITHIN)
        at_the_end = len(taken)
    assert at_the_end == len(changes)
    with pytest.raises(Exception, match="it is 500"):
        running.result()


async def test_one_that_breaks_and_cannot_end_says_so_all_the_same(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stream_module, "STOP_SECONDS", 0.1)
    let_go, close = threading.Event(), Stream._close

    async def hang(stream: Stream) -> None:
        await asyncio.to_thread(let_go.wait, WITHIN)
        await close(stream)

    monkeypatch.setattr(Stream, "_close", hang)
    server = FakeApiServer(lists=[[]], watches=[[error(500)]])
    async with streaming(server, tmp_path, lambda *_: None) as running:
        try:
            ended, _ = await asyncio.wait({running}, timeout=WITHIN / 2)
        finally:
            let_go.set()
            join_watches()
    assert ended
    with pytest.raises(Exception, match="it is 500"):
        running.result()


class PausingClock(SystemClock):
    """Time moves only in pauses, which take none."""

    def __init__(self) -> None:
        self.moment = 0.0

    def monotonic(self) -> float:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += seconds
        await asyncio.sleep(0)


async def test_watches_that_end_as_they_begin_are_not_asked_for_without_a_pause(tmp_path: Path):
    server = FakeApiServer(lists=[[]], watches=[[], [], [], []])
    clock = PausingClock()
    async with streaming(server, tmp_path, lambda *_: None, clock=clock):
        await until(lambda: len(server.since) == 5)
    assert clock.moment == 4 * stream_module.WATCH_SECONDS


async def test_as_many_are_watched_at_a_time_as_there_are_kinds_and_namespaces(tmp_path: Path):
    """A watch keeps its connection, so one that had to wait for a free one would wait for ever."""
    server = FakeApiServer(lists=[[]], watches=[])
    namespaces = [f"team-{number}" for number in range(CONNECTIONS + 1)]
    async with streaming(server, tmp_path, lambda *_: None, namespaces=namespaces):
        await until(lambda: len(server.since) == len(namespaces), seconds=WITHIN)
