"""One Describe call for several callers who ask at about the same time.

There is no timer in it. The first question goes out at once; what is asked while it is under way
goes out together as soon as it is back. So a lone caller never waits, and the busier it gets, the
fuller the calls are. Every answer was asked for after its caller asked: it is never an old one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind

AnswerT = TypeVar("AnswerT")

Fetch = Callable[[Scope, Sequence[str]], Awaitable[Mapping[str, AnswerT]]]
"""The things of those names, by name; what does not exist is left out."""


@dataclass(slots=True)
class _Lane(Generic[AnswerT]):
    """The questions about one scope that have not been sent yet, and the fetchers at work."""

    waiting: dict[str, asyncio.Future[AnswerT | None]] = field(default_factory=dict)
    fetchers: set[asyncio.Task[None]] = field(default_factory=set)


class Coalescer(Generic[AnswerT]):
    """Answers single questions with calls for many. For one event loop."""

    def __init__(self, fetch: Fetch[AnswerT], *, most: int, parallel: int = 4) -> None:
        self._fetch = fetch
        self._most = most
        self._parallel = parallel
        self._lanes: dict[Scope, _Lane[AnswerT]] = {}

    async def get(self, scope: Scope, name: str) -> AnswerT | None:
        """The thing of that name, read after this call began; None if there is none."""
        lane = self._lanes.setdefault(scope, _Lane())
        answer = lane.waiting.get(name)
        if answer is None:
            answer = lane.waiting[name] = asyncio.get_running_loop().create_future()
            answer.add_done_callback(_looked_at)
        self._hire(scope, lane)
        # Shielded: whoever gives up must not take the answer away from the others.
        return await asyncio.shield(answer)

    def _hire(self, scope: Scope, lane: _Lane[AnswerT]) -> None:
        """A fetcher if none is at work, and further ones only for full calls."""
        full = len(lane.waiting) >= self._most and len(lane.fetchers) < self._parallel
        if full or not lane.fetchers:
            task = asyncio.get_running_loop().create_task(self._work(scope, lane))
            lane.fetchers.add(task)
            task.add_done_callback(partial(self._done, scope, lane))

    def _done(self, scope: Scope, lane: _Lane[AnswerT], task: asyncio.Task[None]) -> None:
        lane.fetchers.discard(task)
        if lane.waiting:
            self._hire(scope, lane)  # asked between the fetcher's last look and its end
        elif not lane.fetchers:
            self._lanes.pop(scope, None)

    async def _work(self, scope: Scope, lane: _Lane[AnswerT]) -> None:
        await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop comes along
        while lane.waiting:
            names = list(lane.waiting)[: self._most]
            answers = {name: lane.waiting.pop(name) for name in names}
            await self._answer(scope, answers)

    async def _answer(
        self, scope: Scope, answers: Mapping[str, asyncio.Future[AnswerT | None]]
    ) -> None:
        try:
            found = await self._fetch(scope, list(answers))
        except AwsError as error:
            if error.kind is ErrorKind.INVALID and len(answers) > 1:
                # AWS refuses the whole call for one bad name: the others must not suffer. By
                # halves it is found in a few calls, where one for each would take all rate tokens.
                names, half = list(answers), len(answers) // 2
                for some in (names[:half], names[half:]):
                    await self._answer(scope, {name: answers[name] for name in some})
                return
            _fail(answers, error)
        except BaseException as error:  # noqa: BLE001 - the callers are the ones to raise it
            _fail(answers, error)
        else:
            for name, answer in answers.items():
                if not answer.done():
                    answer.set_result(found.get(name))


def _fail(answers: Mapping[str, asyncio.Future[AnswerT | None]], error: BaseException) -> None:
    for answer in answers.values():
        if answer.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            answer.cancel()
        else:
            answer.set_exception(error)


def _looked_at(answer: asyncio.Future[AnswerT | None]) -> None:
    """Keep asyncio from complaining about an error when every caller has given up."""
    if not answer.cancelled():
        answer.exception()
