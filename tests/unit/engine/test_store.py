import pytest
from tests.unit.engine.rig import Rig, job, manifest

from awsbatch_operator.api.metadata import FINALIZER, INSTALLATION
from awsbatch_operator.engine.packing import LAST_APPLIED
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kube.port import (
    ConflictError,
    DeniedError,
    NotFoundError,
    UnavailableError,
)

KEY = job("one")
STATUS = {"observedGeneration": 1, "awsStatus": "RUNNING"}


@pytest.fixture
def rig():
    """One object, in the cache; the watch is so late that it brings nothing."""
    made = Rig()
    made.unwatch()
    made.cache.put(made.kube.apply(manifest(KEY)))
    return made


def live(rig):
    return rig.kube.see(KEY)["metadata"]


async def test_a_written_status_can_be_read_at_once_however_late_the_watch_is(rig):
    written = await rig.store.write_status(rig.resource(KEY), STATUS)
    assert written.status == rig.resource(KEY).status == STATUS
    assert rig.resource(KEY).resource_version == live(rig)["resourceVersion"]
    assert rig.count("kube_writes_total", kind="BatchJob", verb="apply_status", outcome="ok") == 1


async def test_a_status_that_stands_there_already_is_not_written(rig):
    await rig.store.write_status(rig.resource(KEY), STATUS)
    before = live(rig)["resourceVersion"]
    await rig.store.write_status(rig.resource(KEY), dict(STATUS))
    assert live(rig)["resourceVersion"] == before
    assert rig.count("kube_writes_total", kind="BatchJob", verb="apply_status", outcome="ok") == 1


async def test_a_write_from_an_old_version_is_refused_and_leaves_the_cache_alone(rig):
    old = rig.resource(KEY)
    rig.kube.annotate(KEY, someone="else")
    with pytest.raises(ConflictError):
        await rig.store.write_status(old, STATUS)
    assert rig.resource(KEY) == old
    labels = {"kind": "BatchJob", "verb": "apply_status", "outcome": "ConflictError"}
    assert rig.count("kube_writes_total", **labels) == 1


async def test_a_write_to_an_object_that_is_gone_takes_it_out_of_the_cache(rig):
    resource = rig.resource(KEY)
    rig.kube.remove(KEY)
    with pytest.raises(NotFoundError):
        await rig.store.hold(resource, {"a": "b"})
    assert KEY not in rig.cache


async def test_a_write_that_meets_an_object_created_anew_is_a_conflict(rig):
    class Renewed:
        """An API server that applied the status to another object of the same name."""

        async def apply_status(self, key, status, *, resource_version):
            metadata = rig.kube.see(key)["metadata"] | {"uid": "other", "resourceVersion": "99"}
            return rig.kube.see(key) | {"metadata": metadata}

    rig.store._kube = Renewed()
    with pytest.raises(ConflictError):
        await rig.store.write_status(rig.resource(KEY), STATUS)
    assert rig.resource(KEY).uid == "other"


async def test_finalizer_and_annotations_are_added_in_one_write(rig):
    before = int(live(rig)["resourceVersion"])
    held = await rig.store.hold(rig.resource(KEY), {"awsbatch.dev/resolved": "x", "a~b": "y"})
    assert held.held
    assert live(rig)["finalizers"] == [FINALIZER]
    assert live(rig)["annotations"] == {"awsbatch.dev/resolved": "x", "a~b": "y"}
    assert int(live(rig)["resourceVersion"]) == before + 1


async def test_other_finalizers_and_annotations_survive(rig):
    rig.kube.apply(
        manifest(KEY) | {"metadata": manifest(KEY)["metadata"] | {"annotations": {"user": "1"}}}
    )
    await rig.store.refresh(KEY)
    finalizers = [{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/other"]}]
    await rig.store.patch(rig.resource(KEY), finalizers)
    await rig.store.hold(rig.resource(KEY), {"awsbatch.dev/resolved": "x"})
    assert live(rig)["finalizers"] == ["example.com/other", FINALIZER]
    assert live(rig)["annotations"] == {"user": "1", "awsbatch.dev/resolved": "x"}
    await rig.store.release(rig.resource(KEY))
    assert live(rig)["finalizers"] == ["example.com/other"]


async def test_the_last_applied_configuration_is_not_lost_with_the_first_annotation(rig):
    rig.kube.annotate(KEY, **{LAST_APPLIED: "what kubectl wrote"})
    await rig.store.refresh(KEY)
    await rig.store.hold(rig.resource(KEY), {"awsbatch.dev/resolved": "x"})
    assert live(rig)["annotations"][LAST_APPLIED] == "what kubectl wrote"


async def test_nothing_is_written_when_everything_stands_there(rig):
    held = await rig.store.hold(rig.resource(KEY), {"a": "b"})
    assert await rig.store.hold(held, {"a": "b"}) is held
    released = await rig.store.release(held)
    assert await rig.store.release(released) is released


async def test_an_annotation_is_changed_beside_another(rig):
    held = await rig.store.hold(rig.resource(KEY), {"a/b": "1", "c": "2"})
    changed = await rig.store.hold(held, {"a/b": "3"})
    assert changed.annotations == {"a/b": "3", "c": "2"}


async def test_a_deleted_object_leaves_the_cache_with_its_last_finalizer(rig):
    await rig.store.hold(rig.resource(KEY), {})
    rig.kube.remove(KEY)
    await rig.store.refresh(KEY)
    assert rig.resource(KEY).deleting
    await rig.store.release(rig.resource(KEY))
    assert KEY not in rig.cache
    assert not rig.kube.exists(KEY)


async def test_a_deleted_object_with_anothers_finalizer_stays(rig):
    both = [{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/x", FINALIZER]}]
    await rig.store.patch(rig.resource(KEY), both)
    rig.kube.remove(KEY)
    await rig.store.refresh(KEY)
    await rig.store.release(rig.resource(KEY))
    assert rig.resource(KEY).finalizers == ("example.com/x",)


async def test_a_deletion_asks_for_exactly_the_object_that_was_read(rig):
    old = rig.resource(KEY)
    rig.kube.remove(KEY)
    rig.kube.apply(manifest(KEY))
    await rig.store.delete(old)
    assert rig.kube.exists(KEY)


async def test_a_refresh_reads_past_a_late_watch(rig):
    rig.kube.annotate(KEY, seen="live")
    assert (await rig.store.refresh(KEY)).annotations == {"seen": "live"}
    rig.kube.remove(KEY)
    assert await rig.store.refresh(KEY) is None
    assert KEY not in rig.cache


async def test_all_of_a_finished_object_is_read_live_and_of_another_from_memory(rig):
    rig.kube.apply(manifest(KEY, size=3))
    await rig.store.refresh(KEY)
    assert (await rig.store.whole(KEY)).spec == {"size": 3}
    asked = len(rig.kube.asked)
    await rig.store.write_status(rig.resource(KEY), {"done": True})
    assert rig.resource(KEY).spec == {}
    assert len(rig.kube.asked) == asked
    assert (await rig.store.whole(KEY)).spec == {"size": 3}
    assert len(rig.kube.asked) == asked + 1
    rig.kube.remove(KEY)
    assert await rig.store.whole(KEY) is None


async def test_a_new_object_that_came_while_its_forerunner_was_read_is_not_dropped(rig):
    old = rig.resource(KEY)

    class Slow:
        """An API server whose 'not found' is overtaken by the watch."""

        async def get(self, key):
            rig.kube.remove(key)
            rig.kube.apply(manifest(key))
            rig.cache.put(rig.kube.see(key))

    rig.store._kube = Slow()
    assert await rig.store.refresh(KEY) is None
    assert rig.resource(KEY).uid == rig.kube.see(KEY)["metadata"]["uid"] != old.uid


async def test_answers_are_counted_refusals_included_and_silence_is_not(rig):
    stale = rig.resource(KEY)
    await rig.store.refresh(KEY)
    await rig.store.write_status(stale, {"observedGeneration": 1})
    with pytest.raises(ConflictError):
        await rig.store.write_status(stale, {"observedGeneration": 2})
    assert rig.store.answers == 3

    class Silent:
        async def apply_status(self, key, status, *, resource_version):
            raise UnavailableError("no answer")

    rig.store._kube = Silent()
    with pytest.raises(UnavailableError):
        await rig.store.write_status(rig.resource(KEY), {"observedGeneration": 3})
    assert rig.store.answers == 3


async def test_what_was_only_listed_is_read_live_once_before_anything_is_done_for_it(rig):
    await rig.store.confirm(rig.resource(KEY))
    answers = rig.store.answers
    await rig.store.confirm(rig.resource(KEY))
    assert rig.store.answers == answers, "it was confirmed before"


async def test_what_a_guarded_write_has_found_needs_no_live_read(rig):
    held = await rig.store.hold(rig.resource(KEY), {})
    answers = rig.store.answers
    await rig.store.confirm(held)
    assert rig.store.answers == answers


async def test_an_object_that_was_listed_from_the_past_is_not_acted_upon(rig):
    old = rig.resource(KEY)
    rig.kube.annotate(KEY, someone="else")
    with pytest.raises(ConflictError):
        await rig.store.confirm(old)
    assert rig.resource(KEY).annotations["someone"] == "else", "the live one is known from then on"
    await rig.store.confirm(rig.resource(KEY))


async def test_a_listed_object_that_is_gone_is_not_acted_upon_and_leaves_the_cache(rig):
    old = rig.resource(KEY)
    rig.kube.remove(KEY)
    with pytest.raises(ConflictError):
        await rig.store.confirm(old)
    assert KEY not in rig.cache


@pytest.mark.parametrize("call", ["apply_status", "patch", "get"])
async def test_a_right_that_is_missing_is_told_until_it_is_there(rig, monkeypatch, call):
    async def act():
        match call:
            case "apply_status":
                await rig.store.write_status(rig.resource(KEY), STATUS)
            case "patch":
                await rig.store.hold(rig.resource(KEY), {"a": "b"})
            case "get":
                await rig.store.refresh(KEY)

    async def denied(*_, **__):
        raise DeniedError(f"Cannot {call} it: forbidden (403). Grant it.")

    assert rig.store.trouble() is None
    with monkeypatch.context() as refusing:
        refusing.setattr(rig.kube, call, denied)
        with pytest.raises(DeniedError):
            await act()
    assert rig.store.trouble() == f"Cannot {call} it: forbidden (403). Grant it."
    await act()
    assert rig.store.trouble() is None


async def test_a_write_of_ours_whose_answer_was_lost_is_not_taken_for_somebody_elses(rig):
    class Unheard:
        async def apply_status(self, key, status, *, resource_version):
            await kube.apply_status(key, status, resource_version=resource_version)
            raise UnavailableError("no answer")

    kube, written = rig.kube, await rig.store.write_status(rig.resource(KEY), STATUS)
    rig.store._kube = Unheard()
    with pytest.raises(UnavailableError):
        await rig.store.write_status(written, {"observedGeneration": 2})
    rig.store._kube = kube
    assert not rig.store.undone.is_undone(await rig.store.refresh(KEY))


def store_of(rig, installation):
    """Another process, which reads into the same cache."""
    return Store(
        kube=rig.kube,
        cache=rig.cache,
        metrics=rig.metrics,
        clock=rig.clock,
        installation=installation,
    )


async def test_who_serves_an_object_is_noted_with_the_first_record_and_then_stays(rig):
    before = int(live(rig)["resourceVersion"])
    held = await store_of(rig, "ops/op").hold(rig.resource(KEY), {"a": "b"})
    assert live(rig)["annotations"] == {"a": "b", INSTALLATION: "ops/op"}
    assert int(live(rig)["resourceVersion"]) == before + 1
    assert await store_of(rig, "ops/op").hold(held, {"a": "b"}) is held
    changed = await store_of(rig, "team/op").hold(held, {"a": "c"})
    assert changed.annotations == {"a": "c", INSTALLATION: "ops/op"}


async def test_of_two_that_hold_an_object_of_an_earlier_version_one_is_refused(rig):
    held = await rig.store.hold(rig.resource(KEY), {"a": "b"})  # nobody has noted anything
    await store_of(rig, "ops/op").hold(held, {})
    with pytest.raises(ConflictError):
        await store_of(rig, "team/op").hold(held, {})
    assert live(rig)["annotations"][INSTALLATION] == "ops/op"
