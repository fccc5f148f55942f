"""Conformance: the account has as many environments or queues as AWS allows; that is told first."""

import pytest
from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, QUEUE, environment, unmanaged

from awsbatch_operator.api.metadata import ObjectKey

MOST = 3
HEALS = 40.0  # seconds, at most, until an object goes on when there is room


def crowded() -> Installation:
    return Installation(max_environments=MOST, max_queues=MOST)


def named(kind: str, number: int) -> ObjectKey:
    return ObjectKey(kind, NAMESPACE, f"one-{number}")


def theirs(there: Installation, count: int) -> list[str]:
    """Environments of somebody else; their names."""
    names = [f"theirs-{number}" for number in range(count)]
    for name in names:
        there.aws().create_compute_environment(computeEnvironmentName=name, **unmanaged())
    return names


async def gone(there: Installation, name: str) -> None:
    """Somebody deletes an environment, past the operator."""
    there.aws().update_compute_environment(computeEnvironment=name, state="DISABLED")
    await there.clock.advance(30)
    there.aws().delete_compute_environment(computeEnvironment=name)
    await there.clock.advance(30)


async def test_an_environment_beyond_the_quota_is_not_asked_for_says_so_and_heals():
    there = crowded()
    async with there.running():
        names = theirs(there, MOST)
        there.apply(ENVIRONMENT, environment())
        message = await there.until(ENVIRONMENT, "Stalled", "AccountLimitReached", within=5)
        assert f"account {ACCOUNT} has {MOST} compute environments in eu-central-1" in message
        assert "Delete one that is not needed any more" in message
        await there.clock.advance(300)
        assert there.changes() == []
        assert not there.kube.see(ENVIRONMENT)["metadata"].get("finalizers")
        await gone(there, names[0])
        await there.until_ready(ENVIRONMENT, within=2 * HEALS)
    assert there.changes() == ["batch:CreateComputeEnvironment"]


async def test_an_object_that_waits_for_room_costs_no_call_beyond_the_polls():
    there = crowded()
    async with there.running():
        theirs(there, MOST)
        await there.clock.advance(60)
        there.apply(ENVIRONMENT, environment())
        await there.until(ENVIRONMENT, "Stalled", "AccountLimitReached", within=5)
        await there.clock.advance(60)
        there.calls.clear()
        versions = there.kube.see(ENVIRONMENT)["metadata"]["resourceVersion"]
        await there.clock.advance(600)
        assert len(there.calls) <= 600 / 30 + 1
        assert there.kube.see(ENVIRONMENT)["metadata"]["resourceVersion"] == versions


async def test_of_many_that_are_applied_at_once_as_many_are_made_as_there_is_room_for():
    """None is refused by AWS, though they look at the same time."""
    there = crowded()
    async with there.running():
        (foreign,) = theirs(there, 1)
        keys = [named("ComputeEnvironment", number) for number in range(MOST + 1)]
        for key in keys:
            there.apply(key, environment())
        await there.clock.advance(120)
        ready = [key for key in keys if there.ready(key)]
        full = [key for key in keys if there.is_true(key, "Stalled", "AccountLimitReached")]
        assert (len(ready), len(full)) == (MOST - 1, 2)
        assert there.changes().count("batch:CreateComputeEnvironment") == MOST - 1
        there.kube.remove(ready[0])
        await there.until_gone(ready[0])
        await gone(there, foreign)
        await there.until_ready(*full, within=2 * HEALS)
    assert there.changes().count("batch:CreateComputeEnvironment") == MOST + 1


async def test_a_queue_beyond_the_quota_waits_for_room_and_whoever_comes_last_is_told():
    there = crowded()
    keys = [named("JobQueue", number) for number in range(MOST)]
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        for key in keys:
            there.apply(key, manifests.queue())
        await there.until_ready(ENVIRONMENT, *keys)
        there.apply(QUEUE, manifests.queue())
        message = await there.until(QUEUE, "Stalled", "AccountLimitReached", within=5)
        assert f"has {MOST} job queues" in message
        there.kube.remove(keys[0])
        await there.until_gone(keys[0])
        await there.until_ready(QUEUE, within=2 * HEALS)
        told = [note for _, note in there.events(QUEUE) if note.startswith("Created")]
        assert told[0].endswith(f"has {MOST} job queues in eu-central-1 now; AWS allows {MOST}.")


@pytest.mark.parametrize("answered", [True, False])
async def test_an_object_that_waits_for_room_goes_at_once_when_it_is_deleted(answered):
    there = crowded()
    async with there.running():
        theirs(there, MOST)
        there.apply(ENVIRONMENT, environment())
        if answered:
            await there.until(ENVIRONMENT, "Stalled", "AccountLimitReached", within=5)
        there.kube.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT, within=1)
    assert there.changes() == []
