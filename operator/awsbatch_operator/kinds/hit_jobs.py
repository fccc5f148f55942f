"""Tells the BatchJobs on instances that EC2 takes back what happens to them.

Of a job whose detail the job feed has: of an array, or of a job of several nodes, AWS Batch tells
where each child runs only to who asks for that child, so these are not told.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.aws.ports import JobFeed
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.narration import Narrator

_AT_ONCE = 25  # jobs that are looked at before the event loop gets a turn
_PASSED_AT_ONCE = 1000  # and those that are not
_ON_A_HOST = frozenset({"STARTING", "RUNNING"})
_WORDS: Mapping[AnnouncedKind, str] = {
    AnnouncedKind.INTERRUPTION: "within two minutes (Spot interruption)",
    AnnouncedKind.RESERVATION: "within minutes (its capacity reservation ends)",
}


class HitJobs:
    """Finds the jobs by their container instances, and gives each a Warning event, once."""

    def __init__(self, cache: Cache, feed: JobFeed, narrator: Narrator) -> None:
        self._cache = cache
        self._feed = feed
        self._narrator = narrator

    async def tell(
        self, hosts: Mapping[str, str], kind: AnnouncedKind = AnnouncedKind.INTERRUPTION
    ) -> None:
        """`hosts`: by the ARN of each container instance that is taken back, its instance's id.

        To be called at each look that shows them: a job that starts there in the last moment is
        told, too. Every job that has not ended is looked at, so without hosts nothing is.
        """
        if not hosts:
            return
        async for resource in self._not_ended():
            detail = self._feed.seen(str(resource.status.get("jobId", "")))
            if detail is None or detail.get("status") not in _ON_A_HOST:
                continue
            for instance in sorted({hosts[arn] for arn in _hosts_of(detail) if arn in hosts}):
                what = f"EC2 takes back the instance {instance}, on which this job runs"
                said, remedy = _then(detail)
                message = f"{what}, {_WORDS.get(kind, 'soon')}. {said}"
                finding = Finding(job_reasons.HOST_INTERRUPTED, message, remedy)
                self._narrator.noted(resource, [finding])

    async def _not_ended(self) -> AsyncIterator[Resource]:
        """The BatchJobs, with turns for the event loop in between: there may be 100,000."""
        looked = 0
        for number, key in enumerate(self._cache.keys("BatchJob"), start=1):
            if not number % _PASSED_AT_ONCE:
                await asyncio.sleep(0)
            resource = None if self._cache.settled(key) else self._cache.get(key)
            if resource is not None:
                yield resource
                looked += 1
                if not looked % _AT_ONCE:
                    await asyncio.sleep(0)


def _hosts_of(detail: Shape) -> Iterator[str]:
    """The container instances on which the current attempt runs."""
    tasks = (detail.get("ecsProperties") or {}).get("taskProperties") or ()
    for each in (detail.get("container") or {}, *tasks):
        if each.get("containerInstanceArn"):
            yield str(each["containerInstanceArn"])


def _attempts(detail: Shape) -> tuple[int, int]:
    """The number of the current attempt, and how many there may be."""
    allowed = (detail.get("retryStrategy") or {}).get("attempts") or 1
    return len(detail.get("attempts") or ()) + 1, int(allowed)


def _then(detail: Shape) -> tuple[str, str]:
    """What becomes of the job, and what a person can do; "": what the catalogue says."""
    attempt, allowed = _attempts(detail)
    if attempt >= allowed:
        return "It has no attempt left: if it has not ended by then, it fails with HostLost.", ""
    rules = (detail.get("retryStrategy") or {}).get("evaluateOnExit")
    unless = ", unless its evaluateOnExit says otherwise" if rules else ""
    said = (
        f"If it has not ended by then, AWS Batch starts it anew elsewhere{unless}: this is attempt "
        f"{attempt} of {allowed}."
    )
    return said, "Nothing needs to be done."
