"""Who refers to whom, so that a change of one object wakes the others."""

from collections.abc import Iterable

from awsbatch_operator.api.metadata import ObjectKey


class ReferenceIndex:
    """References between objects by key, both ways. Targets need not exist."""

    def __init__(self) -> None:
        self._targets: dict[ObjectKey, tuple[ObjectKey, ...]] = {}
        # The inner dict is a set that keeps its order, so that a run can be repeated exactly.
        self._users: dict[ObjectKey, dict[ObjectKey, None]] = {}

    def put(self, key: ObjectKey, targets: Iterable[ObjectKey]) -> tuple[ObjectKey, ...]:
        """The object refers to exactly these now; returns the targets that it no longer has."""
        before = self._targets.get(key, ())
        after = tuple(dict.fromkeys(targets))
        if after == before:
            return ()
        dropped = tuple(target for target in before if target not in after)
        for target in dropped:
            self._forget_user(target, key)
        for target in after:
            self._users.setdefault(target, {})[key] = None
        if after:
            self._targets[key] = after
        else:
            self._targets.pop(key, None)
        return dropped

    def drop(self, key: ObjectKey) -> tuple[ObjectKey, ...]:
        """The object is gone; returns what it referred to."""
        return self.put(key, ())

    def users(self, key: ObjectKey) -> tuple[ObjectKey, ...]:
        """The objects that refer to this one, in the order in which they began to."""
        return tuple(self._users.get(key, ()))

    def targets(self, key: ObjectKey) -> tuple[ObjectKey, ...]:
        """What the object refers to."""
        return self._targets.get(key, ())

    def _forget_user(self, target: ObjectKey, user: ObjectKey) -> None:
        users = self._users.get(target, {})
        users.pop(user, None)
        if not users:
            self._users.pop(target, None)
