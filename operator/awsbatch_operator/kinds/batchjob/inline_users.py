"""Which jobs need a definition that stands in jobs, by the index of references."""

from dataclasses import dataclass, field

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.kinds.batchjob.inline import Place, needs


@dataclass(frozen=True, slots=True)
class DefinitionUsers:
    """Finds them without reading all jobs. For one event loop."""

    cache: Cache
    index: ReferenceIndex
    cluster_id: str
    _leaving: set[ObjectKey] = field(default_factory=set)

    def any_of(self, place: Place) -> bool:
        """Whether any job is recorded with it."""
        return bool(self.index.users(place.key))

    def need(self, place: Place, key: ObjectKey) -> bool:
        """Whether a job besides this one keeps the definition.

        A finished job is held in part only; it would not be in the index without being recorded.
        """
        for user in self.index.users(place.key):
            if user == key or user in self._leaving:
                continue
            if self.cache.settled(user):
                return True
            resource = self.cache.get(user)
            if resource is not None and needs(resource, place, self.cluster_id):
                return True
        return False

    def leaves(self, key: ObjectKey, *, leaving: bool) -> None:
        """Whether AWS runs nothing of the job any more, and it is about to be let go.

        Of two jobs that leave at the same time each would leave the definition to the other; so
        the one that comes to this point last finds that the other has come to it before.
        """
        if leaving:
            self._leaving.add(key)
        else:
            self._leaving.discard(key)
