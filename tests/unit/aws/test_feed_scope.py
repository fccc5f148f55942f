"""What a feed remembers of a scope: never older than a change of ours, and whom it concerns."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aws.feed_world import environment, key

from awsbatch_operator.aws.feed_scope import ANY_NAME, FeedScope
from awsbatch_operator.aws.sight import Sight, item_of

NAMES = "abc"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "takes effect", "end", "walk", "ask", "answered"]),
        st.sampled_from([*NAMES, ANY_NAME]),
    ),
    max_size=60,
)


def numbered(began: int, name: str, number: int) -> Sight:
    detail = {"name": name, "number": number, "tags": {}}
    return Sight(began, (item_of(detail, arn=name, owner=None, moving=False),))


class Model:
    """AWS as a number for each name, changes of ours, and looks whose answers take a while."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(NAMES, 0)
        self.moments = itertools.count(1)
        self.here = FeedScope(due=0.0)
        self.looks: list[tuple[int, dict[str, int]]] = []  # when asked, and what AWS saw then
        self.changing: list[str] = []

    def step(self, what: str, name: str) -> None:
        match what:
            case "begin":
                self.here.begin_change(name)
                self.changing.append(name)
            case "takes effect":  # at any time while the call is under way
                for each in NAMES:
                    self.numbers[each] += each in self.changing or ANY_NAME in self.changing
            case "end" if self.changing:
                self.here.end_change(self.changing.pop(0), next(self.moments))
            case "walk":
                self.looks.append((next(self.moments), dict(self.numbers)))
            case "ask" if name != ANY_NAME:
                self.looks.append((next(self.moments), {name: self.numbers[name]}))
            case "answered" if self.looks:
                self.answer(*self.looks.pop(len(self.looks) // 2))

    def answer(self, began: int, numbers: dict[str, int]) -> None:
        sights = {name: numbered(began, name, number) for name, number in numbers.items()}
        if len(numbers) < len(NAMES):
            self.here.asked(sights)
        else:
            self.here.read_all(began, sights, set(NAMES))


@given(STEPS)
def test_nothing_is_told_that_is_older_than_a_change_of_ours(steps):
    model = Model()
    for what, name in steps:
        model.step(what, name)
        everything = model.here.all_details()
        for each in NAMES:
            known = model.here.known(each)
            if known is not None:
                assert [detail["number"] for detail in known.details or ()] == [model.numbers[each]]
            if everything is not None:
                told = {detail["name"]: detail["number"] for detail in everything}
                assert told[each] == model.numbers[each]


@given(STEPS)
def test_nothing_is_told_that_is_older_than_what_was_told_before(steps):
    """Of two looks under way at the same time the later one may be answered first."""
    model, told = Model(), dict.fromkeys(NAMES, 0)
    for what, name in steps:
        if what in ("begin", "takes effect", "end"):  # somebody else changes it
            model.numbers[name or "a"] += 1
        else:
            model.step(what, name)
        for each in NAMES:
            sight = model.here.sights.get(each)
            if sight is not None:
                (number,) = (detail["number"] for detail in sight.details or ())
                assert number >= told[each]
                told[each] = number


def test_of_two_readings_at_the_same_time_the_one_that_began_later_counts():
    here = FeedScope(due=0.0)
    here.read_all(1, {"a": numbered(1, "a", 0)}, {"a"})
    here.read_all(3, {}, set())  # it is gone by now
    assert here.read_all(2, {"a": numbered(2, "a", 0)}, {"a"}) == []
    known = here.known("a")
    assert known is not None
    assert known.items == ()


DETAILS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["CREATING", "VALID", "INVALID", "DELETING"])
)


def sights(states: dict[str, str], began: int) -> dict[str, Sight]:
    return {
        name: Sight(
            began,
            (item_of(environment(name, status=status), arn=name, owner=key(name), moving=False),),
        )
        for name, status in states.items()
    }


@given(DETAILS, DETAILS)
def test_exactly_the_owners_of_what_differs_are_woken(before, after):
    here = FeedScope(due=0.0)
    here.read_all(1, sights(before, 1), set(before))
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    woken = here.read_all(2, sights(after, 2), set(after))
    assert woken == [key(name) for name in sorted(differing)]


@given(DETAILS)
def test_the_order_of_a_list_does_not_matter(states):
    here = FeedScope(due=0.0)
    here.read_all(1, sights(states, 1), set(states))
    assert here.read_all(2, sights(dict(reversed(states.items())), 2), set(states)) == []


def test_names_that_nobody_follows_any_more_are_forgotten_also_where_only_followed_ones_are_read():
    """Of an account with more definitions than we read, or the names of a year would be kept."""
    here = FeedScope(due=0.0)
    for number in range(1, 100):
        name = f"definition-{number}"
        here.follow(name, key(name), until=number + 2.5)
        here.asked({name: numbered(2 * number, name, 1)})
        followed = here.followed(number)
        sights = {each: numbered(2 * number + 1, each, 1) for each in followed}
        assert here.read_all(2 * number + 1, sights, None) == []
    assert here.sights.keys() == {"definition-97", "definition-98", "definition-99"}
