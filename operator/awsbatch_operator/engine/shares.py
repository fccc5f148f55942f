"""Who is served next when several accounts have work of several lanes waiting.

Accounts take turns, one key each, whatever waits in them. Within an account the lanes are served in
a fixed round in which each has its places, so an account's key of any lane is taken within one
round of that account's turns.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

PARTS = 3  # of the takers, to each one that stays free


class _Account(Generic[K]):
    """The keys of one account that wait: in lanes, each in order of arrival, with that time."""

    def __init__(self, lanes: Sequence[int]) -> None:
        self.lanes: dict[int, OrderedDict[K, float]] = {lane: OrderedDict() for lane in lanes}
        self.turns = 0

    def take(self, turns: Sequence[int]) -> K:
        """The next key; there must be one."""
        wanted = self.lanes[turns[self.turns % len(turns)]]
        self.turns += 1
        lane = wanted or next(keys for keys in self.lanes.values() if keys)
        return lane.popitem(last=False)[0]

    def since(self) -> Iterator[float]:
        """Since when the first key of each lane waits."""
        return (next(iter(keys.values())) for keys in self.lanes.values() if keys)

    def __bool__(self) -> bool:
        return any(self.lanes.values())


class Shares(Generic[K]):
    """Keys that wait, by account and lane. A lower lane is more urgent.

    `turns` is the round in which an account's lanes are served. `takers` is how many keys can be
    held in all; None: any number. Calls that hang in one account must not occupy every taker, nor
    must those that hang in several, nor when nobody else waits yet. So an account holds at most
    PARTS times as many keys as there are takers free: one that hangs comes to three quarters of
    them, two to three sevenths each, and an account that holds none may always take.
    """

    def __init__(self, turns: Sequence[int], *, takers: int | None) -> None:
        self._turns = tuple(turns)
        self._lanes = sorted(set(turns))
        self._takers = takers
        # In the order in which they are served; only those with a key waiting.
        self._accounts: OrderedDict[Hashable, _Account[K]] = OrderedDict()
        self._where: dict[K, tuple[Hashable, int]] = {}
        self._held: dict[Hashable, int] = {}
        self._held_in_all = 0

    def put(self, key: K, account: Hashable, lane: int, now: float) -> bool:
        """Let the key wait; whether it did not before.

        If it did, it keeps the time since when it waits, and moves to a more urgent lane, or to
        the account that it belongs to by now.
        """
        before = self._where.get(key)
        if before is None:
            self._insert(key, account, lane, now)
            return True
        lane = min(lane, before[1])
        if before != (account, lane):
            since = self._remove(key, *before)
            self._insert(key, account, lane, since)
        return False

    def take(self) -> tuple[K, Hashable] | None:
        """The next key and its account; None if none may be taken. `end` when it is done with."""
        name = next((name for name in self._accounts if self._may_take(name)), None)
        if name is None:
            return None
        account = self._accounts.pop(name)
        key = account.take(self._turns)
        if account:
            self._accounts[name] = account  # behind the others
        del self._where[key]
        self._held[name] = self._held.get(name, 0) + 1
        self._held_in_all += 1
        return key, name

    def end(self, account: Hashable) -> None:
        """A key taken for the account is done with."""
        self._held[account] -= 1
        self._held_in_all -= 1
        if not self._held[account]:
            del self._held[account]

    def discard(self, key: K) -> None:
        """Let the key wait no longer, if it does."""
        where = self._where.pop(key, None)
        if where is not None:
            self._remove(key, *where)

    @property
    def oldest(self) -> float | None:
        """Since when the key waits that waits longest."""
        return min(
            (since for account in self._accounts.values() for since in account.since()),
            default=None,
        )

    def __len__(self) -> int:
        return len(self._where)

    def _may_take(self, account: Hashable) -> bool:
        held = self._held.get(account, 0)
        if self._takers is None or not held:
            return True
        return held + 1 <= PARTS * (self._takers - self._held_in_all - 1)

    def _insert(self, key: K, account: Hashable, lane: int, since: float) -> None:
        if account not in self._accounts:
            self._accounts[account] = _Account(self._lanes)
        self._accounts[account].lanes[lane][key] = since
        self._where[key] = (account, lane)

    def _remove(self, key: K, account: Hashable, lane: int) -> float:
        keys = self._accounts[account]
        since = keys.lanes[lane].pop(key)
        if not keys:
            del self._accounts[account]
        return since
