"""Answers of AWS that change seldom: kept for a while, and asked for together (coalescing.py)."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.coalescing import Coalescer, Fetch
from awsbatch_operator.aws.limits import AccountRegion

AnswerT = TypeVar("AnswerT")

WHOLE = "*"  # the name of what has none, being all things of a scope


_Key = tuple[Hashable, str]
"""What an answer belongs to, such as an account and region, and its name."""


@dataclass(frozen=True, slots=True)
class _Answer(Generic[AnswerT]):
    """What AWS said, None if there is none, until when (monotonic seconds) that is told."""

    value: AnswerT | None
    until: float
    moment: int  # numbers the moment at which AWS was asked


def by_account(scope: Scope) -> Hashable:
    """What is the same for whoever asks in an account and region, by whatever role."""
    return AccountRegion(scope.account_id, scope.region)


def by_region(scope: Scope) -> Hashable:
    """What is the same in all accounts of a region."""
    return scope.region


class Kept(Generic[AnswerT]):
    """At most `most` answers, each for `seconds`. For one event loop.

    What is not there is an answer as well. Errors are not kept. With `fresh`, AWS is asked after
    the call began.
    """

    def __init__(
        self,
        fetch: Fetch[AnswerT],
        clock: Clock,
        *,
        seconds: float,
        most: int,
        at_once: int = 1,
        shared: Callable[[Scope], Hashable] = by_account,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._shared = shared
        self._answers: OrderedDict[_Key, _Answer[AnswerT]] = OrderedDict()
        self._moments = itertools.count(1)
        # What was asked for before that moment is not kept; by what the answers belong to.
        self._forgotten: dict[Hashable, int] = {}
        self._coalescer: Coalescer[AnswerT] = Coalescer(self._ask, most=at_once)

    async def get(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, AnswerT]:
        """The answers by name; what is not there is left out. Raises AwsError, NoTokenError."""
        wanted = sorted(set(names))
        # Without a task for each name, since nearly always all of them are known.
        found: dict[str, AnswerT | None] = {}
        for name in () if fresh else wanted:
            if (known := self._known(scope, name)) is not None:
                found[name] = known.value
        asked = [name for name in wanted if name not in found]
        told = await asyncio.gather(*(self._one(scope, name, fresh=fresh) for name in asked))
        found |= zip(asked, told, strict=True)
        return {name: value for name in wanted if (value := found[name]) is not None}

    async def whole(self, scope: Scope, *, fresh: bool = False) -> AnswerT | None:
        """The answer that has no name."""
        return await self._one(scope, WHOLE, fresh=fresh)

    def last(self, scope: Scope, name: str) -> AnswerT | None:
        """The newest answer, however old it is, if it was not crowded out."""
        known = self._answers.get((self._shared(scope), name))
        return None if known is None else known.value

    def forget(self, scope: Scope) -> None:
        """We have changed what this is about: what AWS said of the scope until now is old."""
        shared = self._shared(scope)
        self._forgotten[shared] = next(self._moments)
        for key in [key for key in self._answers if key[0] == shared]:
            del self._answers[key]

    async def _one(self, scope: Scope, name: str, *, fresh: bool) -> AnswerT | None:
        known = None if fresh else self._known(scope, name)
        return await self._coalescer.get(scope, name) if known is None else known.value

    def _known(self, scope: Scope, name: str) -> _Answer[AnswerT] | None:
        """What AWS has said and is still told; None: AWS has to be asked."""
        key = (self._shared(scope), name)
        known = self._answers.get(key)
        if known is None or self._clock.monotonic() >= known.until:
            return None
        self._answers.move_to_end(key)
        return known

    async def _ask(self, scope: Scope, names: Sequence[str]) -> Mapping[str, AnswerT]:
        moment, now = next(self._moments), self._clock.monotonic()
        found = await self._fetch(scope, names)
        for name in names:
            answer = _Answer(found.get(name), now + self._seconds, moment)
            self._keep((self._shared(scope), name), answer)
        return found

    def _keep(self, key: _Key, answer: _Answer[AnswerT]) -> None:
        before = self._answers.get(key)
        oldest = max(self._forgotten.get(key[0], 0), before.moment if before else 0)
        if answer.moment < oldest:
            return
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
