"""Waking many objects without holding the event loop: an AWSAccount may have 100,000 users."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from awsbatch_operator.api.metadata import ObjectKey

SLICE = 200  # objects woken before other tasks of the loop have their turn


class Wakes:
    """Wakes a few objects at once, and the rest of them slice by slice in `run`."""

    def __init__(self, wake: Callable[[ObjectKey], None]) -> None:
        self._wake = wake
        self._left: deque[Iterator[ObjectKey]] = deque()
        self._more = asyncio.Event()

    def all(self, keys: Sequence[ObjectKey]) -> None:
        """Wake them all soon. Each is judged when it is woken, not now."""
        left = iter(keys)
        self._slice(left)
        if len(keys) > SLICE:
            self._left.append(left)
            self._more.set()

    @property
    def idle(self) -> bool:
        """Whether nobody is left to be woken."""
        return not self._left

    async def run(self) -> None:
        """Wake those who are left, until cancelled."""
        while True:
            await self._more.wait()
            while self._left:
                # In turn, so that a long one does not keep a short one waiting.
                left = self._left.popleft()
                if self._slice(left):
                    self._left.append(left)
                await asyncio.sleep(0)
            self._more.clear()

    def _slice(self, keys: Iterator[ObjectKey]) -> bool:
        """Wake the next few; whether there may be more."""
        few = tuple(islice(keys, SLICE))
        for key in few:
            self._wake(key)
        return len(few) == SLICE
