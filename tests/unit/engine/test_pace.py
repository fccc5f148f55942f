"""How many turns begin, or go on, before other things of the loop have theirs."""

import asyncio

from tests.support.clock import settle
from tests.unit.engine.rig import Rig, job, manifest

from awsbatch_operator.engine.pace import TURNS_A_ROUND, Pace


async def test_at_most_so_many_pass_in_one_round_of_the_loop_and_all_in_the_end():
    pace, passed, rounds = Pace(8), [], []

    async def worker(number):
        await pace.go()
        passed.append(number)

    workers = [asyncio.create_task(worker(number)) for number in range(50)]
    while len(passed) < 50:
        before = len(passed)
        await asyncio.sleep(0)
        rounds.append(len(passed) - before)
    assert max(rounds) == 8
    assert passed == list(range(50))
    await asyncio.gather(*workers)


async def test_a_single_caller_does_not_wait():
    pace = Pace(1)
    for _ in range(3):
        worker = asyncio.create_task(pace.go())
        await asyncio.sleep(0)
        assert worker.done()
        await settle()


async def test_who_came_first_passes_before_those_who_come_again_and_again():
    pace, ended = Pace(8), False

    async def comes_again():
        while not ended:
            await pace.go()
            await asyncio.sleep(0)

    answered = asyncio.get_running_loop().create_future()

    async def waits():
        await answered
        await pace.go()

    one = asyncio.create_task(waits())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(answered.set_result, None)
    others = [asyncio.create_task(comes_again()) for _ in range(16)]
    for _ in range(5):
        await asyncio.sleep(0)
    ended, passed = True, one.done()
    await asyncio.gather(one, *others)
    assert passed


async def test_who_gives_up_takes_no_turn_from_others():
    pace, passed, trouble = Pace(1), list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))

    async def worker(number):
        await pace.go()
        passed.append(number)

    workers = [asyncio.create_task(worker(number)) for number in range(4)]
    await asyncio.sleep(0)
    workers[1].cancel()
    workers[2].cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert (passed, trouble) == ([0, 3], [])


async def test_it_is_told_once_in_each_round_that_there_is_work():
    told: list[None] = []
    pace = Pace(8, lambda: told.append(None))
    await asyncio.gather(*(asyncio.create_task(pace.go()) for _ in range(24)))
    assert len(told) == 3


async def test_writes_that_are_answered_at_once_let_a_few_turns_a_round_go_on(monkeypatch):
    """After a moment of silence of the API server all workers have their answers together."""
    rig, answered, gone_on, rounds = Rig(), asyncio.Event(), [], []
    rig.unwatch()
    keys = [job(f"job-{number}") for number in range(32)]
    for key in keys:
        rig.cache.put(rig.kube.apply(manifest(key)))
    writes = rig.kube.apply_status

    async def silent(*asked, **more):
        answer = await writes(*asked, **more)
        await answered.wait()
        return answer

    monkeypatch.setattr(rig.kube, "apply_status", silent)

    async def turn(key):
        await rig.store.write_status(rig.resource(key), {"awsStatus": "RUNNING"})
        gone_on.append(key)

    turns = [asyncio.create_task(turn(key)) for key in keys]
    await settle()
    answered.set()
    while len(gone_on) < len(keys):
        before = len(gone_on)
        await asyncio.sleep(0)
        rounds.append(len(gone_on) - before)
    await asyncio.gather(*turns)
    assert max(rounds) <= TURNS_A_ROUND
