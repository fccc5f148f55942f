"""Asking the scheduler to look at the waiting jobs.

It stands below everything that changes the world, and so knows the scheduler only through the
store.
"""

from awsbatch_simulator.region import Region


def look_soon(region: Region, *, seconds: float | None = None) -> None:
    """Have the scheduler look within `delays.scheduler` (or that many) simulated seconds."""
    store, clock = region.batch, region.world.clock
    delay = region.world.settings.delays.scheduler if seconds is None else seconds
    when = clock.now() + delay
    if store.next_look is not None:
        if store.next_look.when <= when:
            return
        store.next_look.cancel()
    store.next_look = clock.call_at(when, _look, region)


def _look(region: Region) -> None:
    region.batch.next_look = None
    region.batch.look(region)
