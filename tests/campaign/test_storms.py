"""Any order of apply, edit and delete over ten objects, whatever fails, ends as a calm day does."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.campaign.storms import Storm, storms
from tests.campaign.weather import CALM, HARD, Sky

# A storm takes half a second. `make campaign` tries more of them.
EXAMPLES = 200 if os.environ.get("CAMPAIGN") == "whole" else 80


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=[Phase.generate],  # to shrink one takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(storm=storms())
def test_any_order_of_deeds_and_faults_ends_in_the_state_of_a_clean_run(storm: Storm):
    stormy = asyncio.run(Sky(storm, HARD).live())
    clean = asyncio.run(Sky(storm, CALM).at_once())
    assert stormy == clean
