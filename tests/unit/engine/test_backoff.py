from random import Random

from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.engine.backoff import Backoff

FAILURES = st.integers(min_value=1, max_value=10_000)


@given(FAILURES, st.integers())
def test_a_delay_is_never_negative_and_never_beyond_the_cap(failures, seed):
    backoff = Backoff(base_seconds=1.0, cap_seconds=300.0)
    assert 0.0 <= backoff.delay(failures, Random(seed)) <= 300.0


@given(FAILURES)
def test_the_bound_doubles_until_it_reaches_the_cap(failures):
    backoff = Backoff(base_seconds=0.5, cap_seconds=60.0)
    assert backoff.bound(1) == 0.5
    assert backoff.bound(failures + 1) == min(60.0, 2 * backoff.bound(failures))


def test_the_jitter_is_full_from_nothing_to_the_bound():
    backoff = Backoff(base_seconds=1.0, cap_seconds=300.0)
    random = Random(7)
    delays = [backoff.delay(7, random) for _ in range(2000)]
    assert min(delays) < 0.02 * 64
    assert max(delays) > 0.98 * 64
    assert 0.45 * 64 < sum(delays) / len(delays) < 0.55 * 64
