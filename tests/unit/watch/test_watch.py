"""The watch goes on, or says that it does not, whatever the API server does."""

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs
from tests.support.deadline import until
from tests.support.fake_api_server import FakeApiServer, bookmark, error, event, widget
from tests.support.watched import watching

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.watch import kopf_setup
from awsbatch_operator.watch.stream import REFUSED_LOGINS, Stream
from awsbatch_operator.watch.watch import UNTOLD, HandlerError

WITHIN = 20.0  # seconds


class Seen(list[tuple[str | None, str, str]]):
    """(type, name, version) of every event."""

    def __call__(self, kind: str | None, body) -> None:
        resource = Resource.from_body(body)
        self.append((kind, resource.key.name, resource.resource_version))

    def of(self, name: str) -> list[tuple[str | None, str]]:
        return [(kind, version) for kind, whose, version in self if whose == name]


async def test_events_come_in_order_after_the_list(tmp_path: Path):
    changes = [
        event("ADDED", widget("b", 2)),
        event("MODIFIED", widget("b", 3)),
        event("DELETED", widget("a", 4)),
    ]
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[changes])
    seen = Seen()
    async with watching(server, tmp_path, seen):
        await until(lambda: len(seen) == 4)
    assert [each for each in seen if each[1] == "b"] == [
        ("ADDED", "b", "2"),
        ("MODIFIED", "b", "3"),
    ]
    assert ("DELETED", "a", "4") in seen


async def test_of_some_namespaces_each_is_watched_and_kinds_without_one_as_a_whole(tmp_path: Path):
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    server.kinds.append({"name": "awsaccounts", "singularName": "", "kind": "AWSAccount"})
    answer, asked = server.answer, set[str]()

    async def ask(request):
        asked.update({request.path} if "watch" in request.query else ())
        return await answer(request)

    server.answer = ask  # type: ignore[method-assign]
    places = ("team", "other")
    async with watching(server, tmp_path, Seen(), "AWSAccount", namespaces=places):
        await until(lambda: len(asked) == 3)
    assert asked == {
        "/apis/awsbatch.dev/v1alpha1/namespaces/team/widgets",
        "/apis/awsbatch.dev/v1alpha1/namespaces/other/widgets",
        "/apis/awsbatch.dev/v1alpha1/awsaccounts",
    }


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_a_request_that_is_refused_for_a_moment_is_repeated_and_not_told(
    tmp_path: Path, caplog, monkeypatch, status: int
):
    """429 is what an API server answers that has begun to serve a kind just now."""
    monkeypatch.setattr(kopf_setup, "ERROR_BACKOFFS", (0.0,))
    server = FakeApiServer(lists=[[]], watches=[[event("ADDED", widget("a", 1))]])
    answer, refused = server.answer, list[str]()

    async def refuse(request):
        if refused or "watch" not in request.query:
            return await answer(request)
        refused.append(request.path)
        return web.json_response({"kind": "Status", "code": status}, status=status)

    server.answer = refuse  # type: ignore[method-assign]
    seen = Seen()
    async with watching(server, tmp_path, seen):
        await until(lambda: bool(seen))
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_watch_that_is_not_known_any_more_logs_in_again_and_goes_on(tmp_path: Path, caplog):
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[[event("ADDED", widget("b", 2))]])
    answer, refused = server.answer, list[str]()

    async def refuse(request):
        if refused or "watch" not in request.query:
            return await answer(request)
        refused.append(request.path)
        return web.json_response({"kind": "Status", "code": 401}, status=401)

    server.answer = refuse  # type: ignore[method-assign]
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen):
            await until(lambda: len(seen) == 2)
    assert seen == [(None, "a", "1"), ("ADDED", "b", "2")]
    assert [line for line in logs if line["log_level"] != "info"] == []


async def test_an_identity_that_stays_refused_is_told_and_not_sent_without_a_pause(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(kopf_setup, "LOGIN_RETRY_SECONDS", 0.0)
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    answer, refused, logins = server.answer, list[str](), list[Stream]()
    log_in = Stream._log_in

    async def refuse(request):
        if "watch" not in request.query:
            return await answer(request)
        refused.append(request.path)
        return web.json_response({"kind": "Status", "code": 401}, status=401)

    async def count(stream):
        logins.append(stream)
        return await log_in(stream)

    server.answer = refuse  # type: ignore[method-assign]
    monkeypatch.setattr(Stream, "_log_in", count)
    with capture_logs() as logs:
        async with watching(server, tmp_path, Seen()):
            await until(lambda: any("broken" in line["event"] for line in logs), seconds=WITHIN)
            told_after = len(refused)
    broken = next(line for line in logs if line["log_level"] == "error")
    assert broken["error"].startswith(
        "Cannot log in: WatchError: The API server refuses who we are"
    )
    assert told_after == REFUSED_LOGINS
    assert logins.count(logins[0]) == REFUSED_LOGINS + 1 + kopf_setup.LOGIN_RETRIES


async def test_a_login_that_fails_is_told_and_tried_again(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(kopf_setup, "LOGIN_RETRY_SECONDS", 0.0)
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    failing = iter(range(1 + kopf_setup.LOGIN_RETRIES))
    log_in = Stream._log_in

    async def refuse(stream):
        for number in failing:
            raise OSError(f"no token, {number + 1}")
        return await log_in(stream)

    monkeypatch.setattr(Stream, "_log_in", refuse)
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen):
            await until(lambda: bool(seen))
    (broken,) = [line for line in logs if line["log_level"] != "info"]
    assert "broken and begins again" in broken["event"]
    assert broken["error"] == "Cannot log in: OSError: no token, 3"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_when_the_version_has_expired_everything_comes_again(tmp_path: Path):
    lists = [[widget("a", 1)], [widget("a", 5), widget("b", 6)]]
    server = FakeApiServer(lists=lists, watches=[[error(410)]])
    seen = Seen()
    async with watching(server, tmp_path, seen):
        await until(lambda: len(seen) == 3)
    assert seen.of("a") == [(None, "1"), (None, "5")]
    assert seen.of("b") == [(None, "6")]


async def test_a_watch_that_ends_goes_on_where_it_was(tmp_path: Path):
    server = FakeApiServer(
        lists=[[]], watches=[[event("ADDED", widget("a", 7)), bookmark(9)], [bookmark(12)], []]
    )
    async with watching(server, tmp_path, Seen()):
        await until(lambda: len(server.since) == 4)
    assert server.since == ["1", "9", "12", "12"]
    assert server.listed == 1


async def test_an_error_in_the_stream_is_told_and_everything_comes_again(tmp_path: Path):
    server = FakeApiServer(lists=[[widget("a", 1)], [widget("a", 2)]], watches=[[error(500)]])
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen):
            await until(lambda: len(seen) == 2)
    assert seen == [(None, "a", "1"), (None, "a", "2")]
    (broken,) = [line for line in logs if "broken" in line["event"]]
    assert broken["log_level"] == "error"
    assert "it is 500" in broken["error"]


async def test_a_watch_of_several_kinds_that_breaks_ends_in_order_and_says_why(tmp_path, caplog):
    """Kopf leaves the other watches to themselves, which ends in asyncio's complaints."""
    server = FakeApiServer(lists=[[widget("a", 1)], [widget("a", 2)]], watches=[[error(500)]])
    server.kinds.append({"name": "gadgets", "singularName": "gadget", "kind": "Gadget"})
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen, "Gadget"):
            await until(lambda: len(seen) == 2)
    (broken,) = [line for line in logs if line["log_level"] != "info"]
    assert "it is 500" in broken["error"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_kinds_that_vanish_before_the_watch_begins_are_told_and_waited_for(tmp_path: Path):
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    kinds, answers = server.kinds, [0]

    def documents():
        # At first all kinds are there, then for a while none, while the watch is asked for.
        answers[0] += 1
        server.kinds = [] if answers[0] in range(2, 8) else kinds
        return original()

    original, server._documents = server._documents, documents  # type: ignore[method-assign]
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen):
            await until(lambda: bool(seen))
    (told,) = [line for line in logs if line["log_level"] != "info"]
    assert "has stopped serving kinds" in told["event"]
    assert told["missing"] == ["Widget"]


async def test_a_kind_that_is_listed_and_not_served_does_not_go_untold(tmp_path: Path):
    """As long as nobody else says that a CRD has gone, discovery may just be behind."""
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    answer, refused = server.answer, list[str]()

    async def refuse(request):
        if not request.path.endswith("/widgets") or len(refused) > UNTOLD:
            return await answer(request)
        refused.append(request.path)
        return web.Response(status=404, text="404 page not found")

    server.answer = refuse  # type: ignore[method-assign]
    seen = Seen()
    with capture_logs() as logs:
        async with watching(server, tmp_path, seen):
            await until(lambda: bool(seen))
    (told,) = [line for line in logs if line["log_level"] != "info"]
    assert len(refused) == UNTOLD + 1
    assert "stopped serving a kind" in told["error"]


async def test_an_event_that_is_lost_ends_the_watch(tmp_path: Path):
    def fail(kind, body) -> None:
        raise KeyError("uid")

    server = FakeApiServer(lists=[[widget("a", 1), widget("b", 1)]], watches=[])
    async with watching(server, tmp_path, fail) as watched:
        await asyncio.wait({watched.running}, timeout=WITHIN)
        with pytest.raises(HandlerError, match="Widget"):
            watched.running.result()


async def test_no_other_task_of_the_loop_is_cancelled_when_the_watch_ends(tmp_path: Path):
    server = FakeApiServer(lists=[[widget("a", 1)]], watches=[])
    seen = Seen()
    async with watching(server, tmp_path, seen):
        await until(lambda: bool(seen))
        bystander = asyncio.create_task(asyncio.Event().wait())
    assert not bystander.done()
    bystander.cancel()
