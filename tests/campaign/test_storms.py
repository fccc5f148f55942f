"""Any order of apply, edit and delete over ten objects, whatever fails, ends as a calm day does."""

import asyncio
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.campaign.storms import Storm, storms
from tests.campaign.weather import CALM, HARD, Sky

# A storm takes two thirds of a second. `make campaign` tries more of them.
EXAMPLES = 200 if os.environ.get("CAMPAIGN") == "whole" else 70


FEW = 5
drawn = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=[Phase.generate],  # to shrink one takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(900)
@drawn
@given(storm=storms())
def test_any_order_of_deeds_and_faults_ends_in_the_state_of_a_clean_run(storm: Storm):
    stormy = asyncio.run(Sky(storm, HARD).live())
    clean = asyncio.run(Sky(storm, CALM).at_once())
    assert stormy == clean


def test_in_some_storms_a_deletion_is_held_up_and_in_some_of_these_it_comes_to_its_end():
    seen: Counter[str] = Counter()

    @drawn
    @given(storm=storms())
    def look(storm: Storm) -> None:
        held = storm.held is not None
        kind = storm.things[storm.held].key.kind if storm.held is not None else ""
        seen.update({"freed": held and storm.freed, "stays": held and not storm.freed, kind: 1})
        seen.update({"stuck on the way": any(True for _ in storm.stuck)})

    look()
    wanted = ("freed", "stays", "stuck on the way", "ComputeEnvironment", "SchedulingPolicy")
    assert all(seen[what] >= FEW for what in wanted), seen
