"""What the watch says while it sees nothing, or not all."""

from pathlib import Path

from aiohttp import web
from tests.support.deadline import until
from tests.support.fake_api_server import FakeApiServer, error, widget
from tests.support.watched import ImpatientClock, watching

from awsbatch_operator.watch import kopf_setup
from awsbatch_operator.watch.watch import LISTED_SECONDS, SOUND_SECONDS


async def test_one_that_has_broken_is_not_well_before_kopf_would_have_given_up_anew(tmp_path: Path):
    """Who may list and not watch is asked again for 12 s each time; that is not well for 7 s."""
    clock = ImpatientClock()
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[[error(500)]])
    async with watching(server, tmp_path, clock=clock) as watched:
        watch = watched.watch
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
    async with watching(server, tmp_path) as watched:
        watch = watched.watch
        await until(watch.trouble)
        assert watch.trouble() == f"Changes of objects are not seen: APIClientError: {words}"


async def test_one_whose_lists_are_never_answered_says_so(tmp_path: Path, monkeypatch):
    """As long as the API server is only busy, Kopf asks again without end, and nothing breaks."""
    monkeypatch.setattr(kopf_setup, "ERROR_BACKOFFS", (0.01,) * 1000)
    clock = ImpatientClock()
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    answer, refused = server.answer, list[str]()
    busy = True

    async def refuse(request):
        if not busy or not request.path.endswith("/widgets"):
            return await answer(request)
        refused.append(request.path)
        return web.json_response({"kind": "Status", "code": 429}, status=429)

    server.answer = refuse  # type: ignore[method-assign]
    async with watching(server, tmp_path, clock=clock) as watched:
        watch = watched.watch
        assert watch.trouble() is None
        await until(lambda: bool(refused))
        clock.ahead += LISTED_SECONDS / 2
        assert watch.trouble() is None
        clock.ahead += LISTED_SECONDS
        assert "has not listed" in (watch.trouble() or "")
        busy = False
        await until(lambda: watch.streaming)
        assert watch.trouble() is None
