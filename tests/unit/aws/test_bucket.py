import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.api.bucket import LOWEST, RESERVED_SECONDS, Bucket, Rate

RATE = Rate(10, 5)

# A step: wait that long, then do one of the things that callers do.
STEPS = st.lists(
    st.tuples(
        st.floats(0, 3, allow_nan=False),
        st.sampled_from(["take", "reserve", "claim", "throttled"]),
    ),
    max_size=200,
)


def spent_by(bucket: Bucket, steps: list[tuple[float, str]]) -> list[float]:
    """The moments at which a token was spent by callers who keep to the rules."""
    now, spent = 0.0, []
    for pause, what in steps:
        now += pause
        if what == "throttled":
            bucket.throttled(now)
        elif what == "claim":
            if bucket.claim(now):
                spent.append(now)
        elif bucket.wait(now) == 0:
            getattr(bucket, what)(now)
            if what == "take":
                spent.append(now)
    return spent


@given(STEPS)
def test_no_stretch_of_time_sees_more_than_burst_and_rate_allow(steps):
    spent = spent_by(Bucket(RATE, 0.0), steps)
    for first in range(len(spent)):
        for last in range(first, len(spent)):
            allowed = RATE.burst + RATE.per_second * (spent[last] - spent[first])
            assert last - first + 1 <= allowed + 1e-6


@given(STEPS, st.floats(0, 100, allow_nan=False))
def test_waiting_as_long_as_told_is_long_enough(steps, later):
    bucket = Bucket(RATE, 0.0)
    spent_by(bucket, steps)
    now = sum(pause for pause, _ in steps) + later
    for _ in range(500):  # reservations run out and the rate recovers: told anew each time
        delay = bucket.wait(now)
        if not delay:
            break
        now += delay
    assert bucket.wait(now) == 0


@given(STEPS)
def test_the_rate_is_never_lowered_to_nothing_nor_raised_above_the_published_one(steps):
    bucket = Bucket(RATE, 0.0)
    spent_by(bucket, steps)
    assert LOWEST <= bucket.factor <= 1.0


def test_a_fresh_bucket_is_full():
    bucket = Bucket(RATE, 0.0)
    for _ in range(5):
        assert bucket.wait(0.0) == 0
        bucket.take(0.0)
    assert bucket.wait(0.0) == pytest.approx(0.1)


def test_a_reserved_token_is_left_to_whoever_claims_it():
    bucket = Bucket(Rate(1, 1), 0.0)
    bucket.reserve(0.0)
    assert bucket.wait(0.0) == pytest.approx(1.0)
    assert bucket.claim(0.0)
    assert not bucket.claim(0.0)


def test_a_reservation_that_nobody_claims_runs_out():
    bucket = Bucket(Rate(1, 1), 0.0)
    bucket.reserve(0.0)
    assert bucket.wait(RESERVED_SECONDS) == 0
    assert not bucket.claim(RESERVED_SECONDS)


def test_a_token_that_is_given_back_is_there_for_the_next():
    bucket = Bucket(Rate(1, 1), 0.0)
    expires = bucket.reserve(0.0)
    bucket.give_back(expires, 0.5)
    assert bucket.wait(0.5) == 0


def test_a_token_that_is_given_back_after_its_time_takes_nobody_elses():
    bucket = Bucket(Rate(1, 2), 0.0)
    expires = bucket.reserve(0.0)
    bucket.reserve(5.0)
    bucket.give_back(expires, RESERVED_SECONDS)
    assert bucket.claim(RESERVED_SECONDS)


@given(st.floats(0, 1), st.floats(0, 200), st.integers(0, 2000))
def test_the_told_wait_is_exact_while_the_rate_recovers(throttled_at, later, ahead):
    bucket = Bucket(Rate(50, 40), 0.0)
    bucket.throttled(throttled_at)
    now = throttled_at + later
    seconds = bucket.wait(now, ahead=ahead)
    assert bucket.wait(now, ahead=ahead) == seconds
    reference = Bucket(Rate(50, 10_000), 0.0)  # tokens for all who are ahead can be saved up in it
    reference._level = bucket._level
    reference._at, reference._factor = bucket._at, bucket._factor
    early = reference.wait(now + seconds * 0.99, ahead=ahead)
    assert early == pytest.approx(seconds * 0.01, abs=1e-6)
    assert reference.wait(now + seconds, ahead=ahead) == pytest.approx(0, abs=1e-6)


def test_throttling_halves_the_rate_and_time_brings_it_back():
    bucket = Bucket(RATE, 0.0)
    bucket.throttled(0.0)
    assert bucket.factor == pytest.approx(0.5)
    assert bucket.wait(0.0) == pytest.approx(1 / 5, rel=0.01)  # it recovers meanwhile
    bucket.wait(25.0)
    assert bucket.factor == pytest.approx(0.75)
    bucket.wait(1000.0)
    assert bucket.factor == pytest.approx(1.0)


def test_throttled_answers_that_come_together_count_once():
    bucket = Bucket(RATE, 0.0)
    assert [bucket.throttled(moment) for moment in (0.0, 0.1, 0.5)] == [True, False, False]
    assert bucket.factor == pytest.approx(0.5, abs=0.01)
    bucket.throttled(2.0)
    assert bucket.factor == pytest.approx(0.26, abs=0.01)
