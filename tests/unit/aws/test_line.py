"""Who gets a token when: fair, honest, and never more than the bucket has."""

import heapq
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock

from awsbatch_operator.api.bucket import Rate
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.aws.line import LATE_SECONDS, LOST_SECONDS, Line, Order

RATE = Rate(50, 40)


class Turns:
    """Holders who ask, come again when told (a little later, as a busy engine would), or never."""

    def __init__(self, rate: Rate = RATE, *, seed: int = 0, lateness: float = 0.0) -> None:
        self.clock = SteppedClock()
        self.line = Line(rate, self.clock)
        self.dice = random.Random(seed)
        self.lateness = lateness
        self.asked: dict[object, int] = {}
        self.served: dict[object, float] = {}
        self.gone: set[object] = set()
        self.due: list[tuple[float, int, Priority, object]] = []

    def come(self, holder: object, at: float, priority: Priority = Priority.MAKING) -> None:
        heapq.heappush(self.due, (at, len(self.due), priority, holder))

    def ask(self, holder: object, priority: Priority = Priority.MAKING) -> float:
        """Seconds until it shall come again; 0: it was served."""
        self.asked[holder] = self.asked.get(holder, 0) + 1
        try:
            self.line.take(priority, holder)
        except NoTokenError as error:
            return error.seconds
        self.served[holder] = self.clock.monotonic()
        return 0.0

    def run(self, until: float = float("inf")) -> None:
        start = self.clock.monotonic()
        order = len(self.due)
        while self.due and self.due[0][0] <= until:
            at, _, priority, holder = heapq.heappop(self.due)
            self.clock.skip(max(0.0, start + at - self.clock.monotonic()))
            if holder in self.gone:
                continue
            seconds = self.ask(holder, priority)
            if seconds:
                order += 1
                late = self.dice.uniform(0, self.lateness)
                again = self.clock.monotonic() - start + seconds + late
                heapq.heappush(self.due, (again, order, priority, holder))

    @property
    def took(self) -> float:
        return max(self.served.values()) - 5_000.0


def expect_within_the_rate(moments: list[float], rate: Rate) -> None:
    """No stretch of time saw more than burst and rate allow."""
    moments = sorted(moments)
    # With n[i] = i - rate * t[i], a stretch has too many exactly if n rises by more than the burst.
    lowest = float("inf")
    for number, moment in enumerate(moments):
        lowest = min(lowest, number - rate.per_second * moment)
        assert number + 1 - rate.per_second * moment - lowest <= rate.burst + 1e-3


@pytest.mark.parametrize("lateness", [0.0, 0.2, 0.7])
@pytest.mark.parametrize(("holders", "seconds"), [(1_000, 19.2), (10_000, 199.2)])
def test_a_burst_takes_the_time_that_aws_allows_and_two_turns_a_holder(holders, seconds, lateness):
    turns = Turns(lateness=lateness)
    for number in range(holders):
        turns.come(number, 0.0)
    turns.run()
    assert len(turns.served) == holders
    assert turns.took <= seconds + lateness + 0.1
    assert sum(turns.asked.values()) <= 2.1 * holders
    expect_within_the_rate(list(turns.served.values()), RATE)


def test_ten_thousand_waiting_cost_a_few_microseconds_each():
    turns = Turns()
    began = time.process_time()
    for number in range(10_000):
        turns.come(number, 0.0)
    turns.run()
    assert time.process_time() - began < 5.0  # 20,000 turns, the test's own share included


def test_whoever_asked_first_is_served_first():
    turns = Turns(Rate(10, 1))
    for number in range(50):
        turns.come(number, number * 0.01)
    turns.run()
    assert list(turns.served) == list(range(50))


def test_deletions_and_repairs_go_before_new_work_that_asked_earlier():
    turns = Turns(Rate(1, 1))
    assert turns.ask("first") == 0
    turns.come("new", 0.0, Priority.MAKING)
    turns.come("repair", 0.1, Priority.REPAIRING)
    turns.come("delete", 0.2, Priority.ENDING)
    turns.run()
    assert list(turns.served) == ["first", "delete", "repair", "new"]


def test_a_busy_engine_that_has_them_come_late_and_out_of_order_seldom_sends_one_away_twice():
    """Each writes something down for some time before it uses its token."""
    clock, dice = SteppedClock(), random.Random(0)
    line = Line(RATE, clock)
    due = [(clock.monotonic(), number) for number in range(600)]
    sent: list[float] = []  # when the calls go out whose tokens are kept back
    turns, served = 0, []
    while due:
        moment, number = heapq.heappop(due)
        while sent and sent[0] <= moment:
            clock.skip(max(0.0, heapq.heappop(sent) - clock.monotonic()))
            line.bucket.claim(clock.monotonic())
        clock.skip(max(0.0, moment - clock.monotonic()))
        turns += 1
        try:
            line.reserve(Priority.MAKING, number)
        except NoTokenError as error:
            late = dice.uniform(0.0, 0.8)
            heapq.heappush(due, (clock.monotonic() + error.seconds + late, number))
        else:
            heapq.heappush(sent, clock.monotonic() + 0.4)
            served.append(number)
    assert len(served) == 600
    assert turns <= 2.1 * len(served)


def test_whoever_is_told_a_time_finds_a_token_then():
    turns = Turns(Rate(10, 5))
    told = {number: turns.ask(number) for number in range(30)}
    for number, seconds in sorted(told.items(), key=lambda item: item[1]):
        turns.clock.skip(max(0.0, 5_000.0 + seconds - turns.clock.monotonic()))
        assert turns.served.get(number) or turns.ask(number) == 0


def test_throttling_makes_the_told_time_longer_and_leaves_the_place():
    turns = Turns(Rate(10, 1))
    turns.ask("a")
    told = [turns.ask(name) for name in "bc"]
    turns.line.bucket.throttled(turns.clock.monotonic())
    turns.clock.skip(told[0])
    again = turns.ask("b")
    assert again == pytest.approx(0.1, abs=0.02)  # half of the rate, from an empty bucket
    assert turns.ask("d") > turns.ask("c") > again
    turns.clock.skip(again)
    assert turns.ask("c") > 0
    assert turns.ask("b") == 0


def test_the_rates_recovery_is_counted_on():
    """Or, after throttling, all who wait would be told to come long after their tokens."""
    turns = Turns()
    turns.line.bucket.throttled(turns.clock.monotonic())
    for number in range(2_000):
        turns.come(number, 0.0)
    turns.run()
    assert turns.took < 56  # 50 s of recovery give 1,875 tokens
    assert sum(turns.asked.values()) <= 2.1 * 2_000


def test_holders_who_never_come_back_hold_nobody_up_for_long():
    turns = Turns()
    for number in range(1_000):
        turns.come(("vanishes", number), 0.0)
    turns.run(until=0.0)
    turns.gone = {holder for holder in turns.asked if holder not in turns.served}
    turns.come("patient", 0.5)
    turns.run()
    assert turns.served["patient"] - 5_000.0 <= 960 / 50 + LATE_SECONDS + 0.6
    turns.clock.skip(LOST_SECONDS + 1)
    turns.ask("anybody")
    assert len(turns.line) == 0


def test_a_late_holder_holds_nobody_up_and_is_first_when_it_comes():
    turns = Turns(Rate(1, 1))
    turns.ask("a")
    late = turns.ask("late")
    turns.clock.skip(late + LATE_SECONDS / 2)
    assert turns.ask("other") > 0  # the token is kept for whoever was told to come
    turns.clock.skip(LATE_SECONDS)
    assert turns.ask("other") == 0
    assert turns.ask("another") > 0
    assert turns.ask("late") > 0
    turns.clock.skip(1.01)
    assert turns.ask("another") > 0
    assert turns.ask("late") == 0


def test_whoever_comes_back_far_too_late_stands_at_the_end():
    turns = Turns(Rate(1, 1))
    turns.ask("a")
    turns.clock.skip(turns.ask("lost") + LOST_SECONDS + 0.1)
    turns.ask("b")
    turns.ask("waiting")
    assert turns.ask("lost") > turns.ask("waiting")


def test_an_engine_that_is_far_behind_with_its_turns_loses_nobody_and_no_time():
    """Each holder comes fifteen seconds after it was told to."""
    turns = Turns(lateness=0.0)
    for number in range(2_000):
        turns.come(number, 0.0)
    told = turns.line.take

    def take(priority: Priority, holder: object) -> None:
        try:
            told(priority, holder)
        except NoTokenError as error:
            raise NoTokenError(error.seconds + 15) from None

    turns.line.take = take  # type: ignore[method-assign,assignment]
    turns.run()
    assert turns.took <= 2_000 / 50 + 16
    assert sum(turns.asked.values()) <= 2.1 * 2_000


def test_whoever_gives_a_token_back_is_first_when_it_asks_again():
    turns = Turns(Rate(1, 1))
    expires = turns.line.reserve(Priority.MAKING, "a")
    assert turns.ask("b") > 0
    turns.line.give_back(Priority.MAKING, "a", expires)
    assert turns.ask("a") == 0
    turns.clock.skip(1.01)
    assert turns.ask("b") == 0


ASKS = st.lists(
    st.tuples(
        st.floats(0, 2, allow_nan=False),
        st.integers(0, 12),
        st.sampled_from([Priority.ENDING, Priority.REPAIRING, Priority.MAKING]),
        st.booleans(),
    ),
    max_size=150,
)


@given(ASKS)
def test_no_order_of_asking_gets_more_than_the_rate(asks):
    turns, moments = Turns(Rate(4, 3)), []
    for pause, holder, priority, throttled in asks:
        turns.clock.skip(pause)
        if throttled:
            turns.line.bucket.throttled(turns.clock.monotonic())
        if turns.ask((holder, priority), priority) == 0:
            moments.append(turns.clock.monotonic())
    expect_within_the_rate(moments, Rate(4, 3))


@given(st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=80), st.integers(0, 99))
def test_everyone_who_comes_when_told_is_served_in_the_order_of_first_asking(moments, seed):
    turns = Turns(Rate(5, 2), seed=seed)
    moments.sort()
    for number, moment in enumerate(moments):
        turns.come(number, moment)
    turns.run()
    assert list(turns.served) == list(range(len(moments)))


@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "leave", "take"]), st.integers(0, 400)), max_size=40
    )
)
def test_an_order_counts_like_a_list(steps):
    order = Order()
    taken: list[bool] = []
    for what, at in steps:
        if what == "append" or not taken:
            assert order.append() == len(taken) + 1
            taken.append(True)
        else:
            place = at % len(taken)
            if taken[place] == (what == "leave"):
                taken[place] = what == "take"
                order.add(place + 1, 1 if what == "take" else -1)
        assert order.wanted == sum(taken)
        assert [order.before(place + 1) for place in range(len(taken))] == [
            sum(taken[:place]) for place in range(len(taken))
        ]
