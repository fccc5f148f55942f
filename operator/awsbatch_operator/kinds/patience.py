"""An object does not change its conditions for a hiccup.

If it did, a throttled look at a queue would flip the queue, wake its thousand jobs, and have each
of them say in its status that it waits. So passing trouble with something that stands as specified
is told from the fourth look on, and the wait for a rate token when it has lasted a minute. Only
telling depends on this, so it may live in memory.
"""

from awsbatch_operator.api.metadata import ObjectKey

LOOKS = 3
FIRST_PAUSE_SECONDS = 0.05  # after a look that ran out of rate tokens; doubles up to the longest
LONGEST_PAUSE_SECONDS = 6.4
LOOK_SECONDS = 5.0
TOKEN_SECONDS = 60.0
# What AWS denies is tried again after half the time that it has been denied for, within these
# bounds: who grants a permission mostly does so soon, and looks on; who does not, for days.
DENIED_SECONDS, DENIED_LONG_SECONDS = 15.0, 600.0


class Patience:
    """Counts the looks in a row that brought nothing but passing trouble, and times the waits."""

    def __init__(self) -> None:
        self._looks: dict[ObjectKey, int] = {}
        self._waiting_since: dict[ObjectKey, float] = {}
        self._short: dict[ObjectKey, int] = {}
        self._denied_since: dict[ObjectKey, float] = {}

    def pause_after_a_short_look(self, key: ObjectKey) -> float:
        """How long to leave the object alone when a look ran out of rate tokens on its way.

        A turn may take several reads. Each time it comes again it spends tokens on the first of
        them, and if it always came when the next single token is there, it would never have enough
        for the last. Longer and longer pauses let the tokens add up.
        """
        short = self._short.get(key, 0)
        self._short[key] = short + 1
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(short, 10))

    def look_was_whole(self, key: ObjectKey) -> None:
        """The look had all the tokens that it takes."""
        self._short.pop(key, None)

    def with_trouble(self, key: ObjectKey) -> bool:
        """Passing trouble again: whether it is too early to tell."""
        looks = self._looks.get(key, 0) + 1
        self._looks[key] = looks
        return looks <= LOOKS

    def with_wait(self, key: ObjectKey, now: float) -> bool:
        """No rate token again, at that monotonic time: whether it is too early to tell."""
        since = self._waiting_since.setdefault(key, now)
        return now - since < TOKEN_SECONDS

    def wait_is_over(self, key: ObjectKey) -> None:
        """The token came."""
        self._waiting_since.pop(key, None)

    def denied(self, key: ObjectKey, now: float) -> float:
        """AWS denies a call, at that monotonic time: how long to wait before it is tried again."""
        since = self._denied_since.setdefault(key, now)
        return min(DENIED_LONG_SECONDS, max(DENIED_SECONDS, (now - since) / 2))

    def granted(self, key: ObjectKey) -> None:
        """Nothing was denied this time."""
        self._denied_since.pop(key, None)

    def over(self, key: ObjectKey) -> None:
        """The trouble has passed."""
        self._looks.pop(key, None)

    def forget(self, key: ObjectKey) -> None:
        """The object is finished or gone."""
        self.over(key)
        self.wait_is_over(key)
        self.look_was_whole(key)
        self.granted(key)
