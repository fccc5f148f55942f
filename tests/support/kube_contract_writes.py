"""The contract of the Kubernetes port: patches, deletion, leases and events."""

import pytest
from tests.support.kube_place import LEASE, Place, add_finalizer, drop_finalizers, event, guard

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import CONFIRM_ORPHANS, FINALIZER, GROUP, ObjectKey, Resource
from awsbatch_operator.engine.series import SeriesKey, event_body
from awsbatch_operator.kube.port import ConflictError, InvalidError, NotFoundError


class PatchContract:
    """patch."""

    async def test_finalizer_and_annotation_go_in_with_one_write(self, place: Place):
        widget = await place.widget(size=1)
        operations = [
            *add_finalizer(widget),
            {"op": "add", "path": "/metadata/annotations", "value": {f"{GROUP}/note": "x"}},
        ]
        answer = Resource.from_body(await place.kube.patch(widget.key, operations))
        assert answer == await place.see()
        assert answer.held
        assert answer.annotations[f"{GROUP}/note"] == "x"
        assert answer.generation == widget.generation

    async def test_a_patch_of_an_older_version_is_a_conflict_and_changes_nothing(
        self, place: Place
    ):
        widget = await place.widget()
        await place.user.annotate(widget.key, {"a": "1"})
        with pytest.raises(ConflictError):
            await place.kube.patch(widget.key, add_finalizer(widget))
        assert not (await place.see()).held

    async def test_a_patch_without_its_guard_is_never_sent(self, place: Place):
        widget = await place.widget()
        with pytest.raises(ValueError, match="resourceVersion"):
            await place.kube.patch(widget.key, add_finalizer(widget)[1:])

    async def test_a_patch_below_a_missing_parent_is_invalid(self, place: Place):
        widget = await place.widget()
        below = {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER}
        with pytest.raises(InvalidError):
            await place.kube.patch(widget.key, [guard(widget.resource_version), below])

    async def test_a_patch_of_an_object_that_is_gone_is_not_found(self, place: Place):
        with pytest.raises(NotFoundError):
            await place.kube.patch(place.key(), [guard("1")])

    async def test_a_patch_that_changes_nothing_is_no_new_version(self, place: Place):
        widget = await place.held()
        again = {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}
        await place.kube.patch(widget.key, [guard(widget.resource_version), again])
        assert (await place.see()).resource_version == widget.resource_version

    async def test_a_patch_does_not_reach_the_status(self, place: Place):
        widget = await place.widget()
        reach = {"op": "add", "path": "/status/phase", "value": "Busy"}
        await place.kube.patch(widget.key, [guard(widget.resource_version), reach])
        assert (await place.see()).status == {"observedGeneration": -1}

    async def test_a_change_of_the_spec_is_a_new_generation_and_no_other_change_is(
        self, place: Place
    ):
        widget = await place.held()
        status = await place.kube.apply_status(
            widget.key, {"phase": "Busy"}, resource_version=widget.resource_version
        )
        assert Resource.from_body(status).generation == 1
        assert Resource.from_body(await place.user.annotate(widget.key, {"a": "1"})).generation == 1
        assert (await place.widget(size=2)).generation == 2

    async def test_what_a_user_applies_leaves_finalizer_status_and_annotations_alone(
        self, place: Place
    ):
        widget = await place.held()
        await place.user.annotate(widget.key, {"a": "1"})
        after = await place.widget(size=7)
        assert (after.held, after.annotations["a"]) == (True, "1")
        assert (after.spec["size"], after.status) == (7, {"observedGeneration": -1})


class DeletionContract:
    """delete, and what finalizers do."""

    async def test_without_a_finalizer_a_deleted_object_is_gone_at_once(self, place: Place):
        widget = await place.widget()
        await place.kube.delete(widget.key, uid=widget.uid)
        assert await place.kube.get(widget.key) is None

    async def test_a_finalizer_keeps_a_deleted_object_and_it_has_a_new_generation(
        self, place: Place
    ):
        widget = await place.held()
        await place.kube.delete(widget.key, uid=widget.uid)
        after = await place.see()
        assert (after.deleting, after.held) == (True, True)
        assert after.generation == widget.generation + 1
        assert int(after.resource_version) > int(widget.resource_version)

    async def test_deleting_again_changes_nothing(self, place: Place):
        widget = await place.held()
        await place.kube.delete(widget.key, uid=widget.uid)
        first = await place.see()
        await place.kube.delete(widget.key, uid=widget.uid)
        assert await place.see() == first

    async def test_an_object_that_is_being_deleted_can_still_have_its_status_written(
        self, place: Place
    ):
        widget = await place.held()
        await place.kube.delete(widget.key, uid=widget.uid)
        version = (await place.see()).resource_version
        await place.kube.apply_status(widget.key, {"phase": "Going"}, resource_version=version)
        assert (await place.see()).status["phase"] == "Going"

    async def test_removing_the_last_finalizer_ends_a_deleted_object(self, place: Place):
        widget = await place.held()
        await place.kube.delete(widget.key, uid=widget.uid)
        answer = await place.kube.patch(widget.key, drop_finalizers(await place.see()))
        assert Resource.from_body(answer).finalizers == ()
        assert await place.kube.get(widget.key) is None

    async def test_a_deleted_object_takes_no_new_finalizer(self, place: Place):
        widget = await place.held()
        await place.kube.delete(widget.key, uid=widget.uid)
        with pytest.raises(InvalidError):
            await place.kube.patch(widget.key, add_finalizer(await place.see(), f"{GROUP}/other"))

    async def test_removing_the_finalizer_of_a_living_object_leaves_it(self, place: Place):
        widget = await place.held()
        await place.kube.patch(widget.key, drop_finalizers(widget))
        assert not (await place.see()).held

    async def test_deletion_spares_an_object_of_the_same_name_with_another_uid(self, place: Place):
        before = await place.widget()
        await place.user.remove(before.key)
        after = await place.widget()
        await place.kube.delete(before.key, uid=before.uid)
        assert await place.see() == after

    async def test_deletion_of_one_version_spares_what_was_changed_since(self, place: Place):
        before = await place.held()
        await place.user.annotate(before.key, {"a": "1"})
        version = before.resource_version
        with pytest.raises(ConflictError):
            await place.kube.delete(before.key, uid=before.uid, resource_version=version)
        now = await place.see()
        assert not now.deleting
        await place.kube.delete(now.key, uid=now.uid, resource_version=now.resource_version)
        assert (await place.see()).deleting

    async def test_deleting_what_is_gone_is_no_error(self, place: Place):
        await place.kube.delete(place.key(), uid="11111111-2222-4333-8444-555555555555")


class LeaseContract:
    """Leases."""

    async def test_a_lease_is_created_read_and_replaced(self, place: Place):
        assert await place.kube.read_lease(place.namespace, "lead") is None
        await place.kube.create_lease(place.namespace, "lead", LEASE)
        lease = await place.kube.read_lease(place.namespace, "lead")
        assert lease is not None
        assert lease["spec"] == LEASE
        spec = {**LEASE, "renewTime": "2026-01-01T00:00:10.500000Z"}
        answer = await place.kube.replace_lease(lease, spec)
        assert answer["spec"] == spec
        assert await place.kube.read_lease(place.namespace, "lead") == answer

    async def test_a_lease_keeps_its_annotations_and_may_have_events(self, place: Place):
        """What waits for a word is told of the Lease, and confirmed on it."""
        made = await place.kube.create_lease(place.namespace, "lead", LEASE)
        confirmed = {**made["metadata"], "annotations": {CONFIRM_ORPHANS: "1"}}
        lease = await place.kube.replace_lease({**made, "metadata": confirmed}, LEASE)
        lease = await place.kube.replace_lease(lease, LEASE)
        assert lease["metadata"]["annotations"] == {CONFIRM_ORPHANS: "1"}
        about = Resource(
            key=ObjectKey("Lease", place.namespace, "lead"),
            uid=lease["metadata"].get("uid", ""),
            generation=0,
            resource_version=lease["metadata"]["resourceVersion"],
            created=Instant(0.0),
        )
        key = SeriesKey.of(
            about,
            action="RemoveOrphans",
            reason="OrphansHeld",
            warning=True,
            message="Confirm them.",
        )
        body = event_body(
            about,
            key,
            message="Confirm them.",
            instance="op",
            now=Instant(1_800_000_000.0),
            suffix="1",
        )
        answer = await place.kube.create_event(place.namespace, body)
        assert answer["regarding"]["apiVersion"] == "coordination.k8s.io/v1"

    async def test_of_two_that_create_a_lease_one_has_a_conflict(self, place: Place):
        await place.kube.create_lease(place.namespace, "lead", LEASE)
        with pytest.raises(ConflictError):
            await place.kube.create_lease(place.namespace, "lead", LEASE)

    async def test_of_two_that_replace_the_same_lease_one_has_a_conflict(self, place: Place):
        lease = await place.kube.create_lease(place.namespace, "lead", LEASE)
        await place.kube.replace_lease(
            lease, {**LEASE, "holderIdentity": "one"} | {"leaseTransitions": 1}
        )
        with pytest.raises(ConflictError):
            await place.kube.replace_lease(lease, {**LEASE, "holderIdentity": "two"})

    async def test_a_lease_time_without_microseconds_is_invalid(self, place: Place):
        with pytest.raises(InvalidError):
            await place.kube.create_lease(
                place.namespace, "lead", {**LEASE, "renewTime": "2026-01-01T00:00:00Z"}
            )


class EventContract:
    """Events."""

    async def test_an_event_is_created_and_becomes_a_series(self, place: Place):
        widget = await place.widget()
        await place.kube.create_event(place.namespace, event(widget))
        series = {"count": 2, "lastObservedTime": "2026-01-01T00:00:09.000000Z"}
        answer = await place.kube.patch_event(place.namespace, "one.1", {"series": series})
        assert answer["series"] == series
        assert answer["reason"] == "Tried"

    async def test_of_two_events_of_one_name_one_has_a_conflict(self, place: Place):
        widget = await place.widget()
        await place.kube.create_event(place.namespace, event(widget))
        with pytest.raises(ConflictError):
            await place.kube.create_event(place.namespace, event(widget))

    async def test_an_event_that_has_expired_is_not_found(self, place: Place):
        with pytest.raises(NotFoundError):
            await place.kube.patch_event(place.namespace, "one.1", {"series": {"count": 2}})

    async def test_an_event_in_a_namespace_that_is_gone_is_not_found(self, place: Place):
        widget = await place.widget()
        body = event(widget)
        body["metadata"]["namespace"] = body["regarding"]["namespace"] = "no-such-namespace"
        with pytest.raises(NotFoundError):
            await place.kube.create_event("no-such-namespace", body)
