"""What runs that are scraped have in common: the operator at work, and what jobs need."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS
from tests.support.scraping import Scraper

from awsbatch_simulator.jobscript import JobScript

HOUR = 3600.0


@asynccontextmanager
async def watched(
    there: Installation, folder: Path, pause: Callable[[], float] = float
) -> AsyncIterator[Scraper]:
    """The operator at work, and scraped; `pause` as in Scraper.serve."""
    scraper = Scraper(there.clock, folder)
    async with there.running():
        assert there._process is not None
        scraper.serve(there._process, pause=pause)
        async with scraper.at_work():
            yield scraper


def script(there: Installation, **members: Any) -> None:
    """How jobs go from now on."""
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"job_scripts": (JobScript(**members),)}))


async def standing(there: Installation) -> None:
    """Everything that a job needs."""
    for key in (ENVIRONMENT, QUEUE, DEFINITION):
        there.apply(key, SPECS[key])
    await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
