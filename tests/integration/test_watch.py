"""The watch on the real API server."""

import asyncio
import copy
import logging
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.deadline import until
from tests.support.kube_place import WIDGET_CRD, Place, drop_finalizers, guard
from tests.support.server_user import ServerUser, install

from awsbatch_operator.api.metadata import API_VERSION, FINALIZER, GROUP, ObjectKey, Resource
from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.kube.errors import GRANT
from awsbatch_operator.kube.transport import Transport
from awsbatch_operator.watch.stream import Target
from awsbatch_operator.watch.watch import HandlerError, Watch

pytestmark = pytest.mark.control_plane

WITHIN = 30.0  # seconds; the deadline of every wait here
KOPFS_OWN_FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"


class Seen:
    """What came in: for each object the latest event, and every event in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str | None, Resource]] = []
        self.latest: dict[ObjectKey, tuple[str | None, Resource]] = {}

    def __call__(self, event: str | None, body) -> None:
        resource = Resource.from_body(body)
        self.events.append((event, resource))
        self.latest[resource.key] = (event, resource)

    def shows(self, key: ObjectKey) -> bool:
        """Whether the object is there, by what came last."""
        return key in self.latest and self.latest[key][0] != "DELETED"

    def of(self, key: ObjectKey) -> list[str | None]:
        return [event for event, resource in self.events if resource.key == key]


def renamed(kind: str) -> dict:
    """The tiny CRD under another name, so that a test may delete it."""
    crd = copy.deepcopy(WIDGET_CRD)
    plural = f"{kind.lower()}s"
    crd["metadata"]["name"] = f"{plural}.{GROUP}"
    crd["spec"]["names"] = {"kind": kind, "plural": plural, "singular": kind.lower()}
    return crd


@asynccontextmanager
async def watching(
    kubeconfig: Path, seen: Seen, *, kinds: Sequence[str] = ("Widget",), namespaces=()
) -> AsyncIterator[Watch]:
    clock, location = SystemClock(), Location(kubeconfig)
    kube = await KubeClient.open(location, clock=clock, environ=os.environ)
    target = Target(location, os.environ, tuple(kinds), tuple(namespaces))
    watch = Watch(target, kube=kube, clock=clock, on_event=seen)
    stop = asyncio.Event()
    running = asyncio.create_task(watch.run(stop))
    try:
        yield watch
    finally:
        stop.set()
        await running
        await kube.close()


@pytest.fixture
async def place(transport: Transport) -> Place:
    user = ServerUser(transport)
    namespace = f"watch-{secrets.token_hex(4)}"
    await user.create_namespace(namespace, {})
    return Place(KubeClient(transport, [namespace]), user, namespace, {})


async def create_many(place: Place, count: int) -> None:
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await place.widget(f"w{number:05d}", size=number)

    await asyncio.gather(*(some() for _ in range(16)))


async def test_all_of_2000_objects_are_seen_as_they_are(widgets, place: Place):
    await create_many(place, 2000)
    seen = Seen()
    async with watching(widgets.kubeconfig, seen, namespaces=[place.namespace]):
        await until(lambda: len(seen.latest) == 2000)
    live = [Resource.from_body(body) async for body in place.kube.list("Widget")]
    assert sorted(resource.uid for _, resource in seen.events) == sorted(w.uid for w in live)
    assert {event for event, _ in seen.events} == {None}


async def test_every_change_is_told_in_order_and_no_object_is_touched(widgets, place: Place):
    old = await place.held("old")
    seen = Seen()
    async with watching(widgets.kubeconfig, seen, namespaces=[place.namespace]) as watch:
        await until(lambda: watch.streaming and old.key in seen.latest)
        new = await place.held("new")
        await place.widget("new", size=2)
        await place.user.remove(new.key)
        await until(lambda: (new.key in seen.latest) and seen.latest[new.key][1].deleting)
        await place.kube.patch(new.key, drop_finalizers(seen.latest[new.key][1]))
        await until(lambda: seen.latest[new.key][0] == "DELETED")
    assert seen.of(old.key) == [None]
    assert seen.of(new.key) == ["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]
    assert await place.see("old") == old


async def test_no_finalizer_is_taken_away_whoever_owns_it(widgets, place: Place):
    widget = await place.widget()
    finalizers = [FINALIZER, KOPFS_OWN_FINALIZER, "example.org/other"]
    add = {"op": "add", "path": "/metadata/finalizers", "value": finalizers}
    await place.kube.patch(widget.key, [guard(widget.resource_version), add])
    await place.user.remove(widget.key)
    marked = await place.see()
    seen = Seen()
    async with watching(widgets.kubeconfig, seen, namespaces=[place.namespace]):
        await until(lambda: widget.key in seen.latest)
        # A second object that comes and is seen: by then, the first has been dealt with.
        later = await place.widget("later")
        await until(lambda: later.key in seen.latest)
    assert await place.see() == marked
    assert marked.finalizers == tuple(finalizers)


async def test_it_may_start_before_the_crds_and_says_what_it_waits_for(
    control_plane, transport, place: Place
):
    key = ObjectKey("Latecomer", place.namespace, "one")
    seen = Seen()
    with capture_logs() as logs:
        async with watching(
            control_plane.kubeconfig, seen, kinds=["Latecomer"], namespaces=[place.namespace]
        ) as watch:
            await until(lambda: any("waiting for CRDs" in line["event"] for line in logs))
            assert not watch.streaming
            await asyncio.to_thread(install, control_plane, renamed("Latecomer"))
            await create(place, key)
            await until(lambda: key in seen.latest)
    line = next(line for line in logs if "waiting for CRDs" in line["event"])
    assert line["missing"] == ["Latecomer"]
    assert "deploy/crds" in line["remedy"]


async def test_when_crds_go_what_is_left_is_watched_on_and_all_of_it_when_they_are_back(
    control_plane, transport, place: Place, caplog
):
    """The CRD of an object that we hold goes last: nobody else would let the object go.

    What is missing is a line of the log, and there is no traceback, of Kopf's neither.
    """
    kinds = ["Phoenix", "Heron"]
    key = ObjectKey("Heron", place.namespace, "one")
    await asyncio.to_thread(install, control_plane, *map(renamed, kinds))
    await create(place, key, finalizers=[FINALIZER])
    seen, crds = Seen(), [f"crd/{kind.lower()}s.{GROUP}" for kind in kinds]
    with capture_logs() as logs:
        async with watching(
            control_plane.kubeconfig, seen, kinds=kinds, namespaces=[place.namespace]
        ) as watch:
            await until(lambda: watch.streaming and seen.shows(key))
            await asyncio.to_thread(control_plane.kubectl, "delete", "--wait=false", *crds)
            await until(lambda: missing(logs) == [["Phoenix"]] and watch.streaming)
            await until(lambda: seen.latest[key][1].deleting)
            later = Seen()  # an operator that is started only now
            async with watching(
                control_plane.kubeconfig, later, kinds=kinds, namespaces=[place.namespace]
            ):
                await until(lambda: later.shows(key))
            await place.kube.patch(key, drop_finalizers(seen.latest[key][1]))
            await until(lambda: missing(logs) == [["Phoenix"]] * 2 + [["Heron", "Phoenix"]])
            await asyncio.to_thread(control_plane.kubectl, "wait", "--for=delete", *crds)
            await asyncio.to_thread(install, control_plane, *map(renamed, kinds))
            await create(place, key)
            await until(lambda: watch.streaming and seen.shows(key))
    assert "DELETED" in seen.of(key)
    assert len(missing(logs)) == len([line for line in logs if line["log_level"] != "info"])
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_with_a_role_in_one_namespace_that_namespace_is_watched(
    control_plane, transport, place: Place
):
    kubeconfig = await asyncio.to_thread(role_only, control_plane, place.namespace)
    seen = Seen()
    async with watching(kubeconfig, seen, namespaces=[place.namespace]) as watch:
        await until(lambda: watch.streaming)
        widget = await place.widget()
        await until(lambda: widget.key in seen.latest)
    assert {key.namespace for key in seen.latest} == {place.namespace}


async def test_a_missing_right_is_told_and_once_granted_the_watch_goes_on(
    control_plane, transport, place: Place, caplog
):
    kubeconfig = await asyncio.to_thread(role_only, control_plane, place.namespace, verbs="get")
    widget = await place.widget()
    seen = Seen()
    with capture_logs() as logs:
        async with watching(kubeconfig, seen, namespaces=[place.namespace]):
            await until(lambda: any("has broken" in line["event"] for line in logs))
            assert not seen.events
            await asyncio.to_thread(role_only, control_plane, place.namespace)
            await until(lambda: widget.key in seen.latest)
    (told,) = [line for line in logs if line["log_level"] != "info"]
    assert "cannot list" in told["error"]
    assert GRANT in told["error"]
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_failing_handler_ends_the_watch_with_its_error(widgets, place: Place):
    await place.widget()

    def fail(event, body) -> None:
        raise KeyError("status")

    clock, location = SystemClock(), Location(widgets.kubeconfig)
    target = Target(location, os.environ, ("Widget",), (place.namespace,))
    watch = Watch(target, kube=place.kube, clock=clock, on_event=fail)
    with pytest.raises(HandlerError, match=r"None Widget one: KeyError\('status'\)"):
        await asyncio.wait_for(watch.run(asyncio.Event()), WITHIN)


def missing(logs) -> list[list[str]]:
    """The kinds of each line that says that some have gone."""
    return [line["missing"] for line in logs if "has stopped serving kinds" in line["event"]]


async def create(place: Place, key: ObjectKey, **more: object) -> None:
    metadata = {"name": key.name, "namespace": key.namespace, **more}
    await place.user.apply({"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata})


def role_only(control_plane, namespace: str, *, verbs: str = "get,list,watch") -> Path:
    """A kubeconfig whose ServiceAccount may do that with widgets in one namespace only."""
    place = f"--namespace={namespace}"
    control_plane.kubectl("delete", "role", "watcher", place, "--ignore-not-found")
    control_plane.kubectl(
        "create", "role", "watcher", place, f"--verb={verbs}", f"--resource=widgets.{GROUP}"
    )
    if control_plane.kubectl("get", "serviceaccount", "watcher", place, check=False).returncode:
        control_plane.kubectl("create", "serviceaccount", "watcher", place)
        control_plane.kubectl(
            "create",
            "rolebinding",
            "watcher",
            place,
            "--role=watcher",
            f"--serviceaccount={namespace}:watcher",
        )
    kubeconfig: Path = control_plane.service_account_kubeconfig(namespace, "watcher")
    return kubeconfig
