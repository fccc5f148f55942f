"""Tells the BatchJobs that wait in vain: no instance type of any pool can ever hold them."""

from awsbatch_operator.api.capacity_reasons import JOB_FITS_NO_POOL
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.capacity.demand import Size
from awsbatch_operator.capacity.memory import Remembered
from awsbatch_operator.capacity.model import Need, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.shortfalls import never_fits
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.narration import Narrator

_AT_ONCE = 100  # jobs that are told at a look; the others at the next ones


class UnfitJobs:
    """Gives each such job a Warning event, once."""

    def __init__(self, cache: Cache, narrator: Narrator) -> None:
        self._cache = cache
        self._narrator = narrator

    def tell(self, environment: ObjectKey, wish: Wish, seen: Observed, kept: Remembered) -> None:
        """To be called at each look. Told are jobs that have no other environment in their queue.

        Nothing is said as long as the types of a pool are not known: one of them may do.
        """
        kept.told &= kept.owners.keys()
        if not kept.owners or any(pool.name not in seen.types for pool in wish.pools):
            return
        able = [(pool, about) for pool in wish.pools for about in seen.types[pool.name].values()]
        lacks: dict[Size, str | None] = {}
        left = _AT_ONCE
        for job_id, (size, key) in kept.owners.items():
            if job_id in kept.told:
                continue
            if size not in lacks:
                lacks[size] = never_fits(_need(size), able)
            resource = self._cache.get(key)
            if lacks[size] is None or resource is None or resource.status.get("jobId") != job_id:
                continue
            if not left:
                return
            left -= 1
            kept.told.add(job_id)
            words = f"No instance type of any pool of {environment} can ever hold this job."
            finding = Finding(JOB_FITS_NO_POOL, f"{words} {lacks[size]}", _REMEDY)
            self._narrator.noted(resource, [finding])


_REMEDY = (
    "Add a type that is large enough to a pool of the environment; or delete this job and create "
    "one that asks for less."
)


def _need(size: Size) -> Need:
    return Need(vcpus=size.vcpus, memory_mib=size.memory_mib, gpus=size.gpus, count=1)
