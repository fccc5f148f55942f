"""How often feeds ask AWS, and what they answer without asking."""

import asyncio

import pytest
from tests.support.clock import settle
from tests.support.stub_aws import Refused
from tests.unit.aws.feed_world import (
    SCOPE,
    World,
    definition,
    environment,
    key,
    policy,
    queue,
    read,
    world,
)

from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.sight import Item, Sight, item_of

__all__ = ["world"]


async def test_nothing_is_polled_before_a_scope_is_used(world):
    assert not await world.calls_in(3600)


async def test_a_scope_in_use_takes_a_call_every_half_minute(world):
    await read(world)
    assert (await world.calls_in(300)).total() == 10


async def test_policies_and_definitions_are_read_every_five_minutes(world):
    await world.batch.scheduling_policy(SCOPE, "p")
    await world.batch.job_definitions(SCOPE, "d")
    await world.clock.advance(0)
    assert await world.calls_in(600) == {"ListSchedulingPolicies": 2, "DescribeJobDefinitions": 2}


async def test_polling_is_fast_as_long_as_aws_is_at_work(world):
    await read(world)
    world.environments = [environment("a", status="CREATING")]
    await world.clock.advance(31)
    assert (await world.calls_in(300)).total() == 100


async def test_a_scope_without_anything_of_ours_is_left_alone_after_an_hour(world):
    await read(world)
    await world.calls_in(3700)
    assert not await world.calls_in(3600)


async def test_a_scope_is_polled_again_when_it_is_used_again(world):
    await read(world)
    await world.calls_in(3700)
    await read(world)
    assert (await world.calls_in(300)).total() == 10


async def test_at_rest_no_call_is_made_for_a_single_object(world):
    world.environments = [environment(f"e{n}") for n in range(50)]
    world.queues = [queue(f"q{n}") for n in range(50)]
    world.policies = [policy(f"p{n}") for n in range(50)]
    world.definitions = [definition(f"d{n}") for n in range(1000)]

    async def every_object_looks() -> None:
        for n in range(50):
            assert await world.batch.compute_environment(SCOPE, f"e{n}") == world.environments[n]
            assert await world.batch.job_queue(SCOPE, f"q{n}") == world.queues[n]
            assert await world.batch.scheduling_policy(SCOPE, f"p{n}") == world.policies[n]
        for n in range(1000):
            (found,) = await world.batch.job_definitions(SCOPE, f"d{n}")
            assert found == world.definitions[n]
        assert len(await world.batch.job_queues(SCOPE)) == 50

    for kind in ("compute_environment", "job_queue", "scheduling_policy", "job_definitions"):
        await getattr(world.batch, kind)(SCOPE, "first")
    await world.clock.advance(1)
    await every_object_looks()
    for _ in range(10):
        world.bench.stub.sent.clear()
        await world.clock.advance(30)
        await every_object_looks()
        assert world.calls.total() <= 20


async def test_the_definitions_of_others_are_not_read_when_asking_by_name_takes_fewer_calls(world):
    world.definitions = [definition(f"x{n}", cluster="another") for n in range(10_000)]
    world.definitions += [definition("d")]
    (found,) = await world.batch.job_definitions(SCOPE, "d")
    assert found["jobDefinitionName"] == "d"
    await world.clock.advance(20)
    assert await world.calls_in(600) == {"DescribeJobDefinitions": 2}
    world.definitions[-1] = definition("d", 2)
    assert await world.wakes_in(301) == [key("d", "JobDefinition")]
    assert (await world.batch.job_definitions(SCOPE, "d"))[0]["revision"] == 2


async def test_a_name_of_others_that_was_read_long_ago_is_asked_for_again(world):
    world.definitions = [definition(f"x{n}", cluster="another") for n in range(10_000)]
    assert len(await world.batch.job_definitions(SCOPE, "x7")) == 1
    await world.batch.job_definitions(SCOPE, "mine")
    await world.clock.advance(2_000)  # nobody asks for x7, and so no poll reads it any more
    world.definitions[7] = definition("x7", 2, cluster="another")
    await world.batch.job_definitions(SCOPE, "mine")
    (found,) = await world.batch.job_definitions(SCOPE, "x7")
    assert found["revision"] == 2


async def test_a_look_asks_aws_until_the_scope_has_been_read(bench):
    world = World(bench)  # without its polls
    for _ in range(2):
        await world.asks("e")
    assert world.calls.total() == 2


async def test_what_was_read_is_answered_without_a_call(world):
    world.environments = [environment("e")]
    await read(world)
    assert await world.asks("e") == world.environments[0]
    assert not world.calls


async def test_a_name_that_aws_does_not_have_is_answered_without_a_call(world):
    await read(world)
    assert await world.asks("absent") is None
    assert not world.calls


async def test_a_fresh_look_always_asks(world):
    await read(world)
    world.environments = [environment("e")]
    assert await world.asks("e") is None
    assert await world.asks("e", fresh=True) == world.environments[0]
    assert await world.asks("e") == world.environments[0]  # what was asked for is kept


async def test_what_we_have_changed_is_asked_for_again(world):
    world.environments = [environment("e"), environment("other")]
    await read(world)
    await world.batch.change(SCOPE, "UpdateComputeEnvironment", {"computeEnvironment": "e"})
    world.environments[0] = environment("e", state="DISABLED")
    world.bench.stub.sent.clear()
    assert (await world.asks("e"))["state"] == "DISABLED"
    await world.asks("other")
    assert world.calls.total() == 1


async def test_a_change_whose_outcome_is_unknown_is_asked_for_as_well(world):
    await read(world)

    def lose(_):
        world.environments = [environment("e")]
        raise Refused("ServerException", status=500)

    world.bench.stub.answers["CreateComputeEnvironment"] = lose
    request = {"computeEnvironmentName": "e", "type": "UNMANAGED"}
    with pytest.raises(AwsError):
        await world.batch.change(SCOPE, "CreateComputeEnvironment", request)
    assert await world.asks("e") == world.environments[0]


async def test_a_poll_that_began_before_a_change_ended_says_nothing_about_it(world):
    """The poll's answer was on its way already: it shows the environment as it was."""
    world.environments = [environment("e")]
    await read(world)
    feed = world.bench.aws.feeds.environments
    old = list(world.environments)
    with feed.changing(SCOPE, "e"):
        walk = asyncio.create_task(feed.poll(SCOPE))
        await settle()
        world.environments = [environment("e", state="DISABLED")]
    assert list(feed._scopes[SCOPE].sights["e"].details) == old
    await walk
    assert (await world.asks("e"))["state"] == "DISABLED"


async def test_tags_of_a_thing_are_a_change_of_it(world):
    world.queues = [queue("q")]
    await world.batch.job_queues(SCOPE)
    await world.clock.advance(0)
    request = {"resourceArn": world.queues[0]["jobQueueArn"], "tags": {"a": "b"}}
    await world.batch.change(SCOPE, "TagResource", request)
    world.bench.stub.sent.clear()
    await world.batch.job_queue(SCOPE, "q")
    await world.batch.job_queues(SCOPE)
    assert world.calls["DescribeJobQueues"] == 1


async def test_while_polls_fail_aws_is_asked_so_that_the_object_hears_why(world):
    await read(world)

    def refuse(_):
        raise Refused("AccessDeniedException", status=403)

    world.bench.stub.answers["DescribeComputeEnvironments"] = refuse
    await world.clock.advance(31)
    with pytest.raises(AwsError) as caught:
        await world.asks("e")
    assert caught.value.kind is ErrorKind.DENIED


async def test_a_thing_is_found_by_its_arn_but_not_by_that_of_another_account(world):
    world.queues = [queue("q")]
    arn = world.queues[0]["jobQueueArn"]
    assert await world.batch.job_queue(SCOPE, arn) == world.queues[0]
    assert await world.batch.job_queue(SCOPE, arn.replace("111122223333", "4" * 12)) is None


async def test_without_a_token_a_look_says_when_to_come_again(bench):
    world = World(bench)
    for _ in range(40):
        await world.asks("e", fresh=True)
    with pytest.raises(NoTokenError):
        await world.asks("e", fresh=True)
    assert bench.clock.next_due() is None


async def test_details_beyond_the_room_for_them_are_asked_for(make_bench):
    bench = make_bench(kept_bytes=2_000)
    task = asyncio.create_task(bench.aws.run())
    world = World(bench)
    world.environments = [environment(f"e{n}") for n in range(50)]
    await read(world)
    for n in range(50):
        assert await world.asks(f"e{n}") == world.environments[n]
        await world.clock.advance(0.05)
    assert 30 < world.calls.total() < 50
    assert len(await world.batch.job_queues(SCOPE)) == 0
    task.cancel()


async def test_a_change_that_was_not_sent_for_want_of_a_token_makes_nothing_old(world):
    world.environments = [environment("e")]
    await read(world)
    world.bench.aws.sender.prepay(SCOPE, "batch:ListJobs", 38)
    with pytest.raises(NoTokenError):
        await world.batch.change(SCOPE, "UpdateComputeEnvironment", {"computeEnvironment": "e"})
    assert await world.asks("e") == world.environments[0]
    assert not world.calls


async def test_a_start_with_many_definitions_takes_a_walk_and_a_few_single_looks(world):
    world.definitions = [definition(f"d{n}") for n in range(1_000)]

    async def turn(number: int) -> None:
        while True:
            try:
                assert await world.batch.job_definitions(SCOPE, f"d{number}")
            except NoTokenError as error:
                await world.clock.sleep(error.seconds)
            else:
                return

    turns = [asyncio.create_task(turn(number)) for number in range(1_000)]
    seconds = await world.clock.run_until(lambda: all(task.done() for task in turns))
    await asyncio.gather(*turns)
    assert seconds < 2
    assert world.calls.total() < 100


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_definition_with_thousands_of_revisions_does_not_hold_the_event_loop(world, fresh):
    """Whether it is polled with all others, or asked for by its name."""
    world.definitions = [definition("d", number) for number in range(1, 2001)]
    turns = {"others": 0}

    async def others() -> None:
        for _ in range(300):
            turns["others"] += 1
            await asyncio.sleep(0)

    answer = world.bench.stub.answers["DescribeJobDefinitions"]
    tasks = []

    def answers(asked: dict) -> dict:
        page: dict = answer(asked)
        if not page["nextToken"]:
            turns["others"] = 0
            tasks.append(asyncio.create_task(others()))
        return page

    world.bench.stub.answers["DescribeJobDefinitions"] = answers
    found = await world.batch.job_definitions(SCOPE, "d", fresh=fresh)
    assert turns["others"] >= 40
    assert [found[0]["revision"], found[-1]["revision"], len(found)] == [2000, 1, 2000]
    await asyncio.gather(*tasks)


def test_only_what_is_reached_of_a_name_with_many_things_is_read():
    """Each of a thousand jobs looks for its revision, which is mostly the newest."""
    damaged = Item("b", mark="", owner=None, moving=False, packed=b"not read")
    newest = item_of({"n": 1}, arn="a", owner=None, moving=False)
    details = Sight(1, (newest, damaged)).details
    assert details is not None
    assert next(iter(details)) == {"n": 1}
    assert list(details[:1]) == [{"n": 1}]
