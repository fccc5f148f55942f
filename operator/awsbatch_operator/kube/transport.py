"""One request to the API server: its time limits, and which ones may be repeated.

Reads are repeated a few times. A write is repeated only when it certainly did not happen: after 429
(the server says when) and after 401 (with a new token). For every other failure of a write its
outcome is unknown; whoever asked looks again and decides.

One repetition is not ours: when the server closes a connection, aiohttp sends a PUT or DELETE once
more. Both are safe (a PUT carries the resourceVersion, a DELETE the uid), but a PUT that did happen
can so be answered by a conflict with itself: look again tells here, too.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp

from awsbatch_operator.api.encoding import encoded
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.kube.connection import Connection
from awsbatch_operator.kube.errors import Answer, error_of, no_answer
from awsbatch_operator.kube.listing import ListReader
from awsbatch_operator.kube.port import UnavailableError

CONNECT_SECONDS = 3.0
REQUEST_SECONDS = 10.0  # one object
PAGE_SECONDS = 60.0  # one page of a list
# In a whole list, before its first piece too. The API server itself ends such an answer after a
# minute; what then follows, pages, costs it several times as much, so it is given that time.
SILENCE_SECONDS = 60.0
LEASE_SECONDS = 5.0  # a lease is lost when it cannot be renewed: better to ask again soon
_PAUSES = (0.2, 1.0, 3.0)  # seconds before each repetition of a read
_LONGEST_PAUSE = 10.0  # seconds; what the server wants to wait longer, the caller's backoff waits
_REFUSALS = 4  # answers of 429 in a row, then the caller's backoff takes over

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of the API server; `doing` says it in words, for errors."""

    method: str
    path: str
    doing: str
    query: Mapping[str, str | int] | None = None
    body: Any = None
    content_type: str = "application/json"
    accept: str = "application/json"
    seconds: float | None = REQUEST_SECONDS
    silence_seconds: float | None = None  # between two pieces of the answer
    repeatable: bool = False
    urgent: bool = False  # goes over a connection that nothing else can occupy


class Transport:
    """Sends requests for one event loop, over a bounded number of connections."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._usual = connection.bare_session()
        self._urgent = connection.bare_session()

    async def close(self) -> None:
        """Close all connections."""
        await self._usual.close()
        await self._urgent.close()

    async def ask(self, request: Request) -> dict[str, Any]:
        """The body of the answer; a KubeError if it is a refusal, or if there is none."""
        answer = await self.answer(request)
        if not answer.ok:
            raise error_of(answer, doing=request.doing)
        return answer.json()

    async def answer(self, request: Request) -> Answer:
        """The final answer, refusals included; UnavailableError if there is none."""
        pauses = iter(_PAUSES if request.repeatable else ())
        refusals = 0
        while True:
            try:
                answer = await self._whole(request)
            except UnavailableError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            else:
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    refusals += 1
                    pause = _after_refusal(answer, refusals)
                elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    pause = next(pauses, None)
                else:
                    return answer
                if pause is None:
                    return answer
            await self._clock.sleep(pause)

    async def items(self, request: Request) -> AsyncIterator[dict[str, Any]]:
        """The items of a list as they come in. A KubeError, also in the middle of them."""
        got = await self._identified(request)
        reader = ListReader()
        try:
            if got.status != HTTPStatus.OK:
                raise error_of(await _answer(got), doing=request.doing)
            async for piece in got.content.iter_any():
                for item in reader.feed(piece):
                    yield item
        except (aiohttp.ClientError, OSError) as error:
            raise self._no_answer(error, request) from error
        finally:
            got.close()  # of no effect when it was read to its end
        if not reader.complete:
            raise UnavailableError(f"Cannot {request.doing}: the answer is no whole list.")

    async def _whole(self, request: Request) -> Answer:
        got = await self._identified(request)
        try:
            return await _answer(got)
        except (aiohttp.ClientError, OSError) as error:
            raise self._no_answer(error, request) from error

    async def _identified(self, request: Request) -> aiohttp.ClientResponse:
        """Send it, and once more with a new identity if the API server does not know us."""
        token = await self._connection.authorization()
        sent = self._connection.configuration
        got = await self._send(request, token)
        if got.status != HTTPStatus.UNAUTHORIZED:
            return got
        got.close()
        await self._connection.renew(sent)
        token = await self._connection.authorization()
        return await self._send(request, token)

    async def _send(self, request: Request, token: str | None) -> aiohttp.ClientResponse:
        headers = {"Accept": request.accept, "Content-Type": request.content_type}
        if token is not None:
            headers["Authorization"] = token
        path = f"{request.path}?{urlencode(request.query)}" if request.query else request.path
        configuration = self._connection.configuration
        try:
            return await (self._urgent if request.urgent else self._usual).request(
                request.method,
                f"{self._connection.server}{path}",
                data=None if request.body is None else encoded(request.body),
                headers=headers,
                proxy=configuration.proxy,
                ssl=self._connection.tls,
                server_hostname=configuration.tls_server_name,
                timeout=aiohttp.ClientTimeout(
                    total=request.seconds,
                    sock_connect=CONNECT_SECONDS,
                    sock_read=request.silence_seconds,
                ),
            )
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise self._no_answer(error, request) from error

    def _no_answer(self, error: BaseException, request: Request) -> UnavailableError:
        return no_answer(error, doing=request.doing, server=self._connection.server)


async def _answer(got: aiohttp.ClientResponse) -> Answer:
    content = await got.read()
    return Answer(got.status, content, _seconds(got.headers.get("Retry-After")))


def _after_refusal(answer: Answer, refusals: int) -> float | None:
    """Seconds that the server asks us to wait; None: too long, or too often already."""
    pause = 1.0 if answer.retry_after is None else answer.retry_after
    return None if refusals >= _REFUSALS or pause > _LONGEST_PAUSE else pause


def _seconds(header: str | None) -> float | None:
    """Retry-After as the API server sends it: whole seconds. A date (from a proxy) is ignored."""
    return float(header) if header is not None and header.isdecimal() else None
