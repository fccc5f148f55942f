"""What AWS said is told again for a while, and never when it may be old."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.kept import Kept, by_region

SCOPE = Scope("111122223333", "eu-central-1")


class Aws:
    """Answers with how often it was asked; a test holds it up, or makes it fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.absent: set[str] = set()
        self.error: Exception | None = None

    async def __call__(self, scope: Scope, names: Sequence[str]) -> Mapping[str, int]:
        del scope
        self.asked.append(tuple(names))
        number = len(self.asked)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return {name: number for name in names if name not in self.absent}


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def kept(aws: Aws, clock: SteppedClock, **more) -> Kept[int]:
    return Kept(aws, clock, **{"seconds": 60, "most": 10, "at_once": 5, **more})


async def test_an_answer_is_told_again_until_it_is_too_old(aws, clock):
    answers = kept(aws, clock)
    assert await answers.get(SCOPE, ["a", "b"]) == {"a": 1, "b": 1}
    await clock.advance(59)
    assert await answers.get(SCOPE, ["b", "a", "c"]) == {"a": 1, "b": 1, "c": 2}
    await clock.advance(1)
    assert await answers.get(SCOPE, ["a"]) == {"a": 3}
    assert aws.asked == [("a", "b"), ("c",), ("a",)]


async def test_what_is_known_is_told_without_a_turn_of_the_event_loop(aws, clock):
    answers = kept(aws, clock)
    names = [str(number) for number in range(9)]
    await answers.get(SCOPE, names)
    again = answers.get(SCOPE, names)
    with pytest.raises(StopIteration) as told:  # it waits for nothing
        again.send(None)
    assert list(told.value.value) == names


async def test_that_there_is_none_is_an_answer_as_well(aws, clock):
    aws.absent = {"a"}
    answers = kept(aws, clock)
    assert await answers.get(SCOPE, ["a"]) == {}
    assert await answers.get(SCOPE, ["a"]) == {}
    assert len(aws.asked) == 1


async def test_who_wants_it_fresh_gets_what_was_asked_for_after(aws, clock):
    answers = kept(aws, clock)
    aws.go.clear()
    first = asyncio.create_task(answers.get(SCOPE, ["a"]))
    await clock.advance(0)
    second = asyncio.create_task(answers.get(SCOPE, ["a"], fresh=True))
    await clock.advance(0)
    aws.go.set()
    assert (await first, await second) == ({"a": 1}, {"a": 2})
    assert await answers.get(SCOPE, ["a"]) == {"a": 2}


async def test_fresh_asks_for_what_is_known_as_well(aws, clock):
    answers = kept(aws, clock)
    await answers.get(SCOPE, ["a", "b"])
    assert await answers.get(SCOPE, ["a", "b"], fresh=True) == {"a": 2, "b": 2}
    assert await answers.get(SCOPE, ["a", "b"]) == {"a": 2, "b": 2}


async def test_who_asks_meanwhile_shares_the_question(aws, clock):
    answers = kept(aws, clock)
    aws.go.clear()
    tasks = [asyncio.create_task(answers.get(SCOPE, ["a", "b"])) for _ in range(5)]
    await clock.advance(0)
    aws.go.set()
    assert await asyncio.gather(*tasks) == [{"a": 1, "b": 1}] * 5


async def test_errors_are_told_and_not_kept(aws, clock):
    aws.error = AwsError(ErrorKind.DENIED, operation="x", message="no")
    answers = kept(aws, clock)
    with pytest.raises(AwsError):
        await answers.get(SCOPE, ["a", "b"])
    aws.error = None
    assert await answers.get(SCOPE, ["a"]) == {"a": 2}


async def test_an_error_leaves_the_last_answer_to_those_who_want_it(aws, clock):
    answers = kept(aws, clock)
    await answers.get(SCOPE, ["a"])
    await clock.advance(3600)
    assert (answers.last(SCOPE, "a"), answers.last(SCOPE, "b")) == (1, None)


async def test_what_was_asked_before_a_change_of_ours_is_not_kept(aws, clock):
    answers = kept(aws, clock)
    aws.go.clear()
    first = asyncio.create_task(answers.get(SCOPE, ["a"]))
    await clock.advance(0)
    answers.forget(SCOPE)
    aws.go.set()
    assert await first == {"a": 1}
    assert await answers.get(SCOPE, ["a"]) == {"a": 2}
    assert await answers.get(SCOPE, ["a"]) == {"a": 2}


async def test_a_change_makes_old_what_is_known_of_its_account_alone(aws, clock):
    answers, other = kept(aws, clock), Scope("444455556666", "eu-central-1")
    await answers.get(SCOPE, ["a"])
    await answers.get(other, ["a"])
    answers.forget(SCOPE)
    assert await answers.get(other, ["a"]) == {"a": 2}
    assert await answers.get(SCOPE, ["a"]) == {"a": 3}


async def test_no_more_are_kept_than_there_is_room_for(aws, clock):
    answers = kept(aws, clock, most=3, at_once=1)
    for name in "abcd":
        await answers.get(SCOPE, [name])
    assert [answers.last(SCOPE, name) for name in "abcd"] == [None, 2, 3, 4]


async def test_an_answer_belongs_to_the_account_and_region_whatever_the_role(aws, clock):
    answers = kept(aws, clock)
    await answers.get(SCOPE, ["a"])
    await answers.get(Scope("111122223333", "eu-central-1", "arn:aws:iam::1:role/r"), ["a"])
    assert len(aws.asked) == 1
    await answers.get(Scope("444455556666", "eu-central-1"), ["a"])
    await answers.get(Scope("111122223333", "eu-west-1"), ["a"])
    assert len(aws.asked) == 3


async def test_what_is_the_same_in_all_accounts_is_asked_for_once_a_region(aws, clock):
    answers = kept(aws, clock, shared=by_region)
    await answers.whole(SCOPE)
    await answers.whole(Scope("444455556666", "eu-central-1"))
    assert len(aws.asked) == 1
