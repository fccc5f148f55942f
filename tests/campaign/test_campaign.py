"""Every field of every kind, there and back, refused, mistaken, and deleted in each state.

`make campaign` goes all ways; a change of ours goes every PARTS-th one, the same ones each time.
One kind, or one part of it:

    CAMPAIGN=whole .venv/bin/python -m pytest tests/campaign/test_campaign.py -k JobQueue
    CAMPAIGN=whole .venv/bin/python -m pytest tests/campaign/test_campaign.py -k 3-JobDefinition

BatchJob is `-k test_a_job`. What a valid spec may come to besides Ready stands in expected.py.
"""

import os

import pytest
from tests.campaign.conftest import TRANSITIONS
from tests.campaign.driver import campaign
from tests.campaign.jobs import job_campaign, job_routes
from tests.campaign.routes import KINDS, routes_of
from tests.campaign.values import changes

LASTING = [kind for kind in KINDS if kind != "BatchJob"]
WHOLE = os.environ.get("CAMPAIGN") == "whole"
PARTS = 6
SHOWN = 30  # faults of one part


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("part", range(PARTS) if WHOLE else [0])
async def test_aws_is_as_specified_after_each_step_or_the_condition_says_why_not(
    kind, part, record_property
):
    some = changes(kind, part, PARTS)
    found = await campaign(kind, [route for change in some for route in routes_of(change)])
    judge(kind, found, record_property)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS) if WHOLE else [0])
async def test_a_job_is_submitted_once_as_its_last_spec_says(part, record_property):
    some = changes("BatchJob", part, PARTS)
    found = await job_campaign([route for change in some for route in job_routes(change)])
    judge("BatchJob", found, record_property)


def judge(kind, found, record_property):
    record_property(f"{TRANSITIONS} of {kind}", found.transitions)
    for end, number in found.ends.items():
        record_property(f"ends of {kind}: {end}", number)
    assert not found.faults, "\n".join(found.faults[:SHOWN]) + f"\n{len(found.faults)} in all"
