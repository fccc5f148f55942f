"""When to look at an environment's capacity again, if nothing tells of a change before."""

from collections.abc import Sequence

from awsbatch_operator.api.plans import Step
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.instances import ON_ITS_WAY, Stage
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.leaving import Situation, next_moment
from awsbatch_operator.capacity.model import Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.shortfalls import Short

SOON_SECONDS = 15.0
AT_REST_SECONDS = 60.0
_AT_LEAST = 1.0


def look_again(
    wish: Wish,
    seen: Observed,
    record: Launches,
    *,
    choice: Choice,
    steps: Sequence[Step[Call]],
    situation: Situation,
) -> float:
    """Seconds: soon while something is under way; and when the time of an instance is over.

    For jobs that nothing can hold there is never anything to do.
    """
    never = sum(each.need.count for each in choice.short if each.reason is Short.NEVER_FITS)
    moving = ON_ITS_WAY | {Stage.DRAINING, Stage.TERMINATING}
    busy = (
        steps
        or choice.picks
        or sum(need.count for need in seen.needs) > never
        or not seen.queues
        or record.open_intents()
        or any(life.stage in moving for life in seen.lives)
    )
    seconds = (SOON_SECONDS if busy else AT_REST_SECONDS) * seen.pace
    moment = next_moment(wish.pools, seen.lives, situation)
    if moment is None:
        return seconds
    return min(seconds, max(_AT_LEAST, moment.since(situation.now)))
