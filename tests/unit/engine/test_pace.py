"""How many turns begin before other things of the loop have theirs."""

import asyncio

from tests.support.clock import settle

from awsbatch_operator.engine.pace import Pace


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
