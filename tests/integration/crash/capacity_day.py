"""A day with instances in a hard world: what must be true of them at any time and at its end."""

from collections import defaultdict
from typing import cast

from tests.integration.crash import invariants
from tests.integration.crash.capacity_scenario import DRAIN_SECONDS, LONG, SHORT, Story
from tests.integration.crash.day import Day
from tests.integration.crash.scenario import Step
from tests.support.capacity_world import CapacityWorld
from tests.support.crashing import Points
from tests.support.hard_world import HardWorld, Weather

CALM = Weather(slow=0.005)  # each further moment of a day costs polls


class CapacityDay(Day):
    """A story that is lived. Whenever the operator dies, another one starts."""

    def __init__(self, seed: int, points: Points, story: Story) -> None:
        self.story = story
        super().__init__(seed, points, CALM)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.story.steps

    @property
    def there(self) -> CapacityWorld:
        """The world, with its instances."""
        return cast("CapacityWorld", self.world)

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        story = self.story
        return CapacityWorld(
            seed,
            weather,
            SHORT,
            LONG,
            most=story.most,
            block=story.block,
            drain_seconds=DRAIN_SECONDS,
            faults=story.faults,
        )

    def check(self) -> None:
        super().check()
        witness = self.there.witness
        assert not witness.wrong, witness.wrong
        sets = defaultdict(set)
        for each in witness.launched.values():
            sets[each.token].add(each.at)
        twice = {token: moments for token, moments in sets.items() if len(moments) > 1}
        assert not twice, f"launched more than once by one token: {twice}"

    def check_the_end(self) -> None:
        """As many as the day takes were launched and reserved, and nothing of them is left."""
        invariants.check_nothing_left(self.world)
        witness, ec2 = self.there.witness, self.there.region.ec2
        assert len(witness.launched) in self.story.launched, sorted(witness.launched)
        ours = [token for token in witness.reserved.values() if token]
        assert len(ours) <= self.story.reservations, f"reserved by {ours}"
        left = [
            *self.there.alive(),
            *ec2.volumes.values(),
            *ec2.templates.values(),
            *(each for each in self.there.reservations_of_ours() if each.active),
            *self.there.members(),
        ]
        assert not left, f"left in EC2 and ECS: {left}"
