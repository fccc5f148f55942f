"""What every adapter of the Kubernetes port does: the in-memory one and the real API server.

The suite is in base classes; a test module derives from `KubeContract` and has the fixture `place`.
"""

from types import MappingProxyType

import pytest
from tests.support.kube_contract_writes import (
    DeletionContract,
    EventContract,
    LeaseContract,
    PatchContract,
)
from tests.support.kube_place import CONDITION, Place

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.kube.port import (
    PAGE,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)


class ReadContract:
    """Reading."""

    async def test_an_object_that_is_not_there_is_none(self, place: Place):
        assert await place.kube.get(place.key()) is None

    async def test_an_object_is_read_as_it_was_applied_with_its_defaults(self, place: Place):
        await place.widget(size=3)
        widget = await place.see()
        assert widget.key == place.key()
        assert widget.spec == {"size": 3, "colour": "grey"}
        assert widget.status == {"observedGeneration": -1}
        assert widget.generation == 1

    async def test_a_kind_that_is_not_served_does_not_count_as_an_object_that_is_gone(
        self, place: Place
    ):
        with pytest.raises(UnavailableError):
            await place.kube.get(ObjectKey("Gadget", place.namespace, "one"))
        with pytest.raises(UnavailableError):
            _ = [body async for body in place.kube.list("Gadget")]
        with pytest.raises(UnavailableError):
            _ = [page async for page in place.kube.list_metadata("Gadget")]

    async def test_a_list_has_every_object_with_its_kind(self, place: Place):
        for name in ("b", "a", "c"):
            await place.widget(name)
        listed = [Resource.from_body(body) async for body in place.kube.list("Widget")]
        assert [w.key.name for w in listed if w.key.namespace == place.namespace] == ["a", "b", "c"]
        assert {widget.key.kind for widget in listed} == {"Widget"}

    async def test_a_list_of_metadata_has_every_object_with_kind_uid_and_version(
        self, place: Place
    ):
        widgets = [await place.widget(name, size=1) for name in ("a", "b", "c")]
        pages = [page async for page in place.kube.list_metadata("Widget")]
        listed = {
            body["metadata"]["name"]: (
                body["kind"],
                body["metadata"]["uid"],
                body["metadata"]["resourceVersion"],
            )
            for page in pages
            for body in page
            if body["metadata"]["namespace"] == place.namespace
        }
        assert listed == {
            widget.key.name: ("Widget", widget.uid, widget.resource_version) for widget in widgets
        }
        assert not any("spec" in body or "status" in body for page in pages for body in page)

    async def test_a_list_of_metadata_shows_the_state_of_its_first_page(self, place: Place):
        for number in range(PAGE + 1):
            await place.widget(f"w-{number:03d}")
        pages = place.kube.list_metadata("Widget")
        first = await anext(pages)
        await place.user.annotate(place.key(f"w-{PAGE}"), {"a": "1"})
        await place.widget("w-later")
        listed = [*first, *[body for page in [page async for page in pages] for body in page]]
        ours = [each for each in listed if each["metadata"]["namespace"] == place.namespace]
        assert len(first) == PAGE
        assert len(ours) == PAGE + 1
        assert not any("annotations" in body["metadata"] for body in ours)

    async def test_the_labels_of_a_namespace_are_read_and_a_missing_one_has_none(
        self, place: Place
    ):
        labels = await place.kube.namespace_labels(place.namespace)
        assert place.labels.items() <= labels.items()
        assert await place.kube.namespace_labels("no-such-namespace") == {}

    async def test_a_config_map_is_read_and_a_missing_one_is_none(self, place: Place):
        await place.user.write(place.namespace, "scripts", {"tune.sh": "#!/bin/sh\n"}, "logo")
        found = await place.kube.config_map(place.namespace, "scripts")
        assert found == {"tune.sh": "#!/bin/sh\n", "logo": None}
        assert await place.kube.config_map(place.namespace, "others") is None
        assert await place.kube.config_map("no-such-namespace", "scripts") is None

    async def test_discovery_lists_the_served_kinds(self, place: Place):
        assert "Widget" in await place.kube.served_kinds()


class StatusContract:
    """apply_status."""

    async def test_a_status_is_written_beside_an_untouched_spec(self, place: Place):
        widget = await place.widget(size=3)
        status = {"observedGeneration": 1, "conditions": [CONDITION]}
        answer = await place.kube.apply_status(
            widget.key, status, resource_version=widget.resource_version
        )
        after = Resource.from_body(answer)
        assert after == await place.see()
        assert (after.status, after.spec) == (status, widget.spec)
        assert after.generation == widget.generation
        assert int(after.resource_version) > int(widget.resource_version)

    async def test_a_status_may_come_in_read_only_mappings(self, place: Place):
        widget = await place.widget()
        status = MappingProxyType({"observedGeneration": 1, "conditions": (CONDITION,)})
        await place.kube.apply_status(
            widget.key, dict(status), resource_version=widget.resource_version
        )
        assert (await place.see()).status["conditions"] == [CONDITION]

    async def test_what_the_next_status_leaves_out_is_gone(self, place: Place):
        widget = await place.widget()
        first = await place.kube.apply_status(
            widget.key,
            {"observedGeneration": 1, "phase": "Busy", "conditions": [CONDITION]},
            resource_version=widget.resource_version,
        )
        await place.kube.apply_status(
            widget.key,
            {"observedGeneration": 2},
            resource_version=Resource.from_body(first).resource_version,
        )
        assert (await place.see()).status == {"observedGeneration": 2}

    async def test_the_same_status_again_is_no_new_version(self, place: Place):
        widget = await place.widget()
        status = {"observedGeneration": 1, "conditions": [CONDITION]}
        first = Resource.from_body(
            await place.kube.apply_status(
                widget.key, status, resource_version=widget.resource_version
            )
        )
        await place.kube.apply_status(widget.key, status, resource_version=first.resource_version)
        assert (await place.see()).resource_version == first.resource_version

    async def test_a_status_made_from_an_older_version_is_a_conflict(self, place: Place):
        widget = await place.widget()
        await place.user.annotate(widget.key, {"a": "1"})
        with pytest.raises(ConflictError):
            await place.kube.apply_status(
                widget.key,
                {"observedGeneration": -1},  # a conflict even though nothing would change
                resource_version=widget.resource_version,
            )

    async def test_a_status_for_an_object_that_is_gone_is_not_found(self, place: Place):
        with pytest.raises(NotFoundError):
            await place.kube.apply_status(place.key(), {"phase": "Busy"}, resource_version="1")

    async def test_a_status_for_an_earlier_object_of_the_name_is_a_conflict(self, place: Place):
        before = await place.widget()
        await place.user.remove(before.key)
        after = await place.widget()
        assert before.uid != after.uid
        with pytest.raises(ConflictError):
            await place.kube.apply_status(
                before.key, {"phase": "Busy"}, resource_version=before.resource_version
            )

    @pytest.mark.parametrize("status", [{"unknown": 1}, {"conditions": [{**CONDITION, "why": ""}]}])
    async def test_a_field_that_the_crd_does_not_declare_is_invalid(self, place: Place, status):
        widget = await place.widget()
        with pytest.raises(InvalidError, match="not declared"):
            await place.kube.apply_status(
                widget.key, status, resource_version=widget.resource_version
            )

    async def test_a_null_in_the_status_is_invalid(self, place: Place):
        widget = await place.widget()
        with pytest.raises(InvalidError):
            await place.kube.apply_status(
                widget.key, {"phase": None}, resource_version=widget.resource_version
            )


class KubeContract(
    ReadContract, StatusContract, PatchContract, DeletionContract, LeaseContract, EventContract
):
    """The whole contract."""
