"""Records of launches that were lost or damaged: nothing is bought twice, and nothing hangs."""

from collections.abc import Sequence

import pytest
from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, QUEUE, job

from awsbatch_operator.api.metadata import LAUNCHES, ObjectKey, Shape
from awsbatch_operator.kube.port import UnavailableError


async def at_rest(there: Fleet) -> None:
    """A job has run, and the instance that it got is long gone."""
    there.settle(delays={"terminatedInstanceForgotten": 30})
    there.furnish(jobs=1)
    await there.run_until(lambda: there.succeeded(1))
    await there.run_until(lambda: not there.alive(), within=300)
    await there.run_until(lambda: not there.instances())
    await there.clock.advance(120)  # and it has been seen


async def test_a_record_that_is_removed_at_rest_holds_up_launches_for_two_minutes_and_no_more():
    there = Fleet()
    async with there.running():
        await at_rest(there)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        await there.clock.advance(130)
        there.apply(job_key(2), job())
        await there.run_until(lambda: there.succeeded(2), within=110)


async def test_an_object_whose_record_was_removed_at_rest_goes():
    there = Fleet()
    async with there.running():
        await at_rest(there)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT)


BLOCK = '{"v":1,"uid":"%s","pools":{"main":{"round":1,"block":{"request":1,"phase":"Sleeping"}}}}'


async def test_a_block_that_cannot_be_read_is_told_like_the_rest_of_a_record():
    there = Fleet()
    block = pool(market="SpotBlock", spotBlock={"durationSeconds": 3600, "instanceCount": 1})
    async with there.running():
        there.furnish(block)
        await there.until_ready(ENVIRONMENT)
        uid = there.kube.see(ENVIRONMENT)["metadata"]["uid"]
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: BLOCK % uid})
        await there.run_until(lambda: there.is_true(ENVIRONMENT, "Stalled", "InvalidRecord"))


def refuse_records(there: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server takes no record of what is about to be bought."""
    patch = there.kube.patch

    async def refusing(key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        if any("Securing" in str(each.get("value")) for each in operations):
            raise UnavailableError("the API server is overloaded")
        return await patch(key, operations)

    monkeypatch.setattr(there.kube, "patch", refusing)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_block_that_was_announced_and_not_written_down_is_made(restarted, monkeypatch):
    there = Fleet()
    made = {"durationSeconds": 3600, "instanceCount": 1, "start": "Immediately"}
    with monkeypatch.context() as overload:
        refuse_records(there, overload)
        async with there.running():
            there.furnish(pool(market="SpotBlock", spotBlock=made))
            await there.run_until(lambda: "block" in str(there.capacity()))
            if not restarted:
                overload.undo()
                await there.run_until(lambda: there.row()["joined"] == 1)
    if restarted:
        async with there.running():
            await there.run_until(lambda: there.row()["joined"] == 1, within=400)


async def test_a_block_is_not_bought_again_when_its_damaged_record_is_removed_as_the_remedy_says():
    there = Fleet()
    made = {"durationSeconds": 7200, "instanceCount": 1, "start": "Immediately"}
    async with there.running():
        there.furnish(pool(market="SpotBlock", spotBlock=made))
        await there.run_until(lambda: "block" in str(there.capacity()) and there.row()["idle"] == 1)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: "{"})
        text = await there.until(ENVIRONMENT, "Stalled", "InvalidRecord")
        assert "remove it" in text
        await there.clock.advance(60)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        await there.clock.advance(200)
        there.aws("ec2").terminate_instances(InstanceIds=there.ids())
        await there.clock.advance(300)
        assert there.launches() == 1
