import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.coalescing import Coalescer
from awsbatch_operator.aws.errors import AwsError, ErrorKind

SCOPE = Scope("111122223333", "eu-central-1")
OTHER = Scope("444455556666", "eu-central-1")


class Source:
    """Answers after a while; remembers what it was asked."""

    def __init__(self, *, turns: int = 3, bad: str = "", error: BaseException | None = None):
        self.asked: list[list[str]] = []
        self.now = self.most = 0
        self._turns, self._bad, self._error = turns, bad, error

    async def __call__(self, scope, names):
        self.asked.append(list(names))
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(self._turns):
            await asyncio.sleep(0)
        self.now -= 1
        if self._error:
            raise self._error
        if self._bad in names and self._bad:
            raise AwsError(ErrorKind.INVALID, operation="D", message=f"{self._bad} is bad")
        return {name: {"name": name} for name in names if not name.startswith("absent")}


async def test_questions_that_come_together_go_out_as_one_call():
    source = Source()
    coalescer = Coalescer(source, most=100)
    found = await asyncio.gather(*(coalescer.get(SCOPE, f"j{n}") for n in range(50)))
    assert len(source.asked) == 1
    assert [answer and answer["name"] for answer in found] == [f"j{n}" for n in range(50)]


async def test_what_is_asked_while_a_call_is_under_way_waits_for_the_next_one():
    source = Source()
    coalescer = Coalescer(source, most=100)
    first = asyncio.create_task(coalescer.get(SCOPE, "same"))
    await asyncio.sleep(0)  # it begins, …
    await asyncio.sleep(0)  # … its fetcher begins, …
    await asyncio.sleep(0)  # … and asks
    assert source.asked == [["same"]]
    second = asyncio.create_task(coalescer.get(SCOPE, "same"))
    await asyncio.gather(first, second)
    assert source.asked == [["same"], ["same"]]  # an answer is never older than its question


async def test_full_calls_go_side_by_side_but_not_too_many():
    source = Source(turns=50)
    coalescer = Coalescer(source, most=10, parallel=3)
    await asyncio.gather(*(coalescer.get(SCOPE, str(n)) for n in range(100)))
    assert source.most == 3
    assert all(len(names) <= 10 for names in source.asked)


async def test_scopes_are_never_mixed():
    source = Source()
    coalescer = Coalescer(source, most=10)
    await asyncio.gather(coalescer.get(SCOPE, "a"), coalescer.get(OTHER, "b"))
    assert sorted(source.asked) == [["a"], ["b"]]


async def test_what_does_not_exist_is_none():
    assert await Coalescer(Source(), most=10).get(SCOPE, "absent") is None


async def test_one_bad_name_does_not_spoil_the_others():
    coalescer = Coalescer(Source(bad="bad"), most=10)
    found = await asyncio.gather(
        *(coalescer.get(SCOPE, name) for name in ("good", "bad")), return_exceptions=True
    )
    assert found[0] == {"name": "good"}
    assert isinstance(found[1], AwsError)


async def test_one_bad_name_among_a_hundred_costs_a_few_calls():
    source = Source(bad="7")
    coalescer = Coalescer(source, most=100)
    asked = (coalescer.get(SCOPE, str(number)) for number in range(100))
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [number for number, each in enumerate(found) if isinstance(each, AwsError)] == [7]
    assert len(source.asked) <= 15


async def test_an_error_reaches_everyone_who_asked():
    class ProcessDied(BaseException):
        pass

    coalescer = Coalescer(Source(error=ProcessDied()), most=10)
    for task in [asyncio.create_task(coalescer.get(SCOPE, name)) for name in "ab"]:
        with pytest.raises(ProcessDied):
            await task


async def test_whoever_gives_up_does_not_take_the_answer_from_the_others():
    coalescer = Coalescer(Source(), most=10)
    leaver = asyncio.create_task(coalescer.get(SCOPE, "a"))
    stayer = asyncio.create_task(coalescer.get(SCOPE, "a"))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer == {"name": "a"}


async def test_it_can_be_asked_again_after_a_failure():
    source = Source(error=AwsError(ErrorKind.TRANSIENT, operation="D", message="lost"))
    coalescer = Coalescer(source, most=10)
    with pytest.raises(AwsError):
        await coalescer.get(SCOPE, "a")
    source._error = None
    assert await coalescer.get(SCOPE, "a") == {"name": "a"}


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20)), min_size=1, max_size=60),
    st.integers(1, 7),
)
def test_everyone_gets_his_own_answer_in_calls_that_are_never_too_big(askers, most):
    async def scenario():
        source = Source()
        coalescer = Coalescer(source, most=most)

        async def ask(turns: int, number: int):
            for _ in range(turns):
                await asyncio.sleep(0)
            return await coalescer.get(SCOPE, str(number))

        found = await asyncio.gather(*(ask(turns, number) for turns, number in askers))
        assert [answer and answer["name"] for answer in found] == [
            str(number) for _, number in askers
        ]
        assert all(len(names) <= most == len(names) or len(names) < most for names in source.asked)
        assert sum(map(len, source.asked)) <= len(askers)

    asyncio.run(scenario())
