import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.stub_aws import Refused

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.sightings import Sighting, changed, sight

SCOPE = Scope("111122223333", "eu-central-1")
CLUSTER = "c1"


def key(name: str, kind: str = "ComputeEnvironment") -> ObjectKey:
    return ObjectKey(kind, "ns", name)


def detail(name: str, *, status: str = "VALID", cluster: str = CLUSTER, **more: Any) -> dict:
    tags = Owner(cluster, key(name), "uid").tags()
    arn = f"arn:{name}"
    return {"computeEnvironmentArn": arn, "status": status, "tags": tags, **more}


class World:
    """Two lists that a test changes, and the poller over them."""

    def __init__(self, bench) -> None:
        self.bench = bench
        self.environments: list[dict] = []
        bench.stub.answers |= {
            "DescribeComputeEnvironments": lambda _: {"computeEnvironments": self.environments},
            "DescribeJobQueues": lambda _: {"jobQueues": []},
            "UpdateComputeEnvironment": lambda _: {},
        }

    async def wakes_in(self, seconds: float) -> list[ObjectKey]:
        self.bench.woken.clear()
        await self.bench.clock.advance(seconds)
        return list(self.bench.woken)

    async def calls_in(self, seconds: float) -> int:
        self.bench.stub.sent.clear()
        await self.bench.clock.advance(seconds)
        return len(self.bench.stub.sent)


@pytest.fixture
async def world(bench) -> AsyncIterator[World]:
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield World(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def used(world: World) -> None:
    await world.bench.aws.batch.compute_environment(SCOPE, "e")


async def test_nothing_is_polled_before_a_scope_is_used(world):
    assert await world.calls_in(3600) == 0


async def test_a_scope_in_use_takes_two_calls_every_half_minute(world):
    await used(world)
    world.environments = [detail("e")]
    assert await world.calls_in(300) == 20


async def test_what_changes_wakes_its_owner_and_nobody_else(world):
    await used(world)
    world.environments = [detail("a"), detail("b")]
    assert await world.wakes_in(31) == [key("a"), key("b")]
    world.environments = [detail("a"), detail("b", statusReason="no instance profile")]
    assert await world.wakes_in(30) == [key("b")]
    assert await world.wakes_in(300) == []


async def test_what_disappears_wakes_its_owner(world):
    await used(world)
    world.environments = [detail("a")]
    await world.wakes_in(31)
    world.environments = []
    assert await world.wakes_in(30) == [key("a")]


async def test_a_change_of_ours_is_looked_at_within_seconds(world):
    await used(world)
    world.environments = [detail("a")]
    await world.wakes_in(31)
    await world.bench.aws.batch.update_compute_environment(SCOPE, {"computeEnvironment": "a"})
    world.environments = [detail("a", status="UPDATING")]
    assert await world.wakes_in(3) == [key("a")]
    world.environments = [detail("a")]
    assert await world.wakes_in(3) == [key("a")]


async def test_polling_is_fast_as_long_as_aws_is_at_work(world):
    await used(world)
    world.environments = [detail("a", status="CREATING")]
    await world.wakes_in(31)
    assert await world.calls_in(300) == 200


async def test_a_poll_that_fails_is_tried_again_and_misses_nothing(world):
    await used(world)
    world.environments = [detail("a")]
    await world.wakes_in(31)

    def refuse(_):
        raise Refused("AccessDeniedException", status=403)

    works = world.bench.stub.answers["DescribeJobQueues"]
    world.bench.stub.answers["DescribeJobQueues"] = refuse
    world.environments = [detail("a", status="INVALID")]
    assert await world.wakes_in(200) == []
    world.bench.stub.answers["DescribeJobQueues"] = works
    assert await world.wakes_in(61) == [key("a")]


async def test_a_scope_without_anything_of_ours_is_left_alone_after_an_hour(world):
    await used(world)
    await world.calls_in(3700)
    assert await world.calls_in(3600) == 0


DETAILS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["CREATING", "VALID", "INVALID", "DELETING"])
)


def seen(states: dict[str, str]) -> dict[str, Sighting]:
    details = [detail(name, status=status) for name, status in states.items()]
    return sight(CLUSTER, details, "computeEnvironmentArn")


@given(DETAILS, DETAILS)
def test_exactly_the_owners_of_what_differs_are_woken(before, after):
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed(seen(before), seen(after)) == [key(name) for name in sorted(differing)]


@given(DETAILS)
def test_the_order_of_a_list_does_not_matter(states):
    backwards = dict(reversed(states.items()))
    assert changed(seen(states), seen(backwards)) == []


def test_what_is_not_ours_is_not_looked_at():
    details = [
        detail("theirs", cluster="another"),
        {"computeEnvironmentArn": "arn:plain", "status": "VALID", "tags": {}},
        {"computeEnvironmentArn": "arn:bare", "status": "VALID"},
    ]
    assert sight(CLUSTER, details, "computeEnvironmentArn") == {}
