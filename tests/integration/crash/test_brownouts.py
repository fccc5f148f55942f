"""AWS is overloaded: calls wait long, take long, and answers get lost. Still one job a BatchJob.

A submission that has waited for a minute, whose answer is lost, and which the listing does not show
for a while yet, must not be taken for one that AWS has never seen.
"""

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.mischief import BROWNOUT, Mischief, live_through

SEEDS = 14


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_brownout_leads_to_no_second_submission(seed, record_property):
    mischief = Mischief(seed, BROWNOUT)
    await live_through(mischief)
    assert mischief.strikes
    record_property(f"{POINTS} (brownout)", mischief.strikes)
