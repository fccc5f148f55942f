"""A row of the tables of faults and remedies, carried out by itself in an installation."""

from tests.support.installation import Installation
from tests.support.remedies.rows import Fault


async def happens_and_heals(fault: Fault) -> Installation:
    """The whole story, with what it says on the way; the installation at its end."""
    there = Installation(**fault.settings)
    async with there.running():
        await fault.happens(there)
        await fault.remedy(there)
        await fault.heals(there)
    return there
