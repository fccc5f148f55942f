"""One account's work beside another's, and turns that end without a rate token."""

import itertools
import json

import pytest
from tests.unit.engine.rig import Rig, job, manifest

from awsbatch_operator.api.metadata import RESOLVED, ObjectKey
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.reconciler import Again

ONE = job("one")


def placed(key: ObjectKey, account: str):
    """A manifest of an object that is recorded to live in that account."""
    made = manifest(key)
    made["metadata"]["annotations"] = {RESOLVED: json.dumps({"accountId": account})}
    return made


@pytest.mark.parametrize("workers", [2, 8, 32])
async def test_an_account_whose_calls_hang_leaves_workers_to_a_healthy_one(workers):
    rig = Rig(EngineSettings(workers=workers, drain_seconds=0))
    for number in range(100):
        rig.kube.apply(placed(job(f"hangs-{number}"), "1"))
        rig.kube.apply(placed(job(f"works-{number}"), "2"))

    async def turn(key):
        if key.name.startswith("hangs"):
            await rig.clock.sleep(10_000)
        return Again()

    rig.turn = turn
    async with rig.running():
        await rig.clock.advance(1)
        assert sum(key.name.startswith("works") for key in rig.turns) == 100


@pytest.mark.parametrize("hanging", [1, 2, 3])
async def test_work_that_comes_after_hanging_accounts_took_all_they_may_waits_for_none(hanging):
    rig = Rig(EngineSettings(workers=32, drain_seconds=0))
    for number in range(300):
        rig.kube.apply(placed(job(f"hangs-{number}"), str(number % hanging)))

    async def turn(key):
        if key.name.startswith("hangs"):
            await rig.clock.sleep(10_000)
        return Again()

    rig.turn = turn
    async with rig.running():
        await rig.clock.advance(1)
        assert len(rig.turns) >= 24
        for number in range(100):
            rig.kube.apply(placed(job(f"works-{number}"), "healthy"))
        await rig.clock.advance(1)
        assert sum(key.name.startswith("works") for key in rig.turns) == 100


async def test_workers_that_one_account_let_go_are_used_by_another_that_waits():
    rig = Rig(EngineSettings(workers=32, drain_seconds=0))
    seconds = {"short": 10.0, "long": 10_000.0}
    for number in range(100):
        rig.kube.apply(placed(job(f"short-{number}"), "1"))
        rig.kube.apply(placed(job(f"long-{number}"), "2"))

    async def turn(key):
        await rig.clock.sleep(seconds[key.name.partition("-")[0]])
        return Again()

    rig.turn = turn
    async with rig.running():
        await rig.clock.advance(1)
        assert sum(key.name.startswith("long") for key in rig.turns) <= 16
        await rig.clock.advance(500)
        assert sum(key.name.startswith("short") for key in rig.turns) == 100
        assert sum(key.name.startswith("long") for key in rig.turns) == 24


async def test_a_turn_without_a_token_comes_again_when_there_is_one_and_is_no_failure(logs):
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    at = []

    async def turn(_):
        at.append(rig.clock.monotonic())
        if len(at) < 40:
            raise NoTokenError(2.5)
        return Again()

    rig.turn = turn
    async with rig.running():
        await rig.clock.advance(200)
    assert [after - before for before, after in itertools.pairwise(at)] == [2.5] * 39
    assert rig.count("reconciles_total", kind="BatchJob", result="no-token") == 39
    assert rig.count("retries_total", kind="BatchJob") == 0
    assert logs == []


async def test_a_wait_for_a_token_of_no_time_does_not_spin():
    rig = Rig()
    rig.kube.apply(manifest(ONE))

    async def turn(_):
        raise NoTokenError(0.0)

    rig.turn = turn
    async with rig.running():
        await rig.clock.advance(1)
        assert len(rig.turns) <= 101


async def test_a_deletion_without_a_token_is_still_served_as_a_deletion():
    rig = Rig(EngineSettings(workers=1))
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.store.hold(rig.resource(ONE), {})
        rig.kube.remove(ONE)
        await rig.clock.advance(1)

        async def no_token(_):
            raise NoTokenError(5)

        rig.turn = no_token
        rig.engine.wake(ONE)
        await rig.clock.advance(1)

        async def slow(_):
            await rig.clock.sleep(1)
            return Again()

        rig.turn = slow
        for number in range(30):
            rig.kube.apply(manifest(job(f"new-{number}")))
        rig.turns.clear()
        await rig.clock.advance(10)
        assert rig.turns.index(ONE) <= 6
