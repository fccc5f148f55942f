"""Who refers to an object, read only when asked: a definition may have thousands of jobs."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import overload

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import in_aws
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.kinds.contract import is_going


class Users(Sequence[Resource]):
    """The objects that refer to one of `keys` and may still need it: those that are over are not.

    Each access reads the cache, so it is as fresh as that. `going`: only those that are being
    deleted, and will go without a person.
    """

    def __init__(
        self,
        *,
        keys: Sequence[ObjectKey],
        cache: Cache,
        index: ReferenceIndex,
        going: bool = False,
    ) -> None:
        self._keys = keys
        self._only_going = going
        self._cache = cache
        self._index = index

    def __iter__(self) -> Iterator[Resource]:
        for user in chain.from_iterable(map(self._index.users, self._keys)):
            if self._cache.settled(user) or (self._only_going and not self._cache.deleting(user)):
                continue
            resource = self._cache.get(user)
            if resource is not None and (not self._only_going or is_going(resource)):
                yield resource

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | Sequence[Resource]:
        return tuple(self)[index]


def users_of(
    key: ObjectKey,
    recorded: ScopeRecord,
    *,
    cache: Cache,
    index: ReferenceIndex,
    going: bool = False,
) -> Users:
    """Who names the object, or by its ARN what it has in AWS."""
    by_arn = in_aws(recorded.account_id, recorded.region, key.kind, recorded.serving)
    return Users(keys=(key, by_arn), cache=cache, index=index, going=going)


def goes(cache: Cache, key: ObjectKey) -> bool:
    """Whether the object is being deleted, and nobody has paused that."""
    resource = cache.get(key) if cache.deleting(key) else None
    return resource is not None and is_going(resource)
