"""The adapter on the real API server keeps the port's contract."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
from tests.support.kube_contract import KubeContract
from tests.support.kube_place import WIDGET_CRD, Place
from tests.support.server_user import ServerUser, install

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.kube.transport import Transport

pytestmark = pytest.mark.control_plane


@pytest.fixture(scope="module")
def widgets(control_plane):
    install(control_plane, WIDGET_CRD)
    return control_plane


@pytest.fixture
async def transport(widgets) -> AsyncIterator[Transport]:
    clock = SystemClock()
    connection = await connect(Location(widgets.kubeconfig), clock=clock, environ=os.environ)
    transport = Transport(connection, clock)
    yield transport
    await transport.close()


@pytest.fixture
async def place(transport: Transport) -> Place:
    user = ServerUser(transport)
    namespace, labels = f"contract-{uuid.uuid4().hex[:8]}", {"tier": "test"}
    await user.create_namespace(namespace, labels)
    return Place(KubeClient(transport, [namespace]), user, namespace, labels)


class TestOnTheRealApiServer(KubeContract):
    """The contract."""
