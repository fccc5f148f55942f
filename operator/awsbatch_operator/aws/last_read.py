"""What a feed has read last, for those who only want to know that. No AWS in here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.feed_scope import ANY_NAME, FeedScope


@dataclass(frozen=True, slots=True)
class LastRead:
    """Answers from memory. `scopes` are a feed's own, as they are at each question."""

    scopes: Mapping[Scope, FeedScope]

    def names_of(self, scope: Scope, arns: Collection[str]) -> Collection[str]:
        """Under which names these things were read last; ANY_NAME if one of them never was."""
        here = self.scopes.get(scope)
        found = {} if here is None else here.names_of(arns)
        return set(found.values()) if len(found) == len(set(arns)) else {ANY_NAME}

    def owners_of(self, arns: Collection[str]) -> Mapping[str, tuple[Scope, ObjectKey | None]]:
        """Where these things were read, and whose they are by our tags; unknown ones left out."""
        wanted, found = frozenset(arns), dict[str, tuple[Scope, ObjectKey | None]]()
        for scope, here in self.scopes.items():
            found |= {arn: (scope, owner) for arn, owner in here.owners_of(wanted).items()}
        return found

    def at(self, place: tuple[str, str]) -> float | None:
        """When the last reading of an (account, region) began: -inf: none did; None: unused."""
        return max((here.read_at for here in self._of(place)), default=None)

    def others(self, place: tuple[str, str], name: str) -> int | None:
        """How many things an (account, region) has besides the one of that name.

        What we are making counts already, so that two that are made at the same time do not both
        take the last place. None: the place was never read as a whole. Whoever reads it by two
        identities has read it as well as the one that has read it last.
        """
        read = [here for here in self._of(place) if here.is_read]
        newest = max(read, key=lambda here: here.read_at, default=None)
        return None if newest is None else newest.others(name)

    def _of(self, place: tuple[str, str]) -> list[FeedScope]:
        return [it for at, it in self.scopes.items() if (at.account_id, at.region) == place]
