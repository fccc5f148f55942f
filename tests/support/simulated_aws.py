"""Simulators for tests: one on a stepped clock, and one served over HTTP from a thread."""

import asyncio
import contextlib
import functools
import http.client
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from tests.support.clock import START, SteppedClock

from awsbatch_simulator import assembly
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Caller
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.limits import RequestLimits
from awsbatch_simulator.ports import PublicImage
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.server import serving
from awsbatch_simulator.settings import Settings

ONCE = Config(retries={"total_max_attempts": 1}, parameter_validation=False)

Handled = Callable[[Caller, dict[str, Any]], Any]


@functools.cache
def _codec() -> Codec:
    """Shared by all tests of a process: it only keeps AWS's models."""
    return Codec()


def any_image(_lookup: object, _region: str, image: str) -> PublicImage:
    """A Lookup's `public_image` for which every id names an ECS-optimized image.

    The images that there are take a fifth of a second to read.
    """
    return PublicImage(image, "al2023-ami-ecs-hvm-2023.0.20260922-x86_64", "591542846629")


def make_simulator(*, stepped: bool = True, limits: bool = True) -> Simulator:
    """A fresh simulator that is the same every time; user data is read and not run."""
    return assembly.build(
        codec=_codec(),
        clock=SimulatedClock(stepped=stepped, start=START if stepped else 0.0),
        settings=Settings(
            limits=RequestLimits(enabled=limits), hosts=Hosts(user_data=UserDataMode.INTERPRET)
        ),
        ids=random.Random(1),
        secrets=random.Random(2),
    )


def catch_up(simulator: Simulator, clock: SteppedClock) -> None:
    """Let AWS live until the moment that the operator lives in."""
    behind = clock.now().epoch - simulator.world.clock.now()
    if behind > 0:
        simulator.world.advance(behind)


class FreeFence:
    """The operator's leadership, for ever."""

    def check(self, seconds: float) -> None:
        """Long enough for any call."""


class Invented:
    """A service whose operations are given by the test, in place of one of ours."""

    def __init__(self, **handlers: Handled) -> None:
        self.handlers: Mapping[str, Handled] = handlers


@contextlib.contextmanager
def served(simulator: Simulator) -> Iterator[str]:
    """Serve a simulator over HTTP from another thread; gives its URL."""
    ready: list[str] = []
    listening = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    failures: list[BaseException] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        async with serving(simulator) as url:
            ready.append(url)
            listening.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as failure:  # noqa: BLE001 - raised again where the test can see it
            failures.append(failure)
        finally:
            listening.set()

    thread = threading.Thread(target=run)
    thread.start()
    listening.wait(20)
    try:
        assert ready, failures
        yield ready[0]
    finally:
        loop, stop = loops[0]
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not failures
        assert not thread.is_alive()


def http_session(simulator: Simulator, loader: Any = None) -> boto3.Session:
    """A boto3 session with the simulator's credentials; its clients need the endpoint."""
    core = botocore.session.get_session()
    if loader is not None:
        core.register_component("data_loader", loader)
    return boto3.Session(
        aws_access_key_id=simulator.key.access_key_id,
        aws_secret_access_key=simulator.key.secret_access_key,
        region_name=simulator.place.region,
        botocore_session=core,
    )


def request(
    url: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One plain HTTP request; JSON in."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=20)
    try:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, dict(headers or {}))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return response.status, found, response.read()
    finally:
        connection.close()


def admin(url: str, simulator: Simulator, method: str, path: str, body: Any = None) -> Any:
    """One admin request that must work; the parsed answer."""
    headers = {"Authorization": f"Bearer {simulator.admin_token}"}
    status, _, content = request(url, method, f"/_simulator/{path}", body, headers)
    assert status == 200, content
    return json.loads(content)
