"""Which requests are repeated, and what is sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.clock import SteppedClock
from tests.support.scripted_server import FixedConnection, Say, Script, serving

from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.kube.port import DeniedError, UnavailableError
from awsbatch_operator.kube.transport import JSON_PATCH, Request, Transport
from awsbatch_sandbox.certificates import Authority

READ = Request(method="GET", path="/x", doing="get x", repeatable=True)
WRITE = Request(method="POST", path="/x", doing="create x", body={"a": 1})


class CountingClock(SteppedClock):
    """Sleeps end at once and are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> CountingClock:
    return CountingClock()


@asynccontextmanager
async def speaking(script: Script, clock: CountingClock, *tokens: str) -> AsyncIterator[Transport]:
    async with serving(script) as server:
        transport = Transport(FixedConnection(server, clock, *tokens), clock)
        try:
            yield transport
        finally:
            await transport.close()


async def test_a_read_is_repeated_until_it_is_answered(clock):
    # aiohttp repeats a GET once by itself when its connection was closed, hence two drops.
    script = Script(Say(503), Say(drop=True), Say(drop=True), Say(body={"kind": "X"}))
    async with speaking(script, clock) as transport:
        assert await transport.ask(READ) == {"kind": "X"}
    assert clock.slept == [0.2, 1.0]


@pytest.mark.parametrize("say", [Say(503), Say(drop=True)])
async def test_a_read_that_is_never_answered_ends_after_four_attempts(clock, say: Say):
    script = Script(say)
    async with speaking(script, clock) as transport:
        with pytest.raises(UnavailableError, match="get x"):
            await transport.ask(READ)
    assert clock.slept == [0.2, 1.0, 3.0]


@pytest.mark.parametrize("say", [Say(500), Say(503), Say(504), Say(drop=True)])
async def test_a_write_whose_outcome_is_unknown_is_never_repeated(clock, say: Say):
    script = Script(say)
    async with speaking(script, clock) as transport:
        with pytest.raises(UnavailableError):
            await transport.ask(WRITE)
    assert len(script.asked) == 1
    assert clock.slept == []


async def test_after_429_even_a_write_is_repeated_when_the_server_says(clock):
    script = Script(Say(429, headers={"Retry-After": "2"}), Say(429), Say(body={"kind": "X"}))
    async with speaking(script, clock) as transport:
        assert await transport.ask(WRITE) == {"kind": "X"}
    assert clock.slept == [2.0, 1.0]


async def test_a_long_wait_is_left_to_the_caller_with_its_length(clock):
    script = Script(Say(429, headers={"Retry-After": "60"}))
    async with speaking(script, clock) as transport:
        with pytest.raises(UnavailableError) as caught:
            await transport.ask(WRITE)
    assert caught.value.retry_after == 60
    assert len(script.asked) == 1


async def test_refusals_without_end_are_left_to_the_caller(clock):
    script = Script(Say(429, headers={"Retry-After": "0"}))
    async with speaking(script, clock) as transport:
        with pytest.raises(UnavailableError):
            await transport.ask(READ)
    assert len(script.asked) == 4


async def test_a_refused_token_is_renewed_and_the_request_sent_once_more(clock):
    script = Script(Say(401), Say(body={"kind": "X"}))
    async with speaking(script, clock, "old", "new") as transport:
        assert await transport.ask(WRITE) == {"kind": "X"}
    assert [a.headers["Authorization"] for a in script.asked] == ["Bearer old", "Bearer new"]


@asynccontextmanager
async def knowing(place: Path, authority: Authority, user: str) -> AsyncIterator[str]:
    """An API server that knows only this user, by his certificate."""
    own = authority.server(place, "server", hosts=["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=place / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(own.certificate, own.key)

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        subject = request.transport.get_extra_info("peercert")["subject"]
        known = (("commonName", user),) in subject
        return web.json_response({"kind": "X"}, status=200 if known else 401)

    application = web.Application()
    application.router.add_get("/x", answer)
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


def certified(place: Path, server: str, authority: Authority, user: str) -> Path:
    own = authority.client(place, user, user=user)
    cluster = {"server": server, "certificate-authority": "ca.crt"}
    given = {"client-certificate": str(own.certificate), "client-key": str(own.key)}
    content = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": cluster}],
        "users": [{"name": "x", "user": given}],
    }
    (place / "config").write_text(yaml.safe_dump(content))
    return place / "config"


async def test_a_refused_certificate_is_renewed_and_the_request_sent_once_more(clock, tmp_path):
    authority = Authority(name="ours", now=datetime.now(UTC))
    authority.write(tmp_path / "ca.crt")
    async with knowing(tmp_path, authority, "new") as server:
        path = certified(tmp_path, server, authority, "old")
        connection = await connect(Location(path), clock=clock, environ={})
        transport = Transport(connection, clock)
        certified(tmp_path, server, authority, "new")
        try:
            assert await transport.ask(READ) == {"kind": "X"}
        finally:
            await transport.close()


async def test_a_token_that_stays_refused_is_a_denial(clock):
    script = Script(Say(401))
    async with speaking(script, clock, "old") as transport:
        with pytest.raises(DeniedError, match="ServiceAccount token"):
            await transport.ask(READ)
    assert len(script.asked) == 2


async def test_a_server_that_does_not_answer_in_time_is_unavailable(clock):
    class Silent(Script):
        async def answer(self, request):
            await asyncio.Event().wait()

    request = Request(method="GET", path="/x", doing="get x", seconds=0.05)
    async with speaking(Silent(), clock) as transport:
        with pytest.raises(UnavailableError, match="no answer from the API server at http://"):
            await transport.ask(request)


async def test_a_server_that_is_not_there_is_unavailable(clock):
    async with serving(Script(Say())) as server:
        pass
    transport = Transport(FixedConnection(server, clock), clock)
    with pytest.raises(UnavailableError, match=server):
        await transport.ask(WRITE)
    await transport.close()


async def test_the_password_of_a_proxy_is_not_told(clock):
    """aiohttp's error for a refused CONNECT repeats the address of the proxy."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        connection = FixedConnection("https://api.example.org", clock)
        address = f"http://me:S3cr3t@127.0.0.1:{port}"
        connection.configuration = replace(connection.configuration, proxy=address)
        transport = Transport(connection, clock)
        with pytest.raises(UnavailableError, match=f"407.*127.0.0.1:{port}") as caught:
            await transport.ask(WRITE)
        await transport.close()
    assert "S3cr3t" not in str(caught.value)


async def test_query_body_and_content_type_are_sent_as_given(clock):
    script = Script(Say())
    operations = [{"op": "test", "path": "/a", "value": None}]
    request = Request(
        method="PATCH",
        path="/x/y",
        doing="patch x",
        query={"fieldManager": "a b", "limit": 5},
        body=operations,
        content_type=JSON_PATCH,
    )
    async with speaking(script, clock) as transport:
        await transport.ask(request)
    (asked,) = script.asked
    assert (asked.method, asked.path, asked.body) == ("PATCH", "/x/y", operations)
    assert asked.query == {"fieldManager": "a b", "limit": "5"}
    assert asked.headers["Content-Type"] == JSON_PATCH
    assert asked.headers["User-Agent"] == "aws-batch-operator"
    assert "Authorization" not in asked.headers
