"""A day lived on from chosen calls: some are struck in each way, others in one after another."""

import itertools
from abc import ABC, abstractmethod

from tests.integration.crash.branches import Branches
from tests.integration.crash.day import Day
from tests.support.crashing import Mode

MODES = (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)


class Strikes(ABC):
    """Chooses the calls that are struck, and how; made for one day."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._ways = itertools.cycle(MODES)
        self._way = Mode.BEFORE  # of the first child of a call; the next ones follow in turn

    @abstractmethod
    def __call__(self, name: str) -> int:
        """How many children live on from a call of that name; asked at every call."""

    def in_each_way(self) -> int:
        """Strike this call in all ways."""
        self._way = Mode.BEFORE
        return len(MODES)

    def in_the_next_way(self) -> int:
        """Strike this call once, in another way than the one before."""
        self._way = next(self._ways)
        return 1

    @property
    def mode(self) -> Mode:
        """How this child is struck."""
        return MODES[(MODES.index(self._way) + self._branches.turn) % len(MODES)]

    async def live(self, day: Day) -> int:
        """Live that day; how many calls were struck, each of them alone and as chosen."""
        points = day.points

        def tell() -> int:
            assert [each.mode for each in points.struck] == [self.mode]
            return 1

        return await self._branches.live(
            day.live_well(),
            points,
            at=self,
            strike=lambda: points.strike_now(self.mode),
            tell=tell,
        )
