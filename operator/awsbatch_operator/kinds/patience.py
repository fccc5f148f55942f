"""A settled object does not lose its Ready for a hiccup.

If it did, a throttled look at a queue would flip the queue, wake its thousand jobs, and have each
of them say in its status that it waits. So passing trouble with something that stands as specified
is told from the fourth look on. Only telling depends on this, so it may live in memory.
"""

from awsbatch_operator.api.metadata import ObjectKey

LOOKS = 3
LOOK_SECONDS = 5.0


class Patience:
    """Counts the looks in a row that brought nothing but passing trouble."""

    def __init__(self) -> None:
        self._looks: dict[ObjectKey, int] = {}

    def another(self, key: ObjectKey) -> bool:
        """Passing trouble again: whether to keep it to ourselves this time."""
        looks = self._looks.get(key, 0) + 1
        self._looks[key] = looks
        return looks <= LOOKS

    def over(self, key: ObjectKey) -> None:
        """The trouble has passed, or the object is gone."""
        self._looks.pop(key, None)
