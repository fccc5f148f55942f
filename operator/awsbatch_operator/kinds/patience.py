"""An object does not change its conditions for a hiccup.

If it did, a throttled look at a queue would flip the queue, wake its thousand jobs, and have each
of them say in its status that it waits. So passing trouble with something that stands as specified
is told from the fourth look on, and the wait for a rate token when it has lasted a minute. Only
telling depends on this, so it may live in memory.
"""

from awsbatch_operator.api.metadata import ObjectKey

LOOKS = 3
LOOK_SECONDS = 5.0
TOKEN_SECONDS = 60.0


class Patience:
    """Counts the looks in a row that brought nothing but passing trouble, and times the waits."""

    def __init__(self) -> None:
        self._looks: dict[ObjectKey, int] = {}
        self._waiting_since: dict[ObjectKey, float] = {}

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

    def over(self, key: ObjectKey) -> None:
        """The trouble has passed."""
        self._looks.pop(key, None)

    def forget(self, key: ObjectKey) -> None:
        """The object is finished or gone."""
        self.over(key)
        self.wait_is_over(key)
