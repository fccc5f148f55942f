"""What a feed has read of the things of one name, and what of it is news. No AWS in here.

AWS tells us by our own tags whom a thing belongs to; what carries another cluster's tags, or none,
is of interest only to those who asked for its name.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of AWS. `packed` is its detail as JSON; None if there was no room to keep it."""

    arn: str
    mark: str  # differs whenever anything in the detail does
    owner: ObjectKey | None  # by our tags
    moving: bool  # AWS is at work on it
    packed: bytes | None

    @property
    def detail(self) -> Shape:
        """The detail, as a value of its own."""
        detail: Shape = decoded(self.packed or b"{}")
        return detail


class Details(Sequence[Shape]):
    """The details of some things, each read when it is reached.

    A definition may have thousands of revisions, and each job that names one looks for that one,
    which is mostly the newest.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Shape: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Shape]: ...
    def __getitem__(self, index: int | slice) -> Shape | Sequence[Shape]:
        found = self._items[index]
        return found.detail if isinstance(found, Item) else Details(found)


@dataclass(frozen=True, slots=True)
class Sight:
    """All things of one name as they were read together; none: AWS has nothing of that name.

    `began` numbers the moment at which AWS was asked: what was asked for later counts.
    """

    began: int
    items: tuple[Item, ...] = ()

    @property
    def details(self) -> Details | None:
        """The details in the order of their source; None if one was not kept."""
        if any(item.packed is None for item in self.items):
            return None
        return Details(self.items)

    @property
    def owners(self) -> frozenset[ObjectKey]:
        """Whose they are, by our tags."""
        return frozenset(item.owner for item in self.items if item.owner is not None)

    @property
    def moving(self) -> bool:
        """Whether AWS is at work on one of them."""
        return any(item.moving for item in self.items)

    def shows(self, other: "Sight") -> bool:
        """Whether both show the same, in whatever order AWS told it."""
        return _marks(self.items) == _marks(other.items)


def item_of(detail: Shape, *, arn: str, owner: ObjectKey | None, moving: bool) -> Item:
    """What is kept of a detail."""
    packed = json.dumps(detail, separators=(",", ":"), sort_keys=True, default=str).encode()
    mark = hashlib.blake2b(packed, digest_size=12).hexdigest()
    return Item(arn, mark, owner, moving, packed)


def owner_by_tags(cluster_id: str, tags: Mapping[str, str]) -> ObjectKey | None:
    """The object that the tags of a thing name; None if it is not ours."""
    if tags.get(CLUSTER) != cluster_id or KIND not in tags:
        return None
    return ObjectKey(tags[KIND], tags.get(NAMESPACE, ""), tags.get(NAME, ""))


def _marks(items: Iterable[Item]) -> set[tuple[str, str]]:
    return {(item.arn, item.mark) for item in items}
