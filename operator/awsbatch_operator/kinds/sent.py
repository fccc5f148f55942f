"""What this process has asked of AWS for an object, and when: to make something, or to change it.

An object that is deleted, and of which AWS shows nothing, is let go at once if nothing of it can
come to light any more. What this process has sent it knows, and whether AWS has surely refused it;
whoever led before has sent nothing since this process won the lease. In memory only: the process
that follows takes it that something was sent until it won the lease itself.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.plans import Action, Step
from awsbatch_operator.api.scope import LeadershipStart, LeaseLostError, NoTokenError
from awsbatch_operator.aws.errors import AwsError

KEPT_SECONDS = 600.0  # far longer than AWS's describe calls lag
_MAKES = ("Create", "Register")
_CHANGES = "Update"
# What makes, marks or sets something is asked for again as long as AWS does not show it. Launches
# have tokens and plans of their own, and what ends something may be asked for while it is there.
_BRINGS = (*_MAKES, "Copy", "Put", "Tag", "Untag", "Enable", "Disable")
_PLANNED = ("CreateFleet", "CreateCapacityReservation")
# Seconds before AWS is asked for one and the same change once more, after it was so many times.
_BEFORE_ONE_MORE = (0.0, 0.0, 0.0, 30.0, 60.0, 120.0, 240.0, 600.0)


class Changes:
    """What AWS has taken and not shown since, by object. For one event loop.

    AWS may take a change, be UPDATING for some seconds, and show what it had before: it fills in a
    value by itself, or writes it in a way of its own. It may take a creation or a tag and never
    show it. Without this it would be asked again and again as fast as it answers, for ever, and
    never be called Ready.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[ObjectKey, dict[str, tuple[int, float]]] = {}  # how often, and when last

    def taken(self, key: ObjectKey, step: Step[Any]) -> None:
        """AWS has taken the step, and may show it for a moment and not keep it."""
        if step.expects is not None and step.action.operation.startswith(_CHANGES):
            self._count(key, step)

    def unshown(self, key: ObjectKey, step: Step[Any]) -> None:
        """AWS has taken the step, and the look after it does not show what was expected."""
        operation = step.action.operation
        if operation.startswith(_BRINGS) and operation not in _PLANNED:
            self._count(key, step)

    def _count(self, key: ObjectKey, step: Step[Any]) -> None:
        of_object = self._taken.setdefault(key, {})
        times, _ = of_object.get(repr(step.action), (0, 0.0))
        of_object[repr(step.action)] = times + 1, self._clock.monotonic()

    def seconds_left(self, key: ObjectKey, step: Step[Any]) -> float:
        """Before AWS is asked for it (again); 0: it may be asked now."""
        times, at = self._taken.get(key, {}).get(repr(step.action), (0, 0.0))
        wait = _BEFORE_ONE_MORE[min(times, len(_BEFORE_ONE_MORE) - 1)]
        return max(0.0, at + wait - self._clock.monotonic()) if times else 0.0

    def waits(self, key: ObjectKey, steps: Sequence[Step[Any]]) -> bool:
        """Whether all of the steps were asked for too often, and too lately."""
        known = key in self._taken and bool(steps)
        return known and all(self.seconds_left(key, step) > 0 for step in steps)

    def settled(self, key: ObjectKey) -> None:
        """AWS shows all that is wanted, or the object is gone."""
        self._taken.pop(key, None)


class Sent:
    """When AWS may last have been asked to make something, by object. For one event loop."""

    def __init__(self, clock: Clock, leadership: LeadershipStart) -> None:
        self._clock = clock
        self._leadership = leadership
        self.changes = Changes(clock)
        self._last: OrderedDict[ObjectKey, Instant] = OrderedDict()  # the oldest first

    @contextmanager
    def sending(self, key: ObjectKey, action: Action) -> Iterator[None]:
        """Around a call: one that makes something counts, unless AWS has surely not done it."""
        done = action.operation.startswith(_MAKES)
        try:
            yield
        except (NoTokenError, LeaseLostError):
            done = False
            raise
        except AwsError as error:
            done = done and error.outcome_unknown
            raise
        finally:
            if done:
                self._note(key)

    def last(self, key: ObjectKey) -> Instant | None:
        """The last moment at which AWS may have been asked to make something for the object.

        None: when this process won the lease is not known.
        """
        won, own = self._leadership.at, self._last.get(key)
        if won is None:
            return None
        return won if own is None else max(won, own)

    def _note(self, key: ObjectKey) -> None:
        now = self._clock.now()
        self._last[key] = now
        self._last.move_to_end(key)
        while now.since(next(iter(self._last.values()))) > KEPT_SECONDS:
            self._last.popitem(last=False)
