"""The tables of what people get wrong, on the real API server: every row at once, and healed.

The rows are those of tests/component, which holds each to the calls that it costs. Here each remedy
has to pass the API server (schema, rules, immutability), and the operator and AWS are processes.
"""

import asyncio

import pytest
from tests.support.places import clear, places
from tests.support.remedies.accounts import ACCOUNTS, DENIALS
from tests.support.remedies.environments import (
    LACKING_ITS_ROLE,
    MADE_ANEW,
    NOT_REMOVED,
    USED,
    VALID_AGAIN,
)
from tests.support.remedies.queues import QUEUES
from tests.support.site import opened

from awsbatch_operator.api.metadata import RECONCILE_AT

pytestmark = pytest.mark.timeout(120)

LASTING = (
    *MADE_ANEW,
    *VALID_AGAIN,
    *USED,
    *NOT_REMOVED,
    *LACKING_ITS_ROLE,
    *QUEUES,
    *ACCOUNTS,
    *DENIALS,
)


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """AWS is in a greater hurry than elsewhere: a row waits for it again and again."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.aws.hurry(3)
        site.script(durationSeconds=0.2)
        site.start()
        yield site
        site.sandbox.stop_operator()
        clear(site)


@pytest.fixture
def rows(site):
    with places(site) as made:
        yield made


async def carried_out(row, place):
    """What is wrong with the row's story; empty if it heals as it says."""
    try:
        said = await row.happens(place)
        await row.remedy(place)
        if RECONCILE_AT in said:
            place.nudge(row.of)
        await row.heals(place)
    except AssertionError as error:
        return f"{row.id}: {error}"
    return ""


async def test_each_remedy_that_a_message_gives_passes_the_api_server_and_heals(rows):
    table = [row for row in LASTING if not row.settings]
    stories = [
        carried_out(row, rows.new(f"row-{number}")) for number, row in enumerate(table, start=1)
    ]
    wrong = [each for each in await asyncio.gather(*stories) if each]
    assert not wrong, "\n".join(wrong)
    assert not rows.sight.badly_said
