"""JobFeed: asks AWS what the book says, tells the book, and wakes the owners of what changed."""

import asyncio
from collections.abc import Sequence
from enum import Enum

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import LISTED_AT_ONCE
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.job_agenda import Listing
from awsbatch_operator.aws.job_book import JobBook
from awsbatch_operator.aws.polling import Pollers, Wake
from awsbatch_operator.aws.sender import Sender

_log = structlog.get_logger(__name__)

COMPARED_AT_ONCE = 10  # details, of up to 30 kB each, before the event loop gets a turn


class Heard(Enum):
    """What comes of an event about a job."""

    NOT_FOLLOWED = "NotFollowed"  # or it is another account's or region's
    KNOWN = "Known"  # that status was read already
    LOOKED_AT = "LookedAt"  # it is described within a moment


_QUEUE_GONE = frozenset({ErrorKind.NOT_FOUND, ErrorKind.INVALID})


class JobPoller:
    """The poller of jobs that have not ended. Implements JobFeed and Polled. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock, cadence: Cadence, wake: Wake) -> None:
        self._sender = sender
        self._clock = clock
        self._book = JobBook(cadence)
        self._pollers = Pollers(self, clock, cadence, wake)

    @property
    def what(self) -> str:
        return "jobs"

    async def run(self) -> None:
        """Poll for ever. Costs nothing while no job is followed."""
        await self._pollers.run()

    def follow(
        self,
        scope: Scope,
        job_id: str,
        queue_arn: str,
        wake: ObjectKey,
        *,
        detail: Shape | None = None,
    ) -> None:
        now = self._clock.monotonic()
        due = self._book.follow(scope, job_id, queue=queue_arn, owner=wake, now=now)
        if due is None:
            return
        if detail is not None:
            self._book.baseline(job_id, detail, now)
        self._pollers.look(scope, due)

    def seen(self, job_id: str) -> Shape | None:
        return self._book.seen(job_id)

    def forget(self, job_id: str) -> None:
        self._book.forget(job_id)

    @property
    def followed(self) -> int:
        """How many jobs are asked about."""
        return len(self._book)

    def hurry(self, job_id: str) -> None:
        """The job was terminated or cancelled: what was seen of it is out of date."""
        hurried = self._book.hurry(job_id, self._clock.monotonic())
        if hurried is not None:
            self._pollers.look(*hurried)

    def heard(self, place: tuple[str, str], job_id: str, status: str) -> Heard:
        """Somebody says that the job is in this status (empty: that it is worth a look).

        It is looked at soon, and nothing is believed: whoever says so may be wrong, late, or say it
        a thousand times.
        """
        job = self._book.followed(job_id)
        if job is None or (job.scope.account_id, job.scope.region) != place:
            return Heard.NOT_FOLLOWED
        if status and status == job.state:
            return Heard.KNOWN
        expected = self._book.expect(job_id, self._clock.monotonic())
        if expected is not None:
            self._pollers.look(*expected)
        return Heard.LOOKED_AT

    def due(self, scope: Scope) -> float | None:
        return self._book.due(scope)

    def owners(self, scope: Scope) -> Sequence[ObjectKey]:
        return self._book.owners(scope)

    async def poll(self, scope: Scope) -> None:
        """Ask once about all that is due."""
        calls = 0
        await self._pollers.wake(self._book.lasted(scope, self._clock.monotonic()))
        try:
            for listing in self._book.listings(scope, self._clock.monotonic()):
                calls += await self._list(listing)
            for job_ids in self._book.describes(scope, self._clock.monotonic()):
                calls += 1
                await self._describe(scope, job_ids)
        finally:
            self._book.ended_round(scope, calls=calls, now=self._clock.monotonic())

    async def _list(self, listing: Listing) -> int:
        request = {
            "jobQueue": listing.queue,
            "jobStatus": listing.state,
            "maxResults": LISTED_AT_ONCE,
        }
        number, pages = self._book.begin_list(), 0
        try:
            async for page in self._sender.pages(
                listing.scope, "batch:ListJobs", request, "jobSummaryList", polling=True
            ):
                pages += 1
                self._book.page(listing, number, page, self._clock.monotonic())
        except AwsError as error:
            if error.kind not in _QUEUE_GONE:
                raise
            # Its jobs have left the list with it, and are described; the other queues' go on.
            number, pages = self._book.begin_list(), 1
        now = self._clock.monotonic()
        for _ in self._book.end_list(listing, number, pages=pages, now=now):
            await asyncio.sleep(0)
        return pages

    async def _describe(self, scope: Scope, job_ids: list[str]) -> None:
        name = "batch:DescribeJobs"
        began = self._book.moment()
        answer = await self._sender.call(scope, name, {"jobs": job_ids}, polling=True)
        jobs = self._sender.member(scope, name, answer, "jobs")
        found = {str(job["jobId"]): job for job in jobs if job.get("jobId")}
        if not all(
            job.get("jobId") for job in jobs
        ):  # what seems to be left out may be the one without an id
            found |= {job_id: {} for job_id in job_ids if job_id not in found}
        for at in range(0, len(job_ids), COMPARED_AT_ONCE):
            few, now = job_ids[at : at + COMPARED_AT_ONCE], self._clock.monotonic()
            woken = self._book.described(scope, few, found, began=began, now=now)
            await self._pollers.wake(woken)
            await asyncio.sleep(0)
        for place, job_id in self._book.unclear():
            where = {"account": place.account_id, "region": place.region}
            _log.warning("what AWS says of a job cannot be understood", job=job_id, **where)
