"""What the feeds read, what they answer without asking AWS, and whom they wake."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import settle
from tests.support.stub_aws import Refused

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.feed_scope import ANY_NAME, FeedScope
from awsbatch_operator.aws.sight import Sight, item_of

SCOPE = Scope("111122223333", "eu-central-1")
CLUSTER = "c1"
PREFIX = "arn:aws:batch:eu-central-1:111122223333"
KINDS = {
    "environment": "ComputeEnvironment",
    "queue": "JobQueue",
    "policy": "SchedulingPolicy",
    "definition": "JobDefinition",
}


def key(name: str, kind: str = "ComputeEnvironment") -> ObjectKey:
    return ObjectKey(kind, "ns", name)


def tags(name: str, kind: str = "ComputeEnvironment", cluster: str = CLUSTER) -> dict[str, str]:
    return Owner(cluster, key(name, kind), "uid").tags()


def environment(name: str, *, status: str = "VALID", cluster: str = CLUSTER, **more: Any) -> dict:
    arn = f"{PREFIX}:compute-environment/{name}"
    own = {"computeEnvironmentName": name, "computeEnvironmentArn": arn, "status": status}
    return {**own, "tags": tags(name, cluster=cluster), **more}


def queue(name: str, **more: Any) -> dict:
    arn = f"{PREFIX}:job-queue/{name}"
    return {"jobQueueName": name, "jobQueueArn": arn, "tags": tags(name, "JobQueue"), **more}


def policy(name: str, **more: Any) -> dict:
    arn = f"{PREFIX}:scheduling-policy/{name}"
    return {"name": name, "arn": arn, "tags": tags(name, "SchedulingPolicy"), **more}


def definition(name: str, revision: int = 1, *, cluster: str = CLUSTER, **more: Any) -> dict:
    arn = f"{PREFIX}:job-definition/{name}:{revision}"
    own = {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision}
    return {**own, "tags": tags(name, "JobDefinition", cluster), **more}


class World:
    """What AWS has, which a test changes, and the operator's AWS side over it."""

    def __init__(self, bench) -> None:
        self.bench, self.batch, self.clock = bench, bench.aws.batch, bench.clock
        self.woken: list[ObjectKey] = bench.woken
        self.environments: list[dict] = []
        self.queues: list[dict] = []
        self.policies: list[dict] = []
        self.definitions: list[dict] = []
        bench.stub.answers |= {
            "DescribeComputeEnvironments": self._environments,
            "DescribeJobQueues": self._queues,
            "ListSchedulingPolicies": lambda asked: self._page(
                asked, "schedulingPolicies", [{"arn": each["arn"]} for each in self.policies]
            ),
            "DescribeSchedulingPolicies": self._policies,
            "DescribeJobDefinitions": self._definitions,
        }

    async def wakes_in(self, seconds: float) -> list[ObjectKey]:
        self.woken.clear()
        await self.clock.advance(seconds)
        return list(self.woken)

    async def calls_in(self, seconds: float) -> Counter[str]:
        self.bench.stub.sent.clear()
        await self.clock.advance(seconds)
        return self.calls

    @property
    def calls(self) -> Counter[str]:
        return Counter(self.bench.stub.operations())

    async def asks(self, name: str = "e", **more: Any) -> dict | None:
        return await self.batch.compute_environment(SCOPE, name, **more)

    def _environments(self, asked: dict) -> dict:
        names = asked.get("computeEnvironments")
        if names is None:
            return self._page(asked, "computeEnvironments", self.environments)
        found = [each for each in self.environments if each["computeEnvironmentName"] in names]
        return {"computeEnvironments": found}

    def _queues(self, asked: dict) -> dict:
        names = asked.get("jobQueues")
        if names is None:
            return self._page(asked, "jobQueues", self.queues)
        return {"jobQueues": [each for each in self.queues if each["jobQueueName"] in names]}

    def _policies(self, asked: dict) -> dict:
        assert len(asked["arns"]) <= 100
        found = [each for each in self.policies if each["arn"] in asked["arns"]]
        return {"schedulingPolicies": found}

    def _definitions(self, asked: dict) -> dict:
        assert asked["status"] == "ACTIVE"
        name = asked.get("jobDefinitionName")
        matching = [d for d in self.definitions if name in (None, d["jobDefinitionName"])]
        return self._page(asked, "jobDefinitions", matching)

    def _page(self, asked: dict, member: str, things: list[dict]) -> dict:
        at, size = int(asked.get("nextToken") or 0), asked["maxResults"]
        token = str(at + size) if at + size < len(things) else None
        return {member: things[at : at + size], "nextToken": token}


@pytest.fixture
async def world(bench) -> AsyncIterator[World]:
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield World(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def read(world: World) -> None:
    """The scope is used, and has been read once."""
    await world.asks("e")
    await world.clock.advance(0)
    world.woken.clear()
    world.bench.stub.sent.clear()


# --- how often AWS is asked -----------------------------------------------------------------


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


# --- what is answered without asking ---------------------------------------------------------


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
    assert feed._scopes[SCOPE].sights["e"].details == tuple(old)
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


# --- who is woken -----------------------------------------------------------------------------


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
    foreign = {"tags": {}}
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


# --- one scope and another --------------------------------------------------------------------


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


# --- the memory of a scope, without AWS ---------------------------------------------------------

NAMES = "abc"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "takes effect", "end", "walk", "ask", "answered"]),
        st.sampled_from([*NAMES, ANY_NAME]),
    ),
    max_size=60,
)


def numbered(began: int, name: str, number: int) -> Sight:
    detail = {"name": name, "number": number, "tags": {}}
    return Sight(began, (item_of(detail, arn=name, cluster_id="c", moving=False),))


class Model:
    """AWS as a number for each name, changes of ours, and looks whose answers take a while."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(NAMES, 0)
        self.moments = itertools.count(1)
        self.here = FeedScope(due=0.0)
        self.looks: list[tuple[int, dict[str, int]]] = []  # when asked, and what AWS saw then
        self.changing: list[str] = []

    def step(self, what: str, name: str) -> None:
        match what:
            case "begin":
                self.here.begin_change(name)
                self.changing.append(name)
            case "takes effect":  # at any time while the call is under way
                for each in NAMES:
                    self.numbers[each] += each in self.changing or ANY_NAME in self.changing
            case "end" if self.changing:
                self.here.end_change(self.changing.pop(0), next(self.moments))
            case "walk":
                self.looks.append((next(self.moments), dict(self.numbers)))
            case "ask" if name != ANY_NAME:
                self.looks.append((next(self.moments), {name: self.numbers[name]}))
            case "answered" if self.looks:
                self.answer(*self.looks.pop(len(self.looks) // 2))

    def answer(self, began: int, numbers: dict[str, int]) -> None:
        sights = {name: numbered(began, name, number) for name, number in numbers.items()}
        if len(numbers) < len(NAMES):
            self.here.asked(sights)
        else:
            self.here.read_all(began, sights, set(NAMES))


@given(STEPS)
def test_nothing_is_told_that_is_older_than_a_change_of_ours(steps):
    model = Model()
    for what, name in steps:
        model.step(what, name)
        everything = model.here.all_details()
        for each in NAMES:
            known = model.here.known(each)
            if known is not None:
                assert [detail["number"] for detail in known.details] == [model.numbers[each]]
            if everything is not None:
                told = {detail["name"]: detail["number"] for detail in everything}
                assert told[each] == model.numbers[each]


@given(STEPS)
def test_nothing_is_told_that_is_older_than_what_was_told_before(steps):
    """Of two looks under way at the same time the later one may be answered first."""
    model, told = Model(), dict.fromkeys(NAMES, 0)
    for what, name in steps:
        if what in ("begin", "takes effect", "end"):  # somebody else changes it
            model.numbers[name or "a"] += 1
        else:
            model.step(what, name)
        for each in NAMES:
            sight = model.here.sights.get(each)
            if sight is not None:
                (number,) = (detail["number"] for detail in sight.details or ())
                assert number >= told[each]
                told[each] = number


DETAILS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["CREATING", "VALID", "INVALID", "DELETING"])
)


def sights(states: dict[str, str], began: int) -> dict[str, Sight]:
    return {
        name: Sight(
            began,
            (
                item_of(
                    environment(name, status=status), arn=name, cluster_id=CLUSTER, moving=False
                ),
            ),
        )
        for name, status in states.items()
    }


@given(DETAILS, DETAILS)
def test_exactly_the_owners_of_what_differs_are_woken(before, after):
    here = FeedScope(due=0.0)
    here.read_all(1, sights(before, 1), set(before))
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    woken = here.read_all(2, sights(after, 2), set(after))
    assert woken == [key(name) for name in sorted(differing)]


@given(DETAILS)
def test_the_order_of_a_list_does_not_matter(states):
    here = FeedScope(due=0.0)
    here.read_all(1, sights(states, 1), set(states))
    assert here.read_all(2, sights(dict(reversed(states.items())), 2), set(states)) == []
