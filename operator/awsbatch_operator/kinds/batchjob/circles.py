"""Which BatchJobs wait for each other in a circle, kept up to date from the cache.

In memory only: it is made of the specs that the cache has, before the first turn of any object. A
circle can only be closed by a job whose dependencies change, and only if another job waits for that
one, so a chain of a thousand jobs costs about as many steps in whatever order they are applied.

To tell a circle explains why jobs wait; they wait without that, too. So what one change may cost is
bounded, however many jobs somebody lets wait for each other: a circle that would be found only
behind thousands of other jobs is not told, nor are more of a namespace than anybody would read.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.kinds.batchjob.dependencies import needed_jobs
from awsbatch_operator.kinds.batchjob.observed import TERMINAL
from awsbatch_operator.kinds.batchjob.record import end_condition

Circle = tuple[ObjectKey, ...]

LOOKED_THROUGH = 5000  # dependencies that one change may have looked at: 3 ms of the event loop
TOLD = 10_000  # jobs of a namespace in circles, one that is in several of them as often


def _nobody(_: ObjectKey) -> None:
    return None


class Circles:
    """Of the jobs that have not been submitted: which others each waits for, and their circles.

    `wake` is called for each job that has come into a circle or out of one. `freed` is called for a
    job for which nobody waits any more.
    """

    def __init__(self, wake: Callable[[ObjectKey], None] = _nobody) -> None:
        self._wake = wake
        self.freed: Callable[[ObjectKey], None] = _nobody
        self._needs: dict[ObjectKey, tuple[ObjectKey, ...]] = {}
        self._users: dict[ObjectKey, set[ObjectKey]] = {}
        self._circles: dict[ObjectKey, Circle] = {}
        self._told_in: Counter[str] = Counter()  # by namespace
        self._left = 0  # of what the change under way may look at

    def heard(self, change: Change) -> None:
        """Take in a change of the cache."""
        if change.key.kind != "BatchJob":
            return
        resource = change.resource
        waits = resource is not None and not change.settled and _waits(resource)
        self.put(change.key, needed_jobs(resource) if resource is not None and waits else ())

    def put(self, key: ObjectKey, needs: tuple[ObjectKey, ...]) -> None:
        """The job waits for exactly these now."""
        before = self._needs.get(key, ())
        if needs == before:
            return
        self._left = LOOKED_THROUGH
        self._link(key, before, needs)
        left = self._dissolved(key)
        self._look(key)
        for each in self._possible(left):
            self._look(each)
        for each in left:
            self._wake(each)
        for target in before:
            if target not in self._users:
                self.freed(target)

    def of(self, key: ObjectKey) -> Circle:
        """The circle that the job is in, beginning with it; empty if it is in none."""
        circle = self._circles.get(key, ())
        if not circle:
            return ()
        at = circle.index(key)
        return circle[at:] + circle[:at]

    def awaited(self, key: ObjectKey) -> bool:
        """Whether a job that has not been submitted depends on this one."""
        return key in self._users

    def _link(
        self, key: ObjectKey, before: Iterable[ObjectKey], needs: tuple[ObjectKey, ...]
    ) -> None:
        for target in before:
            users = self._users[target]
            users.discard(key)
            if not users:
                del self._users[target]
        for target in needs:
            self._users.setdefault(target, set()).add(key)
        if needs:
            self._needs[key] = needs
        else:
            self._needs.pop(key, None)

    def _dissolved(self, key: ObjectKey) -> tuple[ObjectKey, ...]:
        """The other jobs whose circle this one is in: each has to be looked at anew."""
        if key not in self._circles:
            return ()
        whole = {id(circle): circle for circle in self._circles.values()}  # most are shared
        over = {number for number, circle in whole.items() if key in circle}
        left = [each for each, circle in self._circles.items() if id(circle) in over]
        for each in left:
            del self._circles[each]
        self._told_in[key.namespace] -= sum(len(whole[number]) for number in over)
        return tuple(each for each in left if each != key)

    def _possible(self, left: tuple[ObjectKey, ...]) -> list[ObjectKey]:
        """Those that may be in a circle still.

        Whoever waits for none of those in circles is in none, nor is who waits only for such.
        """
        there = {*left}
        if left:
            place = left[0].namespace
            there |= {each for each in self._circles if each.namespace == place}
        counts = {
            each: sum(target in there for target in self._needs.get(each, ())) for each in there
        }
        ends = [each for each, count in counts.items() if not count]
        while ends:
            each = ends.pop()
            there.discard(each)
            for user in self._users.get(each, ()):
                if user in there:
                    counts[user] -= 1
                    if not counts[user]:
                        ends.append(user)
        return [each for each in left if each in there]

    def _look(self, key: ObjectKey) -> None:
        """Find the circle of a job and tell all that are in it; and those beside it.

        What one closes may be several circles, through other jobs: each of those is in one, too.
        """
        if key in self._circles or key not in self._users or not self._close(key):
            return
        both = self._reached(key, self._needs)
        both &= self._reached(key, self._users)
        for each in sorted(both):
            if each not in self._circles:
                self._close(each)

    def _close(self, key: ObjectKey) -> bool:
        """Whether it is seen that the job waits for itself: the shortest way is written down."""
        came_from: dict[ObjectKey, ObjectKey] = {}
        ahead = deque([key])
        while ahead and self._left > 0:
            each = ahead.popleft()
            for target in self._needs.get(each, ()):
                self._left -= 1
                if target == key:
                    return self._told(_way(key, each, came_from))
                if target not in came_from and target in self._needs:
                    came_from[target] = each
                    ahead.append(target)
        return False

    def _told(self, circle: Circle) -> bool:
        """Whether there was room for it."""
        namespace = circle[0].namespace
        if self._told_in[namespace] + len(circle) > TOLD:
            return False
        self._told_in[namespace] += len(circle)
        for each in circle:
            if each not in self._circles:
                self._circles[each] = circle
                self._wake(each)
        return True

    def _reached(
        self,
        key: ObjectKey,
        ways: dict[ObjectKey, tuple[ObjectKey, ...]] | dict[ObjectKey, set[ObjectKey]],
    ) -> set[ObjectKey]:
        seen, ahead = {key}, [key]
        while ahead and self._left > 0:
            for each in ways.get(ahead.pop(), ()):
                self._left -= 1
                if each not in seen:
                    seen.add(each)
                    ahead.append(each)
        return seen


def _way(key: ObjectKey, last: ObjectKey, came_from: dict[ObjectKey, ObjectKey]) -> Circle:
    """From the job to the one that waits for it, in the order in which they wait."""
    way = [last]
    while way[-1] != key:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def _waits(resource: Resource) -> bool:
    """Whether its next run is still to be submitted, as far as the object tells."""
    if resource.deleting:
        return False
    if "jobId" not in resource.status:
        return True
    if resource.spec.get("suspend") or _goes_on(resource):
        return True
    if resource.spec.get("rerunPolicy") != "OnChange":
        return False
    ends = (condition(resource.status, name) or {} for name in ("Complete", "Failed"))
    return any(
        each.get("status") == "True" and each.get("observedGeneration") != resource.generation
        for each in ends
    )


def _goes_on(resource: Resource) -> bool:
    """Whether its newest run has ended, and another one is to follow it."""
    return resource.status.get("awsStatus") in TERMINAL and end_condition(resource) is None
