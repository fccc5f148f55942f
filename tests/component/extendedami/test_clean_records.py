"""When a build is over, what is left goes, and its record is called clean, whoever leads then."""

import json

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image

from awsbatch_operator.kinds.extendedami.observed import SETTLING_SECONDS

HOUR = 3600
LOOKS_SECONDS = 60.0  # what is left over is looked at some times


def record(there: Darkroom) -> dict[str, object]:
    """The record of builds."""
    text = there.kube.see(IMAGE)["metadata"]["annotations"]["awsbatch.dev/build"]
    return dict(json.loads(text))


@pytest.mark.parametrize("poll_scale", [1.0, 3.0])
async def test_whoever_leads_next_calls_the_record_clean_as_soon_as_ec2_has_shown_all(poll_scale):
    there = Darkroom(poll_scale=poll_scale)
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
    assert not record(there).get("clean")
    async with there.running():
        took = await there.run_until(lambda: bool(record(there).get("clean")), within=HOUR)
    assert SETTLING_SECONDS <= took <= SETTLING_SECONDS + LOOKS_SECONDS
    assert there.alive() == []
