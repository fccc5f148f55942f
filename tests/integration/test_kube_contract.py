"""The adapter on the real API server keeps the port's contract."""

import asyncio
import os
import uuid

import pytest
from tests.support.kube_contract import KubeContract
from tests.support.kube_place import Place
from tests.support.server_user import ServerUser

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.kube.port import DeniedError
from awsbatch_operator.kube.transport import Transport

pytestmark = pytest.mark.control_plane


@pytest.fixture
async def place(transport: Transport) -> Place:
    user = ServerUser(transport)
    namespace, labels = f"contract-{uuid.uuid4().hex[:8]}", {"tier": "test"}
    await user.create_namespace(namespace, labels)
    return Place(KubeClient(transport, [namespace]), user, namespace, labels)


class TestOnTheRealApiServer(KubeContract):
    """The contract."""


async def test_a_denial_names_verb_resource_and_identity_and_says_how_to_mend_it(
    control_plane, place: Place
):
    account = (f"--namespace={place.namespace}", "nobody")
    await asyncio.to_thread(control_plane.kubectl, "create", "serviceaccount", *account)
    kubeconfig = control_plane.service_account_kubeconfig(place.namespace, "nobody")
    clock = SystemClock()
    kube = await KubeClient.open(Location(kubeconfig), clock=clock, environ=os.environ)
    with pytest.raises(DeniedError) as caught:
        _ = [body async for body in kube.list("Widget")]
    with pytest.raises(DeniedError):
        await kube.get(place.key())
    await kube.close()
    for part in (
        f"system:serviceaccount:{place.namespace}:nobody",
        'list resource "widgets"',
        "RBAC",
    ):
        assert part in str(caught.value)


async def test_a_list_of_2000_objects_is_whole(place: Place):
    numbers = iter(range(2000))

    async def some() -> None:
        for number in numbers:
            await place.widget(f"w{number:04d}", size=number)

    await asyncio.gather(*(some() for _ in range(16)))
    names = [body["metadata"]["name"] async for body in place.kube.list("Widget")]
    assert names == [f"w{number:04d}" for number in range(2000)]
