"""What a feed knows of one scope, and who hears of what is new. No AWS and no clock in here.

Moments at which AWS is asked, and at which we change something, are numbers that only grow, not
times: what was asked for before a change ended may show the thing as it was.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.aws.sight import Sight

ANY_NAME = ""  # we changed something, and cannot tell what


@dataclass(slots=True)
class _Change:
    """Changes of ours to one name: how many are under way, and when the last one ended."""

    under_way: int = 0
    ended: int = 0


@dataclass(slots=True, eq=False)
class FeedScope:
    """One scope of one feed. `due`, `used_at` and `hurry_until` are monotonic seconds."""

    due: float
    used_at: float = 0.0
    hurry_until: float = 0.0
    read: int | None = None  # when the last reading of the whole scope began
    read_at: float = -math.inf  # the same, in monotonic seconds
    names: Collection[str] | None = None  # all that it found; None: it read the followed names only
    sights: dict[str, Sight] = field(default_factory=dict)
    _followers: dict[str, dict[ObjectKey | None, float]] = field(default_factory=dict)
    _changes: dict[str, _Change] = field(default_factory=dict)
    _askers: dict[str, set[ObjectKey]] = field(default_factory=dict)

    def follow(self, name: str, wake: ObjectKey | None, until: float) -> None:
        """Read this name until then, whoever owns it, and wake that object when it differs."""
        self._followers.setdefault(name, {})[wake] = until

    def follow_no_more(self, name: str) -> None:
        """Nothing of that name is to come: whoever asks for it again follows it again."""
        self._followers.pop(name, None)

    def followed(self, now: float) -> set[str]:
        """The names to be read in any case: those asked for lately, and our own."""
        for name, until in list(self._followers.items()):
            alive = {key: limit for key, limit in until.items() if limit > now}
            if alive:
                self._followers[name] = alive
            else:
                del self._followers[name]
        ours = {name for name, sight in self.sights.items() if sight.owners}
        return ours | self._followers.keys()

    @property
    def in_use(self) -> bool:
        """Whether anything is ours or was asked for lately."""
        return bool(self._followers) or any(sight.owners for sight in self.sights.values())

    def everybody(self) -> list[ObjectKey]:
        """All who may be woken."""
        owners = {owner for sight in self.sights.values() for owner in sight.owners}
        for keys in self._followers.values():
            owners |= {key for key in keys if key is not None}
        return sorted(owners)

    @property
    def moving(self) -> bool:
        """Whether AWS is at work on any of them."""
        return any(sight.moving for sight in self.sights.values())

    @property
    def is_read(self) -> bool:
        """Whether it was ever read so that all names are known."""
        return self.read is not None and self.names is not None

    def others(self, name: str) -> int:
        """How many things there are besides the one of that name, those under way included.

        A name at which we are changing something, and which was not read since, may be about to
        appear; one that was asked for later than the whole scope counts as that answer said.
        """
        there = set(self.names or ())
        for each, sight in self.sights.items():
            (there.add if sight.items else there.discard)(each)
        there |= {each for each in self._changes if not self._is_current(each, self._began(each))}
        return len(there - {name, ANY_NAME})

    def names_of(self, arns: Collection[str]) -> dict[str, str]:
        """The names of those of these things that are known, by ARN."""
        wanted = set(arns)
        return {
            item.arn: name
            for name, sight in self.sights.items()
            for item in sight.items
            if item.arn in wanted
        }

    def owners_of(self, arns: Collection[str]) -> dict[str, ObjectKey | None]:
        """Whose those of these things are that are known, by ARN."""
        return {
            item.arn: item.owner
            for sight in self.sights.values()
            for item in sight.items
            if item.arn in arns
        }

    def begin_change(self, name: str) -> None:
        """We are about to change the thing of that name."""
        self._changes.setdefault(name, _Change()).under_way += 1

    def end_change(self, name: str, moment: int | None) -> None:
        """AWS has answered, or not: what was asked for before this moment may be old.

        None: the call was not sent.
        """
        change = self._changes.setdefault(name, _Change(under_way=1))
        change.under_way -= 1
        if moment is not None:
            change.ended = moment

    def known(self, name: str) -> Sight | None:
        """What may be told without asking AWS; None: ask."""
        if self.read is None:
            return None
        sight = self.sights.get(name)
        if sight is None:
            if self.names is None or name in self.names:
                return None
            sight = Sight(self.read)
        if sight.began < self.read or not self._is_current(name, sight.began):
            return None
        return sight

    def all_details(self) -> tuple[Shape, ...] | None:
        """The details of everything, if they may be told without asking AWS."""
        if self.read is None or self.names is None:
            return None
        if self._changes and not all(
            self._is_current(name, self._began(name)) for name in self._changes
        ):
            return None
        details: list[Shape] = []
        for sight in self.sights.values():
            found = sight.details
            if found is None:
                return None
            details += found
        return tuple(details)

    def ask(self, name: str, asker: ObjectKey | None) -> None:
        """That object asks AWS for the name, and so hears what is new by itself."""
        if asker is not None:
            self._askers.setdefault(name, set()).add(asker)

    def ask_no_more(self, name: str, asker: ObjectKey | None) -> None:
        """No answer came to that object: what another one finds out is news to it."""
        askers = self._askers.pop(name, set()) - {asker}
        if askers:
            self._askers[name] = askers

    def asked(self, sights: Mapping[str, Sight]) -> list[ObjectKey]:
        """Single names were read. Who hears of it by this; those who asked are left out."""
        woken: set[ObjectKey] = set()
        for name, sight in sights.items():
            woken |= self._put(name, sight) - self._askers.pop(name, set())
        return sorted(woken)

    def read_all(
        self, began: int, sights: Mapping[str, Sight], names: Collection[str] | None
    ) -> list[ObjectKey]:
        """The scope was read: `names` are all that exist, None if only those in `sights` were read.

        Who hears of it by this. The first reading of a scope wakes only those whose things differ
        from what they were told: all others have still to look for the first time. Of two readings
        at the same time the one that began later counts.
        """
        if self.read is not None and began < self.read:
            return []
        woken: set[ObjectKey] = set()
        for name, sight in sights.items():
            woken |= self._put(name, sight)
        for name in [name for name in self.sights if name not in sights]:
            if self.sights[name].began >= began:
                continue
            if names is not None:
                woken |= self._vanished(name)
            else:
                del self.sights[name]  # it is not followed any more
        self.read, self.names = began, names
        self._changes = {
            name: change
            for name, change in self._changes.items()
            if not self._is_current(name, self._began(name))
        }
        return sorted(woken)

    def keep_within(self, room: int) -> int:
        """Keep details of that many bytes at most; how many are kept."""
        kept = 0
        for name, sight in self.sights.items():
            size = sum(len(item.packed or b"") for item in sight.items)
            if kept + size <= room:
                kept += size
            elif size:
                items = tuple(replace(item, packed=None) for item in sight.items)
                self.sights[name] = replace(sight, items=items)
        return kept

    def _put(self, name: str, sight: Sight) -> set[ObjectKey]:
        before = self.sights.get(name)
        if before is not None and before.began > sight.began:
            return set()  # it was asked for later, and answered earlier
        self.sights[name] = sight
        if before is not None:
            same = before.shows(sight)
            return set() if same else self._concerned(name, before.owners | sight.owners)
        if self.read is None or self.names is None or not sight.items:
            return set()  # the first that we hear of it
        if name in self.names:
            return set(sight.owners)  # it was nobody's of ours, and has our tags now
        return self._concerned(name, sight.owners)

    def _vanished(self, name: str) -> set[ObjectKey]:
        """It exists no longer, or is not ours any more and nobody has asked for it lately."""
        before = self.sights.pop(name)
        return self._concerned(name, before.owners) if before.items else set()

    def _concerned(self, name: str, owners: Iterable[ObjectKey]) -> set[ObjectKey]:
        followers = {key for key in self._followers.get(name, ()) if key is not None}
        return followers | set(owners)

    def _began(self, name: str) -> int:
        """When AWS was last asked for what is known of the name."""
        sight = self.sights.get(name)
        return max(self.read or 0, sight.began if sight else 0)

    def _is_current(self, name: str, began: int) -> bool:
        """Whether we have changed nothing since then that would show."""
        for each in (name, ANY_NAME):
            change = self._changes.get(each)
            if change is not None and (change.under_way or change.ended > began):
                return False
        return True
