"""The in-memory Kubernetes keeps the port's contract, and tells its subscribers what happens."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.support.kube_contract import KubeContract
from tests.support.kube_place import WIDGET_CRD, Place, add_finalizer, drop_finalizers
from tests.support.memory_kube import MemoryKube
from tests.support.structural import Definition

from awsbatch_operator.api.metadata import API_VERSION, FINALIZER, ObjectKey, Resource
from awsbatch_operator.kube.port import InvalidError, NotFoundError

KEY = ObjectKey("Widget", "team", "one")


class MemoryUser:
    def __init__(self, kube: MemoryKube) -> None:
        self._kube = kube

    async def apply(self, manifest: dict[str, Any]) -> dict[str, Any]:
        return self._kube.apply(manifest)

    async def annotate(self, key: ObjectKey, annotations: Mapping[str, str | None]):
        return self._kube.annotate(key, **annotations)

    async def remove(self, key: ObjectKey) -> None:
        self._kube.remove(key)

    async def write(self, namespace: str, name: str, data: Mapping[str, str], binary: str) -> None:
        self._kube.config_maps[namespace, name] = {**data, binary: None}


@pytest.fixture
def kube() -> MemoryKube:
    return MemoryKube(
        [Definition.from_crd(WIDGET_CRD)],
        clock=SteppedClock(),
        namespaces={"team": {"tier": "test"}},
    )


@pytest.fixture
def place(kube: MemoryKube) -> Place:
    return Place(kube, MemoryUser(kube), "team", {"tier": "test"})


class TestInMemory(KubeContract):
    """The contract."""


class TestWatch:
    @pytest.fixture
    def seen(self, kube: MemoryKube) -> list[tuple[str, Resource]]:
        seen: list[tuple[str, Resource]] = []
        kube.subscribe(lambda kind, body: seen.append((kind, Resource.from_body(body))))
        return seen

    async def test_a_whole_life_is_told_in_order(self, place: Place, seen):
        widget = await place.widget(size=1)
        held = Resource.from_body(await place.kube.patch(widget.key, add_finalizer(widget)))
        await place.kube.delete(held.key, uid=held.uid)
        await place.kube.patch(held.key, drop_finalizers(await place.see()))
        assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
        assert [r.deleting for _, r in seen] == [False, False, True, True]
        versions = [int(r.resource_version) for _, r in seen]
        assert versions == sorted(set(versions))

    async def test_a_write_that_changes_nothing_is_not_told(self, place: Place, seen):
        await place.widget(size=1)
        await place.widget(size=1)
        assert len(seen) == 1

    async def test_what_is_held_back_comes_later_and_in_order(
        self, kube: MemoryKube, place: Place, seen
    ):
        kube.hold_events()
        await place.widget(size=1)
        await place.widget(size=2)
        assert seen == []
        kube.release_events()
        await place.widget(size=3)
        assert [resource.spec["size"] for _, resource in seen] == [1, 2, 3]

    async def test_who_changes_a_body_changes_nobody_elses(self, kube: MemoryKube, place: Place):
        kube.subscribe(lambda _, body: body.clear())
        widget = await place.widget(size=1)
        body = await place.kube.get(widget.key)
        assert isinstance(body, dict)
        body.clear()
        assert await place.see() == widget

    async def test_nothing_is_told_after_the_subscription_has_ended(
        self, kube: MemoryKube, place: Place
    ):
        seen: list[str] = []
        kube.subscribe(lambda kind, _: seen.append(kind))()
        await place.widget()
        assert seen == []


class TestUser:
    async def test_an_unknown_field_in_the_spec_is_refused(self, place: Place):
        with pytest.raises(InvalidError, match=r"spec\.sise"):
            await place.widget(sise=1)

    async def test_a_namespace_must_exist(self, kube: MemoryKube):
        with pytest.raises(NotFoundError):
            kube.apply(
                {
                    "apiVersion": API_VERSION,
                    "kind": "Widget",
                    "metadata": {"name": "one", "namespace": "nowhere"},
                }
            )

    async def test_a_field_that_is_no_longer_applied_is_gone(self, place: Place):
        await place.widget(size=1, colour="red")
        assert (await place.widget(size=1)).spec == {"size": 1, "colour": "grey"}

    async def test_an_annotation_is_removed_with_none(self, kube: MemoryKube, place: Place):
        await place.widget()
        kube.annotate(KEY, a="1", b="2")
        kube.annotate(KEY, a=None)
        assert (await place.see()).annotations == {"b": "2"}

    async def test_stripping_the_finalizers_ends_an_object_that_is_stuck(
        self, kube: MemoryKube, place: Place
    ):
        await place.held()
        kube.remove(KEY)
        assert kube.see(KEY)["metadata"]["finalizers"] == [FINALIZER]
        kube.strip_finalizers(KEY)
        assert not kube.exists(KEY)

    async def test_removing_what_is_gone_is_an_error_as_with_kubectl(self, kube: MemoryKube):
        with pytest.raises(NotFoundError):
            kube.remove(KEY)
