"""What the watch says while it sees nothing, or not all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from tests.support.deadline import until
from tests.support.fake_api_server import FakeApiServer, error, serving, widget

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.watch import kopf_setup
from awsbatch_operator.watch.stream import Target
from awsbatch_operator.watch.watch import LISTED_SECONDS, SOUND_SECONDS, Watch


class MovedClock(SystemClock):
    """Pauses take no time; `ahead` is what a test moves it on by."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@asynccontextmanager
async def watching(
    server: FakeApiServer, directory: Path, clock: MovedClock
) -> AsyncIterator[Watch]:
    async with serving(server, directory) as kubeconfig:
        location = Location(kubeconfig)
        kube = await KubeClient.open(location, clock=clock, environ={})
        target = Target(location, {}, ("Widget",), ())
        watch = Watch(target, kube=kube, clock=clock, on_event=lambda *_: None)
        stop = asyncio.Event()
        running = asyncio.create_task(watch.run(stop))
        try:
            yield watch
        finally:
            stop.set()
            await asyncio.wait({running})
            await kube.close()


async def test_one_that_has_broken_is_not_well_before_kopf_would_have_given_up_anew(tmp_path: Path):
    """Who may list and not watch is asked again for 12 s each time; that is not well for 7 s."""
    clock = MovedClock()
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[[error(500)]])
    async with watching(server, tmp_path, clock) as watch:
        await until(lambda: len(server.since) == 2 and watch.streaming)
        clock.ahead += sum(kopf_setup.ERROR_BACKOFFS)
        assert "it is 500" in (watch.trouble() or "")
        clock.ahead += SOUND_SECONDS
        assert watch.trouble() is None


async def test_what_the_api_server_answers_is_told_in_its_words(tmp_path: Path):
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    answer, words = server.answer, "The provided continue parameter is too old."
    status = {"kind": "Status", "code": 410, "message": words, "details": {}}

    async def refuse(request):
        if not request.path.endswith("/widgets"):
            return await answer(request)
        return web.json_response(status, status=410)

    server.answer = refuse  # type: ignore[method-assign]
    async with watching(server, tmp_path, MovedClock()) as watch:
        await until(watch.trouble)
        assert watch.trouble() == f"Changes of objects are not seen: APIClientError: {words}"


async def test_one_whose_lists_are_never_answered_says_so(tmp_path: Path, caplog):
    """As long as the API server is only busy, Kopf asks again without end, and nothing breaks."""
    clock = MovedClock()
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    answer, refused = server.answer, list[str]()
    busy = True

    async def refuse(request):
        if not busy or not request.path.endswith("/widgets"):
            return await answer(request)
        refused.append(request.path)
        return web.json_response({"kind": "Status", "code": 429}, status=429)

    server.answer = refuse  # type: ignore[method-assign]
    async with watching(server, tmp_path, clock) as watch:
        assert watch.trouble() is None
        await until(lambda: bool(refused))
        clock.ahead += LISTED_SECONDS / 2
        assert watch.trouble() is None
        clock.ahead += LISTED_SECONDS
        assert "has not listed" in (watch.trouble() or "")
        busy = False
        await until(lambda: watch.streaming)
        assert watch.trouble() is None
