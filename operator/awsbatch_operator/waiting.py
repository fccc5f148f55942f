"""Waiting for whichever comes first, on the injected clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from awsbatch_operator.api.instant import Clock

T = TypeVar("T")


async def first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Return when one of them has ended, with the others cancelled. An error of one is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work answers. TimeoutError, with the work cancelled, if it takes longer."""
    task = asyncio.ensure_future(work)

    async def ended() -> None:
        await asyncio.wait({task})

    try:
        await first_of(ended(), clock.sleep(seconds))
        if not task.done():
            raise TimeoutError(f"no answer within {seconds:.1f} s")
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_set(event: asyncio.Event) -> None:
    """Return when the event is set."""
    await event.wait()
