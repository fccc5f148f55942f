"""What the adapter asks of an API server, beyond the contract that both adapters keep."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.support.clock import SteppedClock
from tests.support.scripted_server import FixedConnection, Say, Script, serving

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import CONNECTIONS
from awsbatch_operator.kube.port import PAGE, ConflictError, DeniedError, UnavailableError
from awsbatch_operator.kube.transport import Transport

KEY = ObjectKey("SchedulingPolicy", "team", "fair")
BASE = "/apis/awsbatch.dev/v1alpha1"


@asynccontextmanager
async def client(script: Script, namespaces: Sequence[str] = ()) -> AsyncIterator[KubeClient]:
    clock = SteppedClock()
    async with serving(script) as server:
        kube = KubeClient(Transport(FixedConnection(server, clock), clock), namespaces)
        try:
            yield kube
        finally:
            await kube.close()


class BreakingOff(Script):
    """Ends the first answer in the middle of the second item."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.query:
            return await super().answer(request)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"items": [{"metadata": {"name": "broken"}}, {"meta')
        assert request.transport is not None
        request.transport.close()
        return response


def page(*names: str, token: str = "") -> Say:
    items = [{"metadata": {"name": name}} for name in names]
    return Say(body={"items": items, "metadata": {"continue": token}})


async def listed(kube: KubeClient, kind: str = "BatchJob") -> list[str]:
    return [body["metadata"]["name"] async for body in kube.list(kind)]


async def test_a_list_is_asked_for_at_once():
    script = Script(page("a", "b"))
    async with client(script) as kube:
        assert await listed(kube) == ["a", "b"]
    (asked,) = script.asked
    assert (asked.path, dict(asked.query)) == (f"{BASE}/batchjobs", {})


@pytest.mark.parametrize("first", [Say(504), Say(body={"kind": "Status"}), Say(body={"items": 1})])
async def test_a_list_that_cannot_be_had_at_once_is_read_page_by_page(first: Say):
    script = Script(first, page("a", "b", token="t1"), page("c"))
    async with client(script) as kube:
        assert await listed(kube) == ["a", "b", "c"]
    _, second, third = script.asked
    assert dict(second.query) == {"limit": str(PAGE)}
    assert dict(third.query) == {"limit": str(PAGE), "continue": "t1"}


async def test_pages_that_have_become_too_old_go_on_where_the_server_says():
    expired = Say(410, {"kind": "Status", "code": 410, "metadata": {"continue": "t2"}})
    script = Script(Say(504), page("a", token="t1"), expired, page("b"))
    async with client(script) as kube:
        assert await listed(kube) == ["a", "b"]
    assert script.asked[3].query["continue"] == "t2"


async def test_a_list_that_cannot_go_on_is_an_error_and_no_short_list():
    refusal = Say(410, {"kind": "Status", "message": "too old"})
    script = Script(Say(504), page("a", token="t1"), refusal)
    async with client(script) as kube:
        with pytest.raises(Exception, match="too old"):
            await listed(kube)


async def test_an_answer_that_breaks_off_is_followed_by_pages():
    script = BreakingOff(page("a", "b"))
    async with client(script) as kube:
        assert await listed(kube) == ["broken", "a", "b"]


async def test_with_given_namespaces_each_is_listed_and_no_other():
    script = Script(page("a"), page("b"))
    async with client(script, ["red", "blue"]) as kube:
        assert await listed(kube) == ["a", "b"]
    assert [asked.path for asked in script.asked] == [
        f"{BASE}/namespaces/red/batchjobs",
        f"{BASE}/namespaces/blue/batchjobs",
    ]


async def test_a_cluster_scoped_kind_has_one_list_whatever_the_namespaces():
    script = Script(page("default"))
    async with client(script, ["red", "blue"]) as kube:
        assert await listed(kube, "AWSAccount") == ["default"]
    assert [asked.path for asked in script.asked] == [f"{BASE}/awsaccounts"]


async def test_deletion_asks_for_exactly_that_object():
    script = Script(Say())
    async with client(script) as kube:
        await kube.delete(KEY, uid="u-1")
    (asked,) = script.asked
    assert asked.path == f"{BASE}/namespaces/team/schedulingpolicies/fair"
    assert asked.body["preconditions"] == {"uid": "u-1"}


async def test_deletion_of_one_version_says_so_and_is_told_of_a_conflict():
    script = Script(Say(409))
    async with client(script) as kube:
        with pytest.raises(ConflictError):
            await kube.delete(KEY, uid="u-1", resource_version="7")
    (asked,) = script.asked
    assert asked.body["preconditions"] == {"uid": "u-1", "resourceVersion": "7"}


async def test_a_namespace_that_may_not_be_read_has_no_labels():
    async with client(Script(Say(403))) as kube:
        assert await kube.namespace_labels("team") == {}


async def test_a_denied_list_is_an_error_and_no_empty_list():
    async with client(Script(Say(403))) as kube:
        with pytest.raises(DeniedError):
            await listed(kube)


async def test_before_the_first_crd_is_there_no_kind_is_served():
    async with client(Script(Say(404))) as kube:
        assert await kube.served_kinds() == frozenset()


async def test_discovery_that_is_down_is_no_absence_of_kinds():
    async with client(Script(Say(400, {"kind": "Status"}), Say(400))) as kube:
        with pytest.raises(Exception, match="discover"):
            await kube.served_kinds()


async def test_subresources_are_no_kinds():
    resources = [
        {"name": "batchjobs", "kind": "BatchJob"},
        {"name": "batchjobs/status", "kind": "BatchJob"},
        {"name": "batchjobs/scale", "kind": "Scale"},
    ]
    async with client(Script(Say(body={"resources": resources}))) as kube:
        assert await kube.served_kinds() == {"BatchJob"}


async def test_a_kind_that_takes_no_new_objects_is_leaving():
    usual = ["delete", "get", "list", "watch"]
    resources = [
        {"name": "batchjobs", "kind": "BatchJob", "verbs": [*usual, "create", "patch"]},
        {"name": "jobqueues", "kind": "JobQueue", "verbs": usual},
        {"name": "jobqueues/status", "kind": "JobQueue", "verbs": ["get", "patch", "update"]},
        {"name": "batchjobs/status", "kind": "BatchJob", "verbs": ["get", "patch", "update"]},
    ]
    async with client(Script(Say(body={"resources": resources}))) as kube:
        assert await kube.leaving_kinds() == {"JobQueue"}


async def test_a_lease_is_asked_for_once_because_the_elector_counts_the_seconds():
    script = Script(Say(503))
    async with client(script) as kube:
        with pytest.raises(UnavailableError):
            await kube.read_lease("ops", "lead")
    assert len(script.asked) == 1


async def test_a_lease_does_not_wait_for_a_free_connection():
    class Busy(Script):
        """Lets everything but leases wait for ever."""

        async def answer(self, request: web.Request) -> web.StreamResponse:
            if "leases" not in request.path:
                arrived.release()
                await asyncio.Event().wait()
            return await super().answer(request)

    arrived = asyncio.Semaphore(0)
    async with client(Busy(Say(body={"kind": "Lease"}))) as kube:
        calls = [asyncio.create_task(kube.get(KEY)) for _ in range(CONNECTIONS + 1)]
        for _ in range(CONNECTIONS):
            await arrived.acquire()
        assert await kube.read_lease("ops", "lead") == {"kind": "Lease"}
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def metadata_of(kube: KubeClient) -> list[list[str]]:
    return [
        [body["metadata"]["name"] for body in page] async for page in kube.list_metadata("BatchJob")
    ]


async def test_a_list_of_metadata_is_asked_for_page_by_page_and_without_bodies():
    script = Script(page("a", "b", token="t1"), page("c"))
    async with client(script, ["red"]) as kube:
        assert await metadata_of(kube) == [["a", "b"], ["c"]]
    for asked in script.asked:
        assert asked.path == f"{BASE}/namespaces/red/batchjobs"
        assert "as=PartialObjectMetadataList" in asked.headers["Accept"]
    assert [dict(asked.query) for asked in script.asked] == [
        {"limit": str(PAGE)},
        {"limit": str(PAGE), "continue": "t1"},
    ]


async def test_an_object_is_of_the_kind_that_was_asked_for_however_the_page_is_read():
    """Each item says that it is a PartialObjectMetadata; a token of null is read the slow way."""
    item = {"kind": "PartialObjectMetadata", "metadata": {"name": "a"}}
    said = Say(body={"items": [item], "metadata": {"continue": None}})
    async with client(Script(said)) as kube:
        pages = [page async for page in kube.list_metadata("BatchJob")]
    assert [each["kind"] for page in pages for each in page] == ["BatchJob"]


async def test_the_next_page_of_metadata_is_not_asked_for_before_it_is_wanted():
    script = Script(page("a", token="t1"), page("b"))
    async with client(script) as kube:
        pages = kube.list_metadata("BatchJob")
        await anext(pages)
        assert len(script.asked) == 1
        await anext(pages)
        assert len(script.asked) == 2


async def test_a_list_of_metadata_whose_token_has_expired_goes_on_with_what_is_there_now():
    expired = Say(410, {"kind": "Status", "code": 410, "metadata": {"continue": "t2"}})
    script = Script(page("a", token="t1"), expired, page("b"))
    async with client(script) as kube:
        assert await metadata_of(kube) == [["a"], ["b"]]
    assert script.asked[2].query["continue"] == "t2"
