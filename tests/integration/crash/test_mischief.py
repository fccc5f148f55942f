"""Whatever goes wrong together, in whatever order: each BatchJob has one job in AWS, and its end.

Seeded, so a failure can be run again. AWS's listing lags, but never longer than the operator gives
it to settle; what it does beyond that is said in the docs, and tested apart.
"""

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.mischief import CHANGEABLE, Mischief, live_through

SEEDS = 9


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_batch_job_has_one_job_in_aws_and_comes_to_its_end(seed, record_property):
    mischief = Mischief(seed, CHANGEABLE)
    await live_through(mischief)
    assert mischief.strikes
    record_property(f"{POINTS} (mischief)", mischief.strikes)
