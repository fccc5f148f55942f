"""Whom feeds wake, and that one scope's trouble is not another's."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from tests.support.stub_aws import Refused
from tests.unit.aws.feed_world import (
    SCOPE,
    World,
    definition,
    environment,
    key,
    policy,
    read,
    tags,
    world,
)

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind

__all__ = ["world"]


async def test_what_changes_wakes_its_owner_and_nobody_else(world):
    await read(world)
    world.environments = [environment("a"), environment("b")]
    assert await world.wakes_in(31) == [key("a"), key("b")]
    world.environments[1] = environment("b", statusReason="no instance profile")
    assert await world.wakes_in(30) == [key("b")]
    assert await world.wakes_in(300) == []


async def test_what_disappears_wakes_its_owner(world):
    world.environments = [environment("a")]
    await read(world)
    world.environments = []
    assert await world.wakes_in(30) == [key("a")]


async def test_a_changed_tag_wakes_the_owners_before_and_after(world):
    world.environments = [environment("a")]
    await read(world)
    world.environments = [environment("a") | {"tags": tags("b")}]
    assert await world.wakes_in(30) == [key("a"), key("b")]
    world.environments = [environment("a", cluster="another")]
    assert await world.wakes_in(30) == [key("b")]


@pytest.mark.parametrize("kind", ["policies", "definitions"])
async def test_whoever_waits_for_a_name_of_somebody_else_hears_when_it_becomes_free(world, kind):
    waiting = key("waiting", "JobDefinition")
    foreign: dict[str, Any] = {"tags": {}}
    if kind == "policies":
        world.policies, look = [policy("n") | foreign], world.batch.scheduling_policy
    else:
        world.definitions, look = [definition("n") | foreign], world.batch.job_definitions
    assert await look(SCOPE, "n", wake=waiting)
    await world.clock.advance(0)
    assert await world.wakes_in(600) == []
    setattr(world, kind, [])
    assert await world.wakes_in(301) == [waiting]
    assert not await look(SCOPE, "n", wake=waiting)


async def test_whoever_asked_long_ago_is_not_woken_any_more(world):
    world.environments = [environment("mine"), environment("theirs", cluster="another")]
    await world.asks("theirs", wake=key("waiting"))
    await world.clock.advance(1900)
    world.environments.pop()
    assert await world.wakes_in(60) == []


async def test_whoever_asks_itself_is_not_woken_for_what_it_hears(world):
    await world.asks("e", wake=key("e"))
    await world.clock.advance(0)
    world.environments = [environment("e")]
    world.woken.clear()
    await world.asks("e", fresh=True, wake=key("e"))
    assert await world.wakes_in(60) == []


async def test_others_are_woken_by_what_one_asked_for(world):
    world.environments = [environment("e")]
    await read(world)
    world.environments = [environment("e", state="DISABLED")]
    await world.asks("e", fresh=True, wake=key("other"))
    assert world.woken == [key("e")]


async def test_a_start_wakes_nobody_who_has_not_looked_yet(world):
    world.environments = [environment(f"e{n}") for n in range(100)]
    await world.asks("e7")
    assert await world.wakes_in(0) == []


async def test_what_changed_between_an_objects_look_and_the_first_poll_wakes_it(bench):
    world = World(bench)
    world.environments = [environment("e")]
    await world.asks("e")
    world.environments = [environment("e", state="DISABLED")]
    task = asyncio.create_task(bench.aws.run())
    assert await world.wakes_in(0) == [key("e")]
    task.cancel()


async def test_a_change_of_ours_is_looked_at_within_seconds(world):
    world.environments = [environment("a")]
    await read(world)
    await world.batch.change(SCOPE, "UpdateComputeEnvironment", {"computeEnvironment": "a"})
    world.environments = [environment("a", status="UPDATING")]
    assert await world.wakes_in(3) == [key("a")]
    world.environments = [environment("a")]
    assert await world.wakes_in(3) == [key("a")]


async def test_a_poll_that_fails_is_tried_again_and_misses_nothing(world):
    world.environments = [environment("a")]
    await read(world)

    def refuse(_):
        raise Refused("ClientException", "no", status=400)

    works = world.bench.stub.answers["DescribeComputeEnvironments"]
    world.bench.stub.answers["DescribeComputeEnvironments"] = refuse
    world.environments = [environment("a", status="INVALID")]
    assert await world.wakes_in(200) == []
    world.bench.stub.answers["DescribeComputeEnvironments"] = works
    assert await world.wakes_in(61) == [key("a")]


async def test_owners_are_woken_once_when_polling_is_denied_so_that_they_can_say_why(world):
    world.environments = [environment("a")]
    await read(world)

    def refuse(_):
        raise Refused("AccessDeniedException", status=403)

    world.bench.stub.answers["DescribeComputeEnvironments"] = refuse
    assert await world.wakes_in(300) == [key("a")]


@pytest.mark.parametrize("trouble", ["hangs", "throttled"])
async def test_a_scope_in_trouble_does_not_delay_the_polls_of_another(world, trouble):
    other = Scope("444455556666", "eu-central-1")
    call = world.bench.aws.sender.call
    polls: Counter[str] = Counter()
    never = asyncio.Event()

    async def calling(scope, name, request, **more):
        polls[scope.account_id] += 1
        if scope == other and trouble == "hangs":
            await never.wait()
        if scope == other:
            raise AwsError(ErrorKind.THROTTLED, operation=name, message="slow down")
        return await call(scope, name, request, **more)

    world.bench.aws.sender.call = calling
    await world.asks("e")
    with contextlib.suppress(AwsError, TimeoutError):
        async with asyncio.timeout(0.01):
            await world.batch.compute_environment(other, "e")
    await world.clock.advance(0)
    polls.clear()
    await world.clock.advance(600)
    assert polls[SCOPE.account_id] == 20
    assert polls[other.account_id] <= 15


async def test_whoever_asked_in_vain_is_woken_by_what_another_finds_out_later(world):
    world.environments = [environment("e")]
    await read(world)
    answers = world.bench.stub.answers
    answer = answers["DescribeComputeEnvironments"]

    def fails(_: Any) -> Any:
        raise Refused("ServerException", status=500)

    answers["DescribeComputeEnvironments"] = fails
    with pytest.raises(AwsError):
        await world.asks("e", fresh=True, wake=key("e"))
    answers["DescribeComputeEnvironments"] = answer
    await world.asks("e", wake=key("e"))  # it comes again, and is told what was read
    world.woken.clear()
    world.environments = [environment("e", statusReason="no instance profile")]
    await world.asks("e", fresh=True)
    assert world.woken == [key("e")]
