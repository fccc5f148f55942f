"""Who am I, asked by many at once."""

import asyncio
from typing import Any

import pytest

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.identity import IdentityAdapter

OWN = Scope("111122223333", "eu-central-1")
ROLE = Scope("111122223333", "eu-central-1", "arn:aws:iam::111122223333:role/x")


class SlowSender:
    """Answers when it is told to, and counts the calls."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.error: AwsError | None = None
        self.calls = 0

    def default_region(self) -> str:
        return "eu-central-1"

    async def call(self, scope: Scope, name: str, request: Any) -> Any:
        return await self.call_as(scope, name, request)

    async def call_as(self, sent: Any, name: str, request: Any) -> Any:
        self.calls += 1
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return {"Account": "111122223333"}


async def asked(sender: Any, *scopes: Scope | None) -> list[Any]:
    """The answers to all who asked before the first one was there."""
    adapter = IdentityAdapter(sender)
    waiting = [asyncio.ensure_future(adapter.caller(scope)) for scope in scopes]
    await asyncio.sleep(0.0)
    sender.answer.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_whoever_asks_while_the_same_question_is_under_way_shares_the_answer():
    sender = SlowSender()
    answers = await asked(sender, *[None] * 64, OWN, OWN, ROLE)
    assert [answer["Account"] for answer in answers] == ["111122223333"] * 67
    assert sender.calls == 3


async def test_the_failure_is_shared_too_and_the_next_one_asks_anew():
    sender: Any = SlowSender()
    sender.error = AwsError(ErrorKind.DENIED, operation="GetCallerIdentity", message="no")
    adapter = IdentityAdapter(sender)
    sender.answer.set()
    for calls in (1, 2):
        waiting = [asyncio.ensure_future(adapter.caller(None)) for _ in range(9)]
        for failed in await asyncio.gather(*waiting, return_exceptions=True):
            assert failed is sender.error
        assert sender.calls == calls


async def test_whoever_gives_up_does_not_take_the_answer_from_the_others():
    sender: Any = SlowSender()
    adapter = IdentityAdapter(sender)
    first, second = (asyncio.ensure_future(adapter.caller(None)) for _ in range(2))
    await asyncio.sleep(0.0)
    first.cancel()
    sender.answer.set()
    assert (await second)["Account"] == "111122223333"
    with pytest.raises(asyncio.CancelledError):
        await first
