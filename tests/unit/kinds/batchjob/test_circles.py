"""Circles of jobs that wait for each other, held against a plain search through all of them."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kinds.batchjob.circles import LOOKED_THROUGH, TOLD, Circles

NAMES = "abcdefg"


def key(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", "climate", name)


def waits_for_itself(start: str, needs: dict[str, tuple[str, ...]]) -> bool:
    seen: set[str] = set()
    ahead = list(needs.get(start, ()))
    while ahead:
        each = ahead.pop()
        if each == start:
            return True
        if each not in seen:
            seen.add(each)
            ahead += needs.get(each, ())
    return False


CHANGES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3).map(sorted)),
    max_size=25,
)


@given(CHANGES)
def test_each_in_a_circle_knows_one_that_is_real_and_nobody_else_does(changes):
    woken: set[ObjectKey] = set()
    circles, needs = Circles(woken.add), dict[str, tuple[str, ...]]()
    for name, targets in changes:
        before = {each for each in NAMES if circles.of(key(each))}
        woken.clear()
        needs[name] = tuple(targets)
        circles.put(key(name), tuple(key(each) for each in targets))
        after = set()
        for each in NAMES:
            circle = [found.name for found in circles.of(key(each))]
            assert bool(circle) == waits_for_itself(each, needs)
            if circle:
                after.add(each)
                assert circle[0] == each
                assert len(set(circle)) == len(circle)
                following = (*circle[1:], circle[0])
                assert all(b in needs[a] for a, b in zip(circle, following, strict=True))
        # Whoever comes into one or out of one has a turn; the changed job has one in any case.
        assert {key(each) for each in before ^ after} - {key(name)} <= woken
    for name in NAMES:
        circles.put(key(name), ())
    assert not any(circles.awaited(key(name)) for name in NAMES)


class Counting(Circles):
    """Counts the jobs that are looked through."""

    steps = 0

    def _close(self, key: ObjectKey) -> bool:
        counted = _Counted(self._needs)
        self._needs, kept = counted, self._needs
        try:
            return super()._close(key)
        finally:
            self._needs = kept
            self.steps += counted.reads


class _Counted(dict):
    reads = 0

    def get(self, *args):
        self.reads += 1
        return super().get(*args)


def test_a_chain_of_thousands_costs_few_steps_in_whatever_order_it_is_applied():
    count = 1500
    orders = [list(range(1, count)), list(range(count - 1, 0, -1)), list(range(1, count))]
    random.Random(1).shuffle(orders[2])
    for order in orders:
        circles = Counting()
        for number in order:
            circles.put(key(f"{number}"), (key(f"{number - 1}"),))
        assert circles.steps <= 15 * count


def test_a_circle_of_thousands_is_told_and_broken_in_few_steps():
    count = 1000
    circles = Counting()
    for number in range(count):
        circles.put(key(f"{number}"), (key(f"{(number + 1) % count}"),))
    assert len(circles.of(key("7"))) == count
    assert circles.steps <= 2 * count
    circles.put(key("5"), ())
    assert not any(circles.of(key(f"{number}")) for number in range(count))
    assert circles.steps <= 3 * count


class _Edges(dict):
    seen = 0

    def get(self, *args):
        found = super().get(*args)
        self.seen += len(found)
        return found


def beside_another_circle(count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A circle is broken whose jobs all wait for another one as well."""
    yield from (("x", ("y",)), ("y", ("x",)))
    yield from ((f"{number}", (f"{(number + 1) % count}", "x")) for number in range(count))
    yield from (("0", ("x",)), ("0", ("1", "x")))


def between_others(count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each that comes is awaited, and waits for a great many."""
    yield from ((f"above-{number}", (f"{number}",)) for number in range(count))
    for number in range(count):
        yield f"below-{number}", tuple(f"below-{number + more}" for more in range(1, 21))
    yield from ((f"{number}", ("below-0",)) for number in range(count))


def one_long_way(count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each that comes closes a circle of its own, by the same long way."""
    yield from ((f"way-{number}", (f"way-{number + 1}",)) for number in range(count))
    yield f"way-{count}", tuple(f"tree-{more}" for more in range(20))
    for number in range(count):
        below = range(20 * number + 20, 20 * number + 40)
        yield f"tree-{number}", tuple(f"tree-{more}" for more in below)
    yield from ((f"tree-{number}", ("way-0",)) for number in range(20 * count, 21 * count))


@pytest.mark.parametrize("story", [beside_another_circle, between_others, one_long_way])
def test_one_change_costs_no_more_than_is_allowed_however_many_jobs_wait(story):
    """Whoever may create jobs in one namespace could else hold up all objects, for minutes."""
    count = 600
    circles = Circles()
    circles._needs, circles._users = needs, users = _Edges(), _Edges()
    for name, targets in story(count):
        needs.seen = users.seen = 0
        circles.put(key(name), tuple(key(each) for each in targets))
        assert needs.seen + users.seen <= LOOKED_THROUGH + 10 * count
        told = {id(circle): circle for circle in circles._circles.values()}
        assert sum(map(len, told.values())) == circles._told_in["climate"] <= TOLD


def test_a_namespace_full_of_circles_takes_none_of_the_room_of_another():
    circles = Circles()
    for name, targets in one_long_way(600):
        circles.put(key(name), tuple(key(each) for each in targets))
    others = [ObjectKey("BatchJob", "physics", name) for name in "ab"]
    circles.put(others[0], (others[1],))
    circles.put(others[1], (others[0],))
    assert len(circles.of(others[0])) == 2


def test_whoever_is_awaited_no_more_is_freed():
    freed: list[ObjectKey] = []
    circles = Circles()
    circles.freed = freed.append
    circles.put(key("a"), (key("c"),))
    circles.put(key("b"), (key("c"),))
    circles.put(key("a"), ())
    assert (freed, circles.awaited(key("c"))) == ([], True)
    circles.put(key("b"), ())
    assert freed == [key("c")]
