"""The objects that were taken in or read last, as they are read: decoded once for each version."""

from collections import OrderedDict

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.packing import unpack

# As many jobs as are under way in a burst, of some 10 kB each; finished ones are not kept. With
# fewer, a burst reads each object anew in each turn: the others have come in between.
MOST = 1024


class Decoded:
    """Belongs to one cache, which holds all objects packed. A text is known by its identity."""

    def __init__(self) -> None:
        self._read: OrderedDict[ObjectKey, tuple[bytes, Resource]] = OrderedDict()

    def get(self, key: ObjectKey, packed: bytes) -> Resource:
        """The object that the text says, as it was read before or is read now."""
        known = self._read.get(key)
        if known is None or known[0] is not packed:
            before = None if known is None else known[1]
            resource = Resource.from_body(unpack(packed), before=before)
            self.keep(key, packed, resource)
            return resource
        self._read.move_to_end(key)
        return known[1]

    def keep(self, key: ObjectKey, packed: bytes, resource: Resource) -> None:
        """The object is as the text says, and was read of it or of the body that it was made of."""
        self._read[key] = (packed, resource)
        self._read.move_to_end(key)
        if len(self._read) > MOST:
            self._read.popitem(last=False)

    def last(self, key: ObjectKey) -> Resource | None:
        """The object in whatever version was read last; None if none is kept."""
        known = self._read.get(key)
        return None if known is None else known[1]

    def forget(self, key: ObjectKey) -> None:
        """The object is gone, or will hardly be read again."""
        self._read.pop(key, None)
