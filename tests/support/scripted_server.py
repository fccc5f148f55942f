"""An HTTP server on this machine that answers from a script, and remembers what it was asked."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.clock import SteppedClock

from awsbatch_operator.kube.configuration import Configuration
from awsbatch_operator.kube.connection import Connection, Location


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Say:
    """An answer. `drop` closes the connection instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


class Script:
    """Answers in order; the last one for ever. A callable decides by what was asked."""

    def __init__(self, *answers: Say | Callable[[Asked], Say]) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            dict(request.headers),
            json.loads(text) if text else None,
        )
        self.asked.append(asked)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        say = answer if isinstance(answer, Say) else answer(asked)
        if say.drop:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(say.body, status=say.status, headers=dict(say.headers))


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Serve on a free port; gives the address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", script.answer)
    server = TestServer(application)
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


class FixedConnection(Connection):
    """A connection without any configuration file; each renewal brings the next token."""

    def __init__(self, server: str, clock: SteppedClock, *tokens: str) -> None:
        super().__init__(Location(), clock, {})
        self.configuration = Configuration(host=server)
        self._tokens = list(tokens)

    async def authorization(self) -> str | None:
        return f"Bearer {self._tokens[0]}" if self._tokens else None

    async def renew(self, refused: Configuration) -> None:
        if refused is self.configuration and len(self._tokens) > 1:
            self._tokens.pop(0)
            self.configuration = replace(self.configuration)
