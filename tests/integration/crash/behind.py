"""API servers that show the past for a while: how a day comes by them."""

from random import Random

from tests.integration.crash.day import Day
from tests.support.api_servers import ApiServer

CHANGES = (1, 40)  # of any object, that the server has not seen yet
CATCHING_UP = (0.0, 40.0)  # seconds


class Behind:
    """Gives a day API servers that are behind."""

    def __init__(self) -> None:
        self._dice = Random()
        self.times = 0

    def seed(self, seed: int) -> None:
        """Fall back by what follows from this."""
        self._dice.seed(seed)

    def fall_back(self, day: Day, server: ApiServer) -> ApiServer:
        """Let the server be behind for a while."""
        self.times += 1
        server.fall_back(self._dice.randint(*CHANGES))
        day.world.soon(self._dice.uniform(*CATCHING_UP), server.catch_up)
        return server

    def at_each_restart(self, day: Day) -> None:
        """Whoever starts after a death finds a server that is behind."""

        def server() -> ApiServer:
            fresh = ApiServer(day.world.history)
            return self.fall_back(day, fresh) if day.points.struck else fresh

        day.server = server

    def at_each_strike(self, day: Day) -> None:
        """The connection fails over to a server that is behind."""

        def meanwhile() -> None:
            self.fall_back(day, day.world.server)

        day.points.meanwhile = meanwhile
