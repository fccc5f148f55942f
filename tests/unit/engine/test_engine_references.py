"""What wakes an object besides its own changes."""

from tests.unit.engine.rig import Rig, job, manifest, queue

USER, TARGET = job("user"), queue("target")


async def started(rig, *manifests):
    for one in manifests:
        rig.kube.apply(one)
    await rig.clock.advance(0)
    rig.turns.clear()


async def write(rig, key, **status):
    await rig.store.write_status(rig.resource(key), status)
    await rig.clock.advance(0)


async def test_a_target_that_appears_wakes_those_who_wait_for_it():
    rig = Rig()
    async with rig.running():
        await started(rig, manifest(USER, TARGET))
        rig.kube.apply(manifest(TARGET))
        await rig.clock.advance(0)
        assert set(rig.turns) == {TARGET, USER}


async def test_a_target_that_becomes_ready_wakes_its_users():
    rig = Rig()
    async with rig.running():
        await started(rig, manifest(USER, TARGET), manifest(TARGET))
        await write(rig, TARGET, conditions=[{"type": "Ready", "status": "True"}])
        assert USER in rig.turns


async def test_a_change_that_does_not_matter_to_users_wakes_none():
    rig = Rig()
    async with rig.running():
        await started(rig, manifest(USER, TARGET), manifest(TARGET))
        await write(rig, TARGET, jobs={"running": 7})
        assert USER not in rig.turns


async def test_a_finished_user_is_not_woken():
    rig = Rig()
    async with rig.running():
        await started(rig, manifest(USER, TARGET), manifest(TARGET))
        await write(rig, USER, done=True)
        rig.turns.clear()
        rig.kube.remove(TARGET)
        await rig.clock.advance(0)
        assert rig.turns == [TARGET]


async def deleted_target(rig):
    """A target that is being deleted and held by our finalizer, and its user."""
    await started(rig, manifest(USER, TARGET), manifest(TARGET))
    await rig.store.hold(rig.resource(TARGET), {})
    rig.kube.remove(TARGET)
    await rig.clock.advance(0)
    rig.turns.clear()


async def test_a_user_that_vanishes_wakes_a_target_whose_deletion_waits_for_it():
    rig = Rig()
    async with rig.running():
        await deleted_target(rig)
        rig.kube.remove(USER)
        await rig.clock.advance(0)
        assert TARGET in rig.turns


async def test_a_user_that_refers_to_another_wakes_a_target_whose_deletion_waits_for_it():
    rig = Rig()
    async with rig.running():
        await deleted_target(rig)
        rig.kube.apply(manifest(USER, queue("another")))
        await rig.clock.advance(0)
        assert TARGET in rig.turns


async def test_a_user_that_finishes_wakes_a_target_whose_deletion_waits_for_it():
    rig = Rig()
    async with rig.running():
        await deleted_target(rig)
        await write(rig, USER, done=True)
        assert TARGET in rig.turns


async def test_a_target_that_stays_is_not_woken_by_users_that_come_and_go():
    rig = Rig()
    async with rig.running():
        await started(rig, manifest(USER, TARGET), manifest(TARGET))
        rig.kube.remove(USER)
        await rig.clock.advance(0)
        assert TARGET not in rig.turns
