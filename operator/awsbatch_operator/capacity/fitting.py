"""Where jobs find room: how many of them fit into which free room, and what is left over.

Rooms that are alike are one entry with a number, needs are counts of alike jobs: the work grows
with the sorts of both, not with the jobs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.words import many, some_of
from awsbatch_operator.capacity.model import Need, Room


@dataclass(slots=True)
class _Bins:
    """Rooms that are alike."""

    cpu: int
    memory: int
    gpus: int
    seconds_left: float | None
    names: list[str]  # of the rooms

    def holds(self, need: Need) -> int:
        """How many jobs of the need one of the rooms takes."""
        return holds(self.cpu, self.memory, self.gpus, need) if self._lasts(need) else 0

    def _lasts(self, need: Need) -> bool:
        """Whether a job that takes its whole timeout ends before the room does."""
        left, timeout = self.seconds_left, need.timeout_seconds
        return left is None or timeout is None or timeout <= left

    def alike(self, other: "_Bins") -> bool:
        """Whether the rooms of both are alike."""
        mine = (self.cpu, self.memory, self.gpus, self.seconds_left)
        return mine == (other.cpu, other.memory, other.gpus, other.seconds_left)

    def copy(self) -> "_Bins":
        """The same rooms, to place something in."""
        return replace(self, names=list(self.names))

    def split(self, rooms: int, jobs: int, need: Need) -> "_Bins":
        """Take that many of the rooms out, each with that many jobs of the need placed in it."""
        taken, self.names = self.names[:rooms], self.names[rooms:]
        return _Bins(
            self.cpu - jobs * need.cpu,
            self.memory - jobs * need.memory_mib,
            self.gpus - jobs * need.gpus,
            self.seconds_left,
            taken,
        )


def holds(cpu: int, memory: int, gpus: int, need: Need) -> int:
    """How many jobs of the need fit into so much room."""
    units, fitting = need.cpu, need.count
    if units:
        fitting = min(fitting, cpu // units)
    if need.memory_mib:
        fitting = min(fitting, memory // need.memory_mib)
    if need.gpus:
        fitting = min(fitting, gpus // need.gpus)
    return max(0, fitting)


@dataclass(frozen=True, slots=True)
class Placement:
    """What does not fit, and the instances in which something was placed."""

    left: tuple[Need, ...]
    used: frozenset[str]


def fit(needs: Sequence[Need], rooms: Iterable[Room], *, before: Sequence[Need] = ()) -> list[Need]:
    """What does not fit into free room and into what is on its way."""
    return list(place(needs, rooms, before=before).left)


def place(
    needs: Sequence[Need], rooms: Iterable[Room], *, before: Sequence[Need] = ()
) -> Placement:
    """Place jobs: the largest first, which packs best; where not all fit, in their own order.

    `rooms` come in the order of their launch, and the first that holds a job gets it. So an
    instance that is added at the end takes from no other: who had room keeps it, and one more of
    those without finds some. Any other order could want one instance more at every look, for ever.

    `before` are placed before the others: for them there will be no other room. They are left out
    of the result.
    """
    if not needs and not before:
        return Placement((), frozenset())
    known = _bins(_large_enough(rooms, (*needs, *before)))
    largest = sorted(alike_together(needs), key=size, reverse=True)
    for order in (known, _joined(sorted(known, key=_tightness))):
        packed = _first_fit(largest, order, before)
        if not packed.left:
            return packed
    return _first_fit(needs, known, before)


def alike_together(needs: Iterable[Need]) -> list[Need]:
    """Alike needs put together, whatever stands between them: for those who do not go by order."""
    found: dict[_Alike, Need] = {}
    for need in needs:
        same = found.get(_alike(need))
        found[_alike(need)] = need if same is None else replace(same, count=same.count + need.count)
    return list(found.values())


_Alike = tuple[float, int, int, int | None]


def _alike(need: Need) -> _Alike:
    """What is the same of needs that fit into the same rooms."""
    return need.vcpus, need.memory_mib, need.gpus, need.timeout_seconds


def _large_enough(rooms: Iterable[Room], needs: Sequence[Need]) -> list[Room]:
    """The rooms without those that are too small for any of the needs, as full ones are."""
    cpu = min(need.cpu for need in needs)
    memory = min(need.memory_mib for need in needs)
    return [room for room in rooms if room.memory_mib >= memory and room.cpu >= cpu]


def is_as_large(need: Need, other: Need) -> bool:
    """Whether room for the need is room for the other one as well."""
    return need.cpu >= other.cpu and need.memory_mib >= other.memory_mib and need.gpus >= other.gpus


def size(need: Need) -> tuple[int, int, int]:
    """By what needs are compared: GPUs are the scarcest, then CPU and memory by one measure."""
    return need.gpus, max(need.cpu, need.memory_mib // 4), need.memory_mib


def _tightness(bins: _Bins) -> tuple[int, int, int]:
    return bins.gpus, bins.cpu, bins.memory


def _first_fit(needs: Iterable[Need], known: Sequence[_Bins], before: Iterable[Need]) -> Placement:
    """Where some of a need found no room, a later one that is alike finds none either."""
    bins, used, left = [each.copy() for each in known], set[str](), list[Need]()
    beyond: set[_Alike] = set()
    for need in before:
        if _alike(need) not in beyond and _put(need, bins, used):
            beyond.add(_alike(need))
    for need in needs:
        rest = need.count if _alike(need) in beyond else _put(need, bins, used)
        if rest:
            beyond.add(_alike(need))
            left.append(replace(need, count=rest))
    return Placement(tuple(left), frozenset(used))


def _bins(rooms: Iterable[Room]) -> list[_Bins]:
    """In their order; those that follow one another and are alike are one entry."""
    return _joined(
        _Bins(
            room.cpu,
            room.memory_mib,
            room.gpus,
            room.seconds_left,
            [room.instance] * room.count,
        )
        for room in rooms
    )


def _joined(bins: Iterable[_Bins]) -> list[_Bins]:
    made: list[_Bins] = []
    for one in bins:
        if made and made[-1].alike(one):
            made[-1].names += one.names
        else:
            made.append(one.copy())
    return made


def _put(need: Need, bins: list[_Bins], used: set[str]) -> int:
    """Place as many jobs of the need as there is room for; how many are left."""
    rest = need.count
    cpu, memory, gpus = need.cpu, need.memory_mib, need.gpus
    changed: dict[int, list[_Bins]] = {}
    for at, each in enumerate(bins):
        if rest == 0:
            break
        if each.cpu < cpu or each.memory < memory or each.gpus < gpus:
            continue  # most do not: to ask them more would take most of the time
        most = each.holds(need)
        if most == 0:
            continue
        full = min(len(each.names), rest // most)
        parts = [(full, most)] if full else []
        if full < len(each.names) and rest - full * most:
            parts.append((1, rest - full * most))
        changed[at] = []
        for rooms, jobs in parts:
            part = each.split(rooms, jobs, need)
            used.update(part.names)
            rest -= rooms * jobs
            changed[at].append(part)
    for at in reversed(changed):
        behind = [bins[at]] if bins[at].names else []
        bins[at : at + 1] = [*(part for part in changed[at] if part.cpu > 0), *behind]
    return rest


def total(needs: Iterable[Need]) -> int:
    """How many jobs they are."""
    return sum(need.count for need in needs)


def counted(counts: Mapping[str, int]) -> str:
    """`3 x r7i.4xlarge, 1 x r7i.large`: the most first."""
    rows = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return some_of([f"{count} x {name}" for name, count in rows])


_SINGULAR = {"wait": "waits", "are": "is", "fit": "fits"}


def jobs_do(count: int, what: str) -> str:
    """`41 waiting jobs fit no type`, `1 waiting job fits no type`; `what` begins with the verb."""
    verb, _, rest = what.partition(" ")
    return f"{jobs(count)} {_SINGULAR[verb] if count == 1 else verb} {rest}"


def instances(count: int) -> str:
    """`3 instances`."""
    return many(count, "instance")


def jobs(count: int) -> str:
    """`41 waiting jobs`."""
    return many(count, "waiting job")
