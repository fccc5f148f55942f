import errno
import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from awsbatch_operator.telemetry.http import Endpoints
from awsbatch_operator.telemetry.metrics import Metrics


class Operator:
    """What the endpoints tell about."""

    def __init__(self):
        self.metrics = Metrics(CollectorRegistry())
        self.not_ready = None
        self.not_alive = None
        self.port = 0
        self.endpoints = Endpoints(
            registry=self.metrics.registry,
            not_ready=lambda: self.not_ready,
            not_alive=lambda: self.not_alive,
        )

    async def get(self, path, host="127.0.0.1"):
        url = f"http://{host}:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def operator():
    made = Operator()
    made.port = await made.endpoints.start("127.0.0.1", 0)
    yield made
    await made.endpoints.stop()


async def test_a_process_that_is_well_is_alive_and_ready(operator):
    assert await operator.get("/livez") == (200, "ok\n")
    assert await operator.get("/readyz") == (200, "ok\n")


async def test_a_process_that_is_not_ready_says_why_and_is_alive_all_the_same(operator):
    operator.not_ready = "cannot read the lease ops/leader: no answer yet"
    assert await operator.get("/readyz") == (503, f"{operator.not_ready}\n")
    assert (await operator.get("/livez"))[0] == 200


async def test_a_process_that_only_a_restart_can_mend_is_not_alive(operator):
    operator.not_alive = "the event loop has not run for 60 s"
    assert await operator.get("/livez") == (503, f"{operator.not_alive}\n")


async def test_metrics_come_in_the_format_of_prometheus(operator):
    operator.metrics.event("created")
    status, text = await operator.get("/metrics")
    assert status == 200
    assert 'awsbatch_operator_events_total{outcome="created"} 1.0' in text


async def test_nothing_else_is_served(operator):
    assert (await operator.get("/"))[0] == 404


async def test_a_port_that_is_taken_is_an_error(operator):
    with pytest.raises(OSError, match=str(operator.port)):
        await Operator().endpoints.start("127.0.0.1", operator.port)


async def test_after_the_stop_nobody_listens(operator):
    await operator.endpoints.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await operator.get("/livez")


async def test_all_addresses_are_those_of_both_families():
    made = Operator()
    made.port = await made.endpoints.start("::", 0)
    assert await made.get("/livez") == (200, "ok\n")
    assert await made.get("/livez", "[::1]") == (200, "ok\n")
    with pytest.raises(OSError, match=str(made.port)):
        await Operator().endpoints.start("::", made.port)
    await made.endpoints.stop()


async def test_where_there_is_no_ipv6_all_addresses_are_those_of_ipv4(monkeypatch):
    create = socket.create_server

    def without(address, **options):
        if options:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create(address)

    for name, value in (("create_server", without), ("has_dualstack_ipv6", lambda: False)):
        monkeypatch.setattr(socket, name, value)
        made = Operator()
        made.port = await made.endpoints.start("::", 0)
        assert await made.get("/livez") == (200, "ok\n")
        await made.endpoints.stop()
