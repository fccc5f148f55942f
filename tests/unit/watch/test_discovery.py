"""Waiting for our kinds to be served."""

import asyncio

import pytest
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.support.structural import Definition

from awsbatch_operator.kube.port import UnavailableError
from awsbatch_operator.watch.discovery import Discovery

KINDS = ("JobQueue", "BatchJob")


class Server(MemoryKube):
    """Serves kinds as a test says, and may be down."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__([], clock=clock)
        self.down = False
        self.asked = 0

    def serve(self, *kinds: str) -> None:
        self.definitions = {kind: Definition(kind) for kind in kinds}

    async def served_kinds(self) -> frozenset[str]:
        self.asked += 1
        if self.down:
            raise UnavailableError("no answer")
        return await super().served_kinds()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def server(clock: SteppedClock) -> Server:
    return Server(clock)


@pytest.fixture
def discovery(server: Server, clock: SteppedClock) -> Discovery:
    return Discovery(kube=server, kinds=KINDS, clock=clock)


async def test_with_all_kinds_served_it_does_not_wait(server, discovery):
    server.serve(*KINDS, "Other")
    assert await discovery.wait(asyncio.Event())


async def test_it_looks_every_two_seconds_until_the_last_kind_is_served(server, discovery, clock):
    waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
    server.serve("JobQueue")
    await clock.advance(600)
    assert not waiting.done()
    assert server.asked == 301
    server.serve(*KINDS)
    await clock.advance(2)
    assert waiting.result()


async def test_it_says_what_is_missing_and_how_to_mend_it_and_not_at_every_look(
    server, discovery, clock
):
    with capture_logs() as logs:
        waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
        await clock.advance(59)
        server.serve("JobQueue")
        await clock.advance(60)
        waiting.cancel()
    assert [line["missing"] for line in logs] == [["BatchJob", "JobQueue"], ["BatchJob"]]
    assert "deploy/crds" in logs[0]["remedy"]


async def test_an_api_server_that_is_down_is_waited_for(server, discovery, clock):
    server.serve(*KINDS)
    server.down = True
    with capture_logs() as logs:
        waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
        await clock.advance(10)
        server.down = False
        await clock.advance(2)
    assert waiting.result()
    assert [line["error"] for line in logs] == ["no answer"]


async def test_a_stop_ends_the_waiting(server, discovery, clock):
    stop = asyncio.Event()
    waiting = asyncio.create_task(discovery.wait(stop))
    await clock.advance(5)
    stop.set()
    await clock.advance(0)
    assert waiting.result() is False


async def test_once_all_were_served_those_that_are_left_are_answered_and_the_others_told(
    server, discovery, clock
):
    stop = asyncio.Event()
    server.serve(*KINDS)
    assert await discovery.some(stop) == set(KINDS)
    server.serve("BatchJob", "Other")
    with capture_logs() as logs:
        assert await discovery.some(stop) == {"BatchJob"}
        others = asyncio.create_task(discovery.more(["BatchJob"], stop))
        await clock.advance(30)
        assert not others.done()
        server.serve(*KINDS)
        await clock.advance(2)
        assert others.done()
    assert [line["missing"] for line in logs] == [["JobQueue"]]
    assert "has stopped serving kinds" in logs[0]["event"]


async def test_a_start_while_crds_are_being_deleted_goes_on_with_what_is_left_of_them(
    server, discovery, clock
):
    """An operator that was killed meanwhile: nobody else would let the last objects go."""
    server.serve("BatchJob")
    waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
    await clock.advance(60)
    assert not waiting.done()  # a CRD that has not come yet may be the one with the account
    server.leaving = {"BatchJob"}
    with capture_logs() as logs:
        await clock.advance(2)
    assert waiting.result()
    assert [line["missing"] for line in logs] == [["JobQueue"]]
    assert "has stopped serving kinds" in logs[0]["event"]


async def test_with_no_kind_left_a_start_waits(server, discovery, clock):
    server.leaving = {"Other"}
    server.serve("Other")
    waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
    await clock.advance(60)
    assert not waiting.done()
    waiting.cancel()


async def test_while_none_is_served_it_waits_for_the_first(server, discovery, clock):
    waiting = asyncio.create_task(discovery.some(asyncio.Event()))
    await clock.advance(60)
    assert not waiting.done()
    server.serve("JobQueue")
    await clock.advance(2)
    assert waiting.result() == {"JobQueue"}


async def test_what_is_missing_is_told_to_whoever_asks_until_it_is_served(server, discovery, clock):
    assert discovery.trouble() is None
    waiting = asyncio.create_task(discovery.wait(asyncio.Event()))
    server.serve("JobQueue")
    await clock.advance(2)
    assert discovery.trouble() == (
        "The API server does not serve BatchJob: CRDs are missing. Apply them: "
        "kubectl apply --server-side -k deploy/crds"
    )
    server.down = True
    await clock.advance(2)
    assert discovery.trouble() == "no answer"
    server.down = False
    server.serve(*KINDS)
    await clock.advance(2)
    assert waiting.result()
    assert discovery.trouble() is None
