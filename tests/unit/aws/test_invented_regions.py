"""Whoever writes a spec may name a region, and there is no end of names."""

from tests.support.clock import SteppedClock
from tests.unit.aws.test_limits import DESCRIBE, HERE, LIST, limits_of, told

from awsbatch_operator.api.bucket import Rate
from awsbatch_operator.aws.limits import LINES, AccountRegion, Limit


async def test_regions_that_somebody_invents_are_forgotten_and_no_token_is_given_twice():
    clock = SteppedClock()
    slow = Limit("batch", ("DescribeJobs",), Rate(0.001, 1))
    limits = limits_of(clock, slow, Limit("batch", ("*",), Rate(0.01, 1)))
    limits.take(HERE, DESCRIBE)
    for number in range(3 * LINES):
        limits.take(AccountRegion("111122223333", f"nowhere-{number}"), LIST)
        if number % 100 == 99:
            await clock.advance(10)
    assert len(limits._lines) <= 2 * LINES
    assert told(lambda: limits.take(HERE, DESCRIBE)) > 300
