"""AWS without sockets: boto3 clients whose requests end in this process.

botocore's `before-send` event hands over each request when it is signed and ready; what a handler
returns is taken for the response. Signing, retries, paginators and typed exceptions run as usual,
and all that the HTTP server does (authentication, limits, faults, counts) happens here too.

With a stepped clock and seeded randomness, one thread sees the same world every time. Nothing
waits: a fault's delay steps a stepped clock, and one that is longer than the client's read timeout
raises ReadTimeoutError at once and does the work when the clock gets there.
"""

import io
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.dispatch import Admitted
from awsbatch_simulator.identity import AccessKey
from awsbatch_simulator.wire import ConnectionDropped, WireAnswer, WireRequest

OnCall = Callable[[str, str], None]


class _Raw(io.BytesIO):
    """A body as botocore reads it from urllib3."""

    def stream(self, **_options: Any) -> Iterator[bytes]:
        while chunk := self.read(65_536):
            yield chunk


class InProcess:
    """A `before-send` handler over one simulator; thread-safe, for any number of clients.

    `on_call` (service, operation) is called, without the lock, before each request is handled: a
    test can step the clock there, or raise.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        on_call: OnCall | None = None,
        read_timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._world = simulator.world
        self._dispatcher = simulator.dispatcher
        self._on_call = on_call
        self._read_timeout = read_timeout
        self._sleep = sleep

    def connect(self, target: Any) -> None:
        """Take over all requests of a boto3 session (before it makes clients) or of one client."""
        events = target.events if hasattr(target, "events") else target.meta.events
        events.register("before-send", self, unique_id=f"simulator-{id(self)}")

    def __call__(self, request: Any, event_name: str, **_context: Any) -> AWSResponse:
        """Answer one request. Raises what botocore raises when a connection fails."""
        if self._on_call is not None:
            _, service, operation = event_name.split(".", maxsplit=2)
            self._on_call(service, operation)
        try:
            with self._world.lock:
                self._world.clock.run_due()
                admitted = self._dispatcher.admit(_wire(request))
            if isinstance(admitted, WireAnswer):
                return _response(request, admitted)
            self._wait(request, admitted)
            return _response(request, self._dispatcher.perform(admitted))
        except ConnectionDropped:
            raise ConnectionClosedError(endpoint_url=request.url) from None

    def _wait(self, request: Any, admitted: Admitted) -> None:
        delay = admitted.delay_seconds
        if delay > self._read_timeout:
            self._world.post_after(delay, self._late, admitted)
            raise ReadTimeoutError(endpoint_url=request.url)
        if delay and self._world.clock.stepped:
            self._world.advance(delay)
        elif delay:
            self._sleep(delay)

    def _late(self, admitted: Admitted) -> None:
        """Do the work although the client has gone."""
        try:
            self._dispatcher.perform(admitted)
        except ConnectionDropped:
            return


def session(
    simulator: Simulator,
    transport: InProcess | None = None,
    *,
    loader: Any = None,
    key: AccessKey | None = None,
) -> boto3.Session:
    """A boto3 session with the simulator's own credentials, or other ones, connected to it.

    Sessions that share a botocore `loader` read each service's model once (EC2's takes half a
    second).
    """
    core = botocore.session.get_session()
    if loader is not None:
        core.register_component("data_loader", loader)
    key = key or simulator.key
    made = boto3.Session(
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        region_name=simulator.place.region,
        botocore_session=core,
    )
    (transport or InProcess(simulator)).connect(made)
    return made


def _wire(request: Any) -> WireRequest:
    """In process header values are bytes, over HTTP they are text."""
    parts = urlsplit(request.url)
    body = request.body or b""
    return WireRequest(
        method=request.method,
        path=parts.path or "/",
        query=parts.query,
        headers={
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        },
        body=body.encode() if isinstance(body, str) else body,
    )


def _response(request: Any, answer: WireAnswer) -> AWSResponse:
    return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))
